"""The peer of bench:serve: the same model behind FastAPI, onnxruntime and Pillow, one process.

Usage: fastapi_service.py MODEL.onnx MANIFEST.json PORT THREADS

Says {"hello": …} once it listens, or {"notHere": …} where a package is missing, and then answers
POST /v1/classify (an image as body) with its five best labels, and GET /healthz.
"""

import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "pytorch"))
from peer import say  # noqa: E402

try:
    import fastapi
    import numpy as np
    import onnxruntime as ort
    import PIL
    import uvicorn
    from fastapi import FastAPI, Request
    from fastapi.concurrency import run_in_threadpool
    from PIL import Image, ImageOps
except ImportError as error:
    say(notHere=f"{error} in {sys.executable}")
    sys.exit(0)

model, manifest_path, port, threads = sys.argv[1:]
manifest = json.loads(Path(manifest_path).read_text())
spec = manifest["preprocess"]
labels = manifest["labels"]
MEAN = np.array(spec["mean"], np.float32).reshape(-1, 1, 1)
STD = np.array(spec["std"], np.float32).reshape(-1, 1, 1)

options = ort.SessionOptions()
options.intra_op_num_threads = int(threads)
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
input_name, output_name = manifest["input"]["name"], manifest["output"]["name"]


def preprocess(encoded):
    side, crop = spec["side"], spec["crop"]
    with Image.open(io.BytesIO(encoded)) as image:
        image.draft("RGB", (2 * side, 2 * side))
        image = ImageOps.exif_transpose(image.convert("RGB"))
    if spec.get("resize") == "squash":
        image = image.resize((side, side), Image.Resampling.BILINEAR)
    else:
        scale = side / min(image.size)
        size = tuple(max(side, int(length * scale)) for length in image.size)
        image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    planes = np.asarray(image.crop((left, top, left + crop, top + crop))).transpose(2, 0, 1)
    if spec.get("order") == "bgr":
        planes = planes[::-1]
    return ((planes.astype(np.float32) - MEAN) / STD)[None]


def classify(encoded):
    """Decodes and runs in one thread of the pool; Pillow and onnxruntime let the others go on."""
    scores = session.run([output_name], {input_name: preprocess(encoded)})[0].reshape(-1)
    best = np.argpartition(scores, -5)[-5:]
    best = best[np.argsort(scores[best])[::-1]]
    return {
        "model": manifest["name"],
        "predictions": [
            {"label": labels[i], "index": int(i), "probability": float(scores[i])} for i in best
        ],
    }


app = FastAPI()


@app.post("/v1/classify")
async def classify_route(request: Request):
    return await run_in_threadpool(classify, await request.body())


@app.get("/healthz")
async def health():
    return {"status": "alive"}


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        say(
            hello=f"FastAPI {fastapi.__version__}, onnxruntime {ort.__version__}, "
            f"Pillow {PIL.__version__}, {threads} threads"
        )


Server(
    uvicorn.Config(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)
).run()
