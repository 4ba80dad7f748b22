"""Pillow's time to decode, turn upright, resize and crop the images of a folder into one file.

It may scale JPEGs in the DCT to no less than twice the side (`draft`), as topfive does.
"""

import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path

from peer import say, serve

try:
    import PIL
    from PIL import Image, ImageOps
except ImportError as error:
    say(notHere=f"{error} in {sys.executable}")
    sys.exit(0)


def record(task):
    path, side = task
    with Image.open(path) as image:
        image.draft("RGB", (2 * side, 2 * side))
        image = ImageOps.exif_transpose(image.convert("RGB"))
        scale = side / min(image.size)
        size = tuple(max(side, int(length * scale)) for length in image.size)
        image = image.resize(size, Image.Resampling.BILINEAR)
        left, top = (size[0] - side) // 2, (size[1] - side) // 2
        return image.crop((left, top, left + side, top + side)).tobytes()


def cpu_seconds():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(folder, side, processes):
    tasks = [(str(path), side) for path in sorted(Path(folder).glob("*/*/*"))]
    out = Path(folder).parent / "pillow.records"
    start, cpu = time.perf_counter(), cpu_seconds()
    with open(out, "wb") as file:
        if processes == 1:
            for task in tasks:
                file.write(record(task))
        else:
            with multiprocessing.Pool(processes) as pool:
                for data in pool.imap_unordered(record, tasks, chunksize=8):
                    file.write(data)
                pool.close()
                pool.join()
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    size = os.path.getsize(out)
    os.remove(out)
    peak = 1024 * sum(
        resource.getrusage(who).ru_maxrss * times
        for who, times in ((resource.RUSAGE_SELF, 1), (resource.RUSAGE_CHILDREN, processes - 1))
    )
    return {
        "images": len(tasks),
        "seconds": seconds,
        "cpuSeconds": cpu,
        "peakBytes": peak,
        "bytes": size,
    }


say(hello=f"Pillow {PIL.__version__}")
serve(lambda request: measure(**request))
