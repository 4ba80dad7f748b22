"""Writes photo.jpg: 4000 x 3000 pixels, as a phone's camera has them, in few bytes.

Usage: python tests/bench/edge/make_photo.py   (needs pillow and numpy)
"""

import pathlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 4000, 3000

y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
planes = [255 * x / WIDTH, 255 * y / HEIGHT, 127 + 120 * np.sin(x / 450 + y / 250)]
image = Image.fromarray(np.stack(planes, -1).astype(np.uint8))
image.save(pathlib.Path(__file__).parent / "photo.jpg", quality=30)
