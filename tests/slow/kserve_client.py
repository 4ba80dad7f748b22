"""Asks a topfive service as a Triton client does. Usage: kserve_client.py HOST:PORT IMAGE"""

import sys

import numpy as np
import tritonclient.http as triton

address, image = sys.argv[1:]
client = triton.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("colours")
metadata = client.get_model_metadata("colours")
assert metadata["inputs"][0]["shape"] == [-1, 3, 16, 16], metadata

# Red planes at 1, the others at -1: what the network sees of a red picture.
tensor = -np.ones((2, 3, 16, 16), np.float32)
tensor[:, 0] = 1
for binary in (True, False):
    given = triton.InferInput("image", [2, 3, 16, 16], "FP32")
    given.set_data_from_numpy(tensor, binary_data=binary)
    wanted = triton.InferRequestedOutput("probabilities", binary_data=binary)
    answer = client.infer("colours", [given], outputs=[wanted], request_id="7")
    probabilities = answer.as_numpy("probabilities")
    assert probabilities.shape == (2, 4) and answer.get_response()["id"] == "7"
    assert (probabilities.argmax(axis=1) == 0).all(), probabilities

with open(image, "rb") as file:
    encoded = np.array([file.read()], dtype=np.object_)
given = triton.InferInput("image_bytes", [1], "BYTES")
given.set_data_from_numpy(encoded)
wanted = triton.InferRequestedOutput("probabilities", class_count=2)
classes = client.infer("colours", [given], outputs=[wanted]).as_numpy("probabilities")
value, index, label = classes[0][0].decode().split(":")
assert (index, label) == ("0", "red") and float(value) > 0.5, classes

(stats,) = client.get_inference_statistics("colours")["model_stats"]
assert (stats["name"], stats["version"], stats["inference_count"]) == ("colours", "v1", 5), stats
assert stats["inference_stats"]["success"]["count"] == 5, stats
assert sum(b["batch_size"] * b["compute_infer"]["count"] for b in stats["batch_stats"]) == 5, stats
assert len(client.get_inference_statistics()["model_stats"]) == 1
assert [state["state"] for state in client.get_model_repository_index()] == ["READY"]
print("ok")
