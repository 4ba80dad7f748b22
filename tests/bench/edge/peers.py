"""onnxruntime or OpenVINO on one thread, measured as process.ts measures our engines."""

import json
import math
import sys
import time


def memory():
    with open("/proc/self/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    return {name: 1024 * int(fields[key].split()[0]) for name, key in (("peak", "VmHWM"), ("steady", "VmRSS"))}


def onnxruntime_session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # See SESSION_OPTIONS in inference/onnxruntime/network_session.ts.
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"], disabled_optimizers=["MatMulAddFusion"]
    )
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})


def openvino_session(path):
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(path, "CPU", {"INFERENCE_NUM_THREADS": 1})
    return lambda batch: compiled([batch])


def main():
    engine, path, side, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    import numpy

    def picture(count):
        i = numpy.arange(count * 3 * side * side)
        values = 100 * numpy.sin(i * 0.013) + i % 7
        return values.astype(numpy.float32).reshape(count, 3, side, side)

    run = {"onnxruntime": onnxruntime_session, "openvino": openvino_session}[engine](path)
    run(picture(1))
    print("first", flush=True)

    def time_of(batch, count):
        images = picture(batch)
        run(images)
        times = []
        for _ in range(count):
            started = time.perf_counter()
            run(images)
            times.append((time.perf_counter() - started) * 1000 / batch)
        return sorted(times)[len(times) // 2]

    result = {"batch1": time_of(1, runs), "batch8": time_of(8, math.ceil(runs / 4)), **memory()}
    print(json.dumps(result), flush=True)


main()
