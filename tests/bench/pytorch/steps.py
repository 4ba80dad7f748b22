"""Training steps in PyTorch: the peer of bench:train and bench:scale (see ../training/).

    steps.py DEVICE MODE

DEVICE is cpu or cuda; MODE is float32, channels-last, bf16, tf32 or half. A step is forward,
backward and SGD with momentum, on one batch that is on the device already.
"""

import resource
import statistics
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from peer import import_torch, say, serve

torch = import_torch()
sys.path.insert(0, str(Path(__file__).parents[2] / "fixtures"))

from networks import ALEXNET, ALEXNET_SMALL, AlexNet, AlexNetOwt, Cifar10EighteenPercent, LeNet5, initialise  # noqa: E402

LEARNING_RATE, MOMENTUM, DECAY = 0.001, 0.9, 0.0005
INPUTS = {
    "alexnet": ((3, 224, 224), 1000),
    "alexnet-owt": ((3, 224, 224), 1000),
    "cifar10-18pct": ((3, 32, 32), 10),
    "lenet5": ((1, 28, 28), 10),
    "alexnet-small": ((3, 64, 64), 10),
}


def build(net, width):
    if net == "alexnet":
        scaled = lambda count: round(count * width)
        convs = tuple(replace(conv, out=scaled(conv.out)) for conv in ALEXNET.convs)
        hidden = tuple(scaled(units) for units in ALEXNET.hidden)
        return AlexNet(replace(ALEXNET, convs=convs, hidden=hidden))
    if net == "alexnet-small":
        shape, classes = INPUTS[net]
        return AlexNet(replace(ALEXNET_SMALL, input=shape, classes=classes))
    return {
        "alexnet-owt": AlexNetOwt,
        "cifar10-18pct": Cifar10EighteenPercent,
        "lenet5": LeNet5,
    }[net]()


def step_rate(batch, seconds, train):
    """As stepRate of step_protocol.ts."""

    def elapsed(steps):
        start = time.perf_counter()
        train(steps)
        return time.perf_counter() - start

    once = elapsed(1)
    stretch = max(1, round(seconds / 5 / once))
    rates = [batch / once] if stretch == 1 else []
    spent, steps = once, 1
    while spent < seconds or len(rates) < 2:
        taken = elapsed(stretch)
        spent, steps = spent + taken, steps + stretch
        rates.append(stretch * batch / taken)
    return statistics.median(rates), steps


class Trainer:
    def __init__(self, request, device, mode):
        torch.manual_seed(1)
        shape, classes = INPUTS[request["net"]]
        layout = (
            torch.channels_last if mode in ("channels-last", "half") else torch.contiguous_format
        )
        self.network = build(request["net"], request["width"])
        initialise(self.network, torch.Generator().manual_seed(1))
        self.network.to(device, memory_format=layout)
        images = torch.rand(request["batch"], *shape) * 4 - 2
        self.images = images.to(device).to(memory_format=layout)
        self.labels = torch.randint(0, classes, (request["batch"],)).to(device)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(), LEARNING_RATE, MOMENTUM, weight_decay=DECAY, fused=True
        )
        self.scaler = torch.amp.GradScaler(device, enabled=mode == "half")
        half = {"bf16": torch.bfloat16, "half": torch.float16}.get(mode)
        self.precision = lambda: torch.autocast(device, half) if half else nullcontext()
        self.losses = []

    def train(self, steps):
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            with self.precision():
                logits = self.network(self.images, "train")
                loss = torch.nn.functional.cross_entropy(logits, self.labels)
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        # The value's arrival ends the stretch, as it does in ours.
        self.losses.append(loss.item())


def answer(request):
    trainer = Trainer(request, device, mode)
    # Library set-up (oneDNN's and cuDNN's choices, memory) is not part of a step.
    trainer.train(1)
    rate, steps = step_rate(request["batch"], request["seconds"], trainer.train)
    return {
        "imagesPerSecond": rate,
        "steps": steps,
        "parameters": sum(parameter.numel() for parameter in trainer.network.parameters()),
        "firstLoss": trainer.losses[0],
        "lastLoss": trainer.losses[-1],
        "residentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        **({"deviceBytes": torch.cuda.max_memory_allocated()} if device == "cuda" else {}),
    }


if __name__ == "__main__":
    device, mode = sys.argv[1], sys.argv[2]
    if device == "cuda" and not torch.cuda.is_available():
        say(notHere="torch.cuda is not available")
        sys.exit(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode == "tf32"
    torch.backends.cudnn.benchmark = True
    where = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    say(hello=f"PyTorch {torch.__version__}, {device}, {where}, {mode}")
    serve(answer)
