"""The peer trainer: topfive's small networks in PyTorch with the same recipe, on the same files.

    python tests/bench/pytorch/train.py --data ../shared/data/mnist --model lenet5

Prints a line an epoch; the last line is JSON.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[2] / "fixtures"))

from data import Preprocess, read_data  # noqa: E402
from networks import (  # noqa: E402
    ALEXNET_SMALL,
    AlexNet,
    Cifar10EighteenPercent,
    Cifar10Quick,
    LeNet5,
    initialise,
)
from sgd import Sgd  # noqa: E402

# As cuda-convnet: the mean image is subtracted, pixels keep their scale, biases learn twice as fast.
CUDA_CONVNET = {
    "batch": 128,
    "lr": 0.001,
    "decay": 0.004,
    "schedule": "step",
    "side": 32,
    "crop": 32,
    "augment": False,
    "subtract": "image",
    "bias_rate": 2.0,
}
SMALL = {"schedule": "cosine", "drop_at": (0.5, 0.75, 0.9), "subtract": "channel", "bias_rate": 1.0}

DEFAULTS = {
    "cifar10-quick": {
        **CUDA_CONVNET,
        "epochs": 10,
        "drop_at": (0.8,),
        "deviations": {"conv1": 0.0001, "conv2": 0.01, "conv3": 0.01, "fc64": 0.1, "fc10": 0.1},
        "decay_factors": {"fc64": 7.5, "fc10": 7.5},
    },
    "cifar10-18pct": {
        **CUDA_CONVNET,
        "epochs": 140,
        "drop_at": (120 / 140, 130 / 140),
        "deviations": {"conv1": 0.0001, "conv2": 0.01, "conv3": 0.01, "fc10": 0.01},
        "decay_factors": {"fc10": 250},
    },
    "lenet5": {
        **SMALL,
        "epochs": 6,
        "batch": 64,
        "lr": 0.02,
        "decay": 0.0005,
        "side": 28,
        "crop": 28,
        "augment": False,
    },
    "alexnet-small": {
        **SMALL,
        "epochs": 30,
        "batch": 32,
        "lr": 0.02,
        "decay": 0.0005,
        "side": 72,
        "crop": 64,
        "augment": True,
    },
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="train/CLASS/*, test or val/CLASS/*; or MNIST's IDX")
    parser.add_argument("--model", choices=DEFAULTS, required=True)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--lr", type=float, help="rate at the start")
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--decay", type=float, help="of the weights, times the rate")
    parser.add_argument("--schedule", choices=["cosine", "step", "constant"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, help="pixels of a prepared image")
    parser.add_argument("--crop", type=int, help="pixels of the network's input")
    parser.add_argument("--augment", action=argparse.BooleanOptionalAction)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    arguments.deviations, arguments.decay_factors = None, {}
    for name, value in DEFAULTS[arguments.model].items():
        if getattr(arguments, name, None) in (None, {}):
            setattr(arguments, name, value)
    return arguments


def learning_rate(arguments, step, steps):
    """Cosine to zero; or a tenth after each of some shares of the steps."""
    if arguments.schedule == "cosine":
        return arguments.lr * (1 + math.cos(math.pi * step / steps)) / 2
    drops = sum(step >= share * steps for share in arguments.drop_at)
    return arguments.lr * (0.1**drops if arguments.schedule == "step" else 1)


def build(arguments, channels, classes):
    if arguments.model == "lenet5":
        return LeNet5()
    if arguments.model == "cifar10-quick":
        return Cifar10Quick(classes)
    if arguments.model == "cifar10-18pct":
        return Cifar10EighteenPercent(classes)
    crop = arguments.crop
    return AlexNet(replace(ALEXNET_SMALL, input=(channels, crop, crop), classes=classes))


@torch.no_grad()
def test_accuracy(network, preprocess, images, labels, device):
    correct = 0
    for part, answers in zip(images.split(256), labels.split(256)):
        logits = network(preprocess.centre(part).to(device), "test")
        correct += (logits.argmax(dim=1).cpu() == answers).sum().item()
    return correct / len(labels)


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    source = torch.Generator().manual_seed(arguments.seed)

    (images, labels), test, classes = read_data(arguments.data, arguments.side)
    network = build(arguments, images.shape[1], len(classes))
    initialise(network, source, deviations=arguments.deviations)
    network.to(arguments.device)
    preprocess = Preprocess(images, arguments.crop, arguments.subtract)
    prepare = (
        (lambda part: preprocess.augment(part, source)) if arguments.augment else preprocess.centre
    )
    optimizer = Sgd(
        network,
        arguments.momentum,
        arguments.decay,
        arguments.bias_rate,
        decay_factors=arguments.decay_factors,
    )

    per_epoch = len(images) // arguments.batch
    steps, step, seconds, history = arguments.epochs * per_epoch, 0, 0.0, []
    for epoch in range(1, arguments.epochs + 1):
        started, total = time.perf_counter(), torch.zeros(())
        order = torch.randperm(len(images), generator=source)
        for indices in order[: per_epoch * arguments.batch].split(arguments.batch):
            logits = network(prepare(images[indices]).to(arguments.device), "train")
            loss = F.cross_entropy(logits, labels[indices].to(arguments.device))
            loss.backward()
            optimizer.step(learning_rate(arguments, step, steps))
            total, step = total + loss.detach().cpu(), step + 1
        elapsed = time.perf_counter() - started
        seconds += elapsed
        mean = (total / per_epoch).item()
        if not math.isfinite(mean):
            raise SystemExit(f"Cannot go on training: the loss of epoch {epoch} is {mean}")
        accuracy = test_accuracy(network, preprocess, *test, arguments.device)
        history.append({"epoch": epoch, "loss": round(mean, 4), "testAccuracy": round(accuracy, 4)})
        speed = per_epoch * arguments.batch / elapsed
        print(
            f"epoch {epoch}/{arguments.epochs}  loss {mean:.4f}  "
            f"test {accuracy:.2%}  {speed:,.0f} images/s",
            flush=True,
        )
    print(json.dumps({
        **{key: value for key, value in vars(arguments).items() if key != "data"},
        "data": Path(arguments.data).name,
        "torch": torch.__version__,
        "classes": len(classes),
        "trainImages": len(images),
        "testImages": len(test[1]),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "testAccuracy": history[-1]["testAccuracy"],
        "trainSeconds": round(seconds, 1),
        "imagesPerSecond": round(steps * arguments.batch / seconds, 1),
        "history": history,
    }))


if __name__ == "__main__":
    main()
