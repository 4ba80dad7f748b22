"""Labelled images for the peer trainer: image folders and MNIST's IDX files, kept in memory."""

import gzip
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image

TEST_FOLDERS = ("test", "val", "validation")


def square(image, side):
    """Shorter side to `side` (bilinear, antialiased when it shrinks), then the central square."""
    scale = side / min(image.size)
    size = tuple(max(side, round(length * scale)) for length in image.size)
    if size != image.size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return image.crop((left, top, left + side, top + side))


def read_image_folder(folder, side):
    """FOLDER/CLASS/image -> (uint8 [N, 3, side, side], labels [N], class names)."""
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    images, labels = [], []
    for label, name in enumerate(classes):
        for path in sorted((folder / name).iterdir()):
            with Image.open(path) as image:
                images.append(np.asarray(square(image.convert("RGB"), side)))
            labels.append(label)
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    return stacked, torch.tensor(labels), classes


def read_idx(path):
    with gzip.open(path, "rb") as file:
        data = file.read()
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions)
    return torch.from_numpy(values.reshape(shape).copy())


def read_mnist(folder):
    def part(prefix):
        images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz").unsqueeze(1)
        return images, read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz").long()

    return part("train"), part("t10k"), [str(digit) for digit in range(10)]


def read_data(folder, side):
    """((train images, labels), (test images, labels), class names)."""
    folder = Path(folder)
    if (folder / "train-images-idx3-ubyte.gz").exists():
        return read_mnist(folder)
    test = next((folder / name for name in TEST_FOLDERS if (folder / name).is_dir()), None)
    if test is None:
        raise SystemExit(f"Cannot read {folder}: no test folder (one of {', '.join(TEST_FOLDERS)})")
    *train_part, classes = read_image_folder(folder / "train", side)
    *test_part, test_classes = read_image_folder(test, side)
    if classes != test_classes:
        raise SystemExit(f"Cannot read {folder}: train and {test.name} have different classes")
    return tuple(train_part), tuple(test_part), classes


class Preprocess:
    """uint8 images -> crops of float32, per channel (x - mean) / deviation of the training set.

    subtract "image": x - the central crop of the mean image, at the scale of pixels.
    """

    def __init__(self, images, crop, subtract="channel"):
        self.crop = crop
        totals = images.numel() // images.shape[1]
        pixels = images.transpose(0, 1).reshape(images.shape[1], -1)
        mean = pixels.sum(dim=1, dtype=torch.float64) / totals
        squares = sum((part.double() ** 2).sum(dim=1) for part in pixels.split(1 << 20, dim=1))
        deviation = (squares / totals - mean**2).sqrt()
        self.mean = mean.float().reshape(1, -1, 1, 1)
        self.deviation = deviation.float().reshape(1, -1, 1, 1)
        if subtract == "image":
            total = sum(part.sum(dim=0, dtype=torch.float64) for part in images.split(1000))
            top, left = (math.floor((size - crop) / 2) for size in images.shape[2:])
            mean_image = (total / len(images)).float()
            self.mean = mean_image[None, :, top : top + crop, left : left + crop]
            self.deviation = torch.ones(())

    def normalise(self, images):
        return (images.float() - self.mean) / self.deviation

    def centre(self, images):
        top, left = (math.floor((size - self.crop) / 2) for size in images.shape[2:])
        return self.normalise(images[:, :, top : top + self.crop, left : left + self.crop])

    def augment(self, images, source):
        """A crop at any position and, for half of the images, a mirror: one draw an image."""
        count, _, height, width = images.shape
        tops = torch.randint(0, height - self.crop + 1, (count,), generator=source)
        lefts = torch.randint(0, width - self.crop + 1, (count,), generator=source)
        mirrored = torch.rand(count, generator=source) < 0.5
        crops = torch.empty(count, images.shape[1], self.crop, self.crop, dtype=torch.uint8)
        for index, (top, left, mirror) in enumerate(
            zip(tops.tolist(), lefts.tolist(), mirrored.tolist())
        ):
            crop = images[index, :, top : top + self.crop, left : left + self.crop]
            crops[index] = crop.flip(2) if mirror else crop
        return self.normalise(crops)
