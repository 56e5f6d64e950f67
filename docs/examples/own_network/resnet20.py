"""A plain ResNet20 learns a chip: half of its blocks and all but two digits of a weight go.

    python resnet20.py resnet20-12fca82f.th --data FOLDER --out build/own

Needs `pip install '.[train,onnxruntime,sim]'`; the checkpoint is that of
github.com/akamaster/pytorch_resnet_cifar10, the folder has the files of CIFAR-10. An hour of one
core. The network knows nothing of hwgen; nor does the loop, but for `prepared.step()`.
"""

import argparse
import copy
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from hwgen import api
from hwgen.data import load_dataset
from hwgen.train import prepare

CHIP = "dbpim/paper_float32"
LAYOUT = torch.channels_last
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


class Block(nn.Module):
    """Two convolutions and a shortcut that appends zeros."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.more = (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.more:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more, self.more))
        return functional.relu(y + x)


class ResNet20(nn.Module):
    """As in the checkpoint, layer by layer."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        for n, (inputs, outputs) in enumerate(((16, 16), (16, 32), (32, 64)), 1):
            first = Block(inputs, outputs, 1 if n == 1 else 2)
            rest = (Block(outputs, outputs, 1) for _ in range(2))
            setattr(self, f"layer{n}", nn.Sequential(first, *rest))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(functional.avg_pool2d(x, 8).flatten(1))


def real(images):
    """Return bytes (n, h, w, c) as the network reads them, (n, c, h, w)."""
    return (torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float() / 255 - MEAN) / DEVIATION


@torch.no_grad()
def accuracy(net, images, labels):
    """Return the share of images that are right, in %."""
    net.eval()
    parts = range(0, len(images), 500)
    right = [net(real(images[n : n + 500])).argmax(1).numpy() == labels[n : n + 500] for n in parts]
    return 100 * sum(part.sum() for part in right) / len(images)


def train(net, prepared, teacher, data, *, steps, state_file):
    """Train with the float network as teacher; a second call resumes an interrupted training."""
    optimizer = torch.optim.SGD(net.parameters(), 0.03, 0.9, weight_decay=1e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    parts = {"net": net, "optimizer": optimizer, "schedule": schedule, "prepared": prepared}
    first, seconds = 0, 0.0
    if state_file.exists():
        state = torch.load(state_file)
        first, seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["random"])
        for name, part in parts.items():
            part.load_state_dict(state[name])
    before = time.process_time() - seconds
    net.train()
    for step in range(first + 1, steps + 1):
        chosen = torch.randint(len(data.train_images), (128,)).numpy()
        images = functional.pad(real(data.train_images[chosen]), (4, 4, 4, 4))
        y, x = torch.randint(9, (2,)).tolist()
        images = images[:, :, y : y + 32, x : x + 32].contiguous(memory_format=LAYOUT)
        images = images.flip(3) if torch.rand(()) < 0.5 else images
        labels = torch.from_numpy(data.train_labels[chosen])
        with torch.no_grad():
            told = functional.softmax(teacher(images) / 2, 1)
        answers = net(images)
        loss = functional.cross_entropy(answers, labels)
        loss += 4 * functional.kl_div(
            functional.log_softmax(answers / 2, 1), told, reduction="batchmean"
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        prepared.step()  # only where the share grows
        if step % 100 == 0:
            seconds = time.process_time() - before
            state = {name: part.state_dict() for name, part in parts.items()}
            state |= {"step": step, "seconds": seconds, "random": torch.get_rng_state()}
            torch.save(state, state_file.with_suffix(".new"))
            state_file.with_suffix(".new").replace(state_file)
            print(f"{step} steps, {seconds:.0f} CPU s, loss {float(loss):.3f}", flush=True)


def main():
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--digits", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3200)
    parser.add_argument("--out", type=Path, default=Path("build/own"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    data = load_dataset("cifar10", given.data)
    test = data.test_images, data.test_labels

    net = ResNet20()
    weights = torch.load(given.checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    net.load_state_dict({name.removeprefix("module."): each for name, each in weights.items()})
    net = net.to(memory_format=LAYOUT)
    teacher = copy.deepcopy(net).eval()
    print(f"float {accuracy(net, *test):.2f} %")

    prepared = prepare(net, CHIP, share=given.share, digits=given.digits)
    print(prepared)
    print(f"prepared {accuracy(net, *test):.2f} %", flush=True)
    file = given.out / "state.pt"
    train(net, prepared, teacher, data, steps=given.steps, state_file=file)
    print(f"trained {accuracy(net, *test):.2f} %", flush=True)

    shown = real(data.train_images[:64])
    made = api.import_torch(net, shown, given.out / "network.npz", chip=CHIP)
    print(f"{made.integers:,} integers are those of the training", flush=True)
    right = 0
    for first in range(0, len(data.test_images), 500):
        images = real(data.test_images[first : first + 500]).permute(0, 2, 3, 1)
        answers = api.infer(made.path, images.numpy()).answers.reshape(len(images), -1)
        right += (answers.argmax(1) == data.test_labels[first : first + 500]).sum()
    print(f"integers {100 * right / len(data.test_images):.2f} %", flush=True)
    run_on_chip(made.path, given.out, real(data.test_images[:1]).permute(0, 2, 3, 1).numpy())


def run_on_chip(network, folder, image):
    """Print cycles and energy of an image with and without skipping, and run the Verilog."""
    context = api.Context(console=None, work=folder)
    for switches in ("none", "input_bits", "all"):
        report = api.model(network, CHIP, sparsity=switches, data=image, context=context)
        print(f"{switches}: {report.cycles_model:,} cycles", flush=True)
    run = api.simulate(network, CHIP, data=image, context=context)
    print(f"Verilog: {run.cycles_rtl:,} cycles, equal: {run.equal}")


if __name__ == "__main__":
    main()
