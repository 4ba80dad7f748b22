"""Images a second of native onnxruntime without HTTP or decoding, at given batches (see peer.py)."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "pytorch"))
from peer import say, serve  # noqa: E402

try:
    import numpy as np
    import onnxruntime as ort
except ImportError as error:
    say(notHere=f"{error} in {sys.executable}")
    sys.exit(0)


def measure(model, manifest, batch, threads, seconds):
    shape = [batch, *json.loads(Path(manifest).read_text())["input"]["shape"][1:]]
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: np.random.rand(*shape).astype(np.float32)}
    session.run(None, given)
    start, runs = time.perf_counter(), 0
    while time.perf_counter() - start < seconds or runs < 2:
        session.run(None, given)
        runs += 1
    return batch * runs / (time.perf_counter() - start)


say(hello=f"onnxruntime {ort.__version__} (Python)")
serve(lambda request: measure(**request))
