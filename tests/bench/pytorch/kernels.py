"""PyTorch's time for one layer in one direction: the peer of bench:kernels.

A request names a layer (see `request` in kernels.ts), a direction, and how long to measure; the
answer is the median of milliseconds, of the faster of NCHW and NHWC. Padding on some sides alone is
added before the clock starts.
"""

import statistics
import sys
import time

from peer import import_torch, say, serve

torch = import_torch()
F = torch.nn.functional


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def measure(work, device, runs, milliseconds):
    """Median milliseconds of one call, each measurement as many calls as take `milliseconds`."""

    def elapsed(calls):
        synchronize(device)
        start = time.perf_counter()
        for _ in range(calls):
            work()
        synchronize(device)
        return (time.perf_counter() - start) * 1000

    first = elapsed(1)
    estimate = elapsed(1) if first < 10 * milliseconds else first
    calls = max(1, round(milliseconds / max(estimate, 1e-3)))
    return statistics.median(elapsed(calls) / calls for _ in range(runs))


def convolution(request, layout):
    device, batch = request["device"], request["batch"]
    channels, height, width = request["input"]
    out, out_height, out_width = request["output"]
    top, left, bottom, right = request["pads"]
    even = top == bottom and left == right
    padding = (top, left) if even else (0, 0)
    if not even:
        height, width = height + top + bottom, width + left + right
    group, strides = request["group"], request["strides"]

    def tensor(*shape):
        return torch.randn(*shape, device=device).to(memory_format=layout)

    x = tensor(batch, channels, height, width)
    weight = tensor(out, channels // group, *request["kernel"])
    bias = torch.randn(out, device=device)
    gradient = tensor(batch, out, out_height, out_width)
    if request["direction"] == "forward":
        return lambda: F.conv2d(x, weight, bias, strides, padding, 1, group)
    wanted = [True, False, False] if request["direction"] == "grad-input" else [False, True, True]
    return lambda: torch.ops.aten.convolution_backward(
        gradient, x, weight, [out], strides, padding, (1, 1), False, (0, 0), group, wanted
    )


def product(request, _):
    device, batch = request["device"], request["batch"]
    inputs, outputs = request["input"][0], request["output"][0]
    x = torch.randn(batch, inputs, device=device)
    weight = torch.randn(outputs, inputs, device=device)
    bias = torch.randn(outputs, device=device)
    gradient = torch.randn(batch, outputs, device=device)
    return {
        "forward": lambda: F.linear(x, weight, bias),
        "grad-input": lambda: gradient @ weight,
        "grad-weight": lambda: (gradient.t() @ x, gradient.sum(0)),
    }[request["direction"]]


@torch.no_grad()
def answer(request):
    make = convolution if request["kind"] == "Conv" else product
    layouts = [torch.contiguous_format]
    if request["kind"] == "Conv":
        layouts.append(torch.channels_last)
    times = [
        measure(make(request, layout), request["device"], request["runs"], request["milliseconds"])
        for layout in layouts
    ]
    return min(times)


if __name__ == "__main__":
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        say(notHere="torch.cuda is not available")
        sys.exit(0)
    # float32 means float32: TF32 has ten bits of mantissa.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    where = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    say(hello=f"PyTorch {torch.__version__}, {device}, {where}, float32 (TF32 off)"
        if device == "cuda" else f"PyTorch {torch.__version__}, CPU, {where}, float32")
    serve(answer)
