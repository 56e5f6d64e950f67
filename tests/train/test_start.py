"""A start checkpoint becomes the same network with our channel order and image grid."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hwgen.errors import DataError
from hwgen.train.models import MODELS, plan_model
from hwgen.train.network import Network
from hwgen.train.recipe import load_recipe
from hwgen.train.start import load_start
from tests.train.conftest import RECIPES

RECIPE = load_recipe(RECIPES / "cifar10_resnet20.yaml")
assert RECIPE.start is not None
START = RECIPE.start
DEPTHS = {
    name: int(name.removeprefix("resnet"))
    for name in MODELS
    if name.startswith("resnet") and name != "resnet18"
}
"""Layers of each ResNet of CIFAR."""


class Block(nn.Module):
    """A residual block as the checkpoint's authors wrote it: padding on both sides."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.side = stride, (channels - inputs) // 2

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.side, self.side))
        return functional.relu(x + y)


class Reference(nn.Module):
    """ResNet of 3 * 2 * `blocks` + 2 layers with the names of the checkpoint."""

    def __init__(self, blocks: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        for stage, (inputs, channels) in enumerate(((16, 16), (16, 32), (32, 64)), start=1):
            first = Block(inputs, channels, stride=1 if stage == 1 else 2)
            others = [Block(channels, channels, stride=1) for _ in range(blocks - 1)]
            setattr(self, f"layer{stage}", nn.Sequential(first, *others))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


@pytest.fixture
def checkpoint() -> dict[str, Tensor]:
    return parallel_state(Reference())


def parallel_state(reference: Reference) -> dict[str, Tensor]:
    """Return random weights and statistics under the names of parallel training."""
    torch.manual_seed(0)
    for name, tensor in reference.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            tensor.normal_(0, 0.3)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
    return {f"module.{name}": tensor for name, tensor in reference.state_dict().items()}


def save(state: Any, folder: Path) -> Path:
    path = folder / "start.th"
    torch.save(state, path)
    return path


@pytest.mark.promise(
    "a float checkpoint of a public layout starts the same network, whatever its file holds"
    " around it"
)
def test_same_logits(checkpoint: dict[str, Tensor], tmp_path: Path) -> None:
    reference = Reference()
    reference.load_state_dict({k.removeprefix("module."): t for k, t in checkpoint.items()})
    network = Network(plan_model("resnet20", (32, 32, 3), 10))
    load_start(network, save({"state_dict": checkpoint}, tmp_path), START, RECIPE)
    # The edges differ by what padding means; away from them both must be the same function. An
    # image of the padding byte has edges like its middle, and other images show the rest.
    random = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (4, 3, 32, 32), generator=random).double()
    assert RECIPE.start is not None
    mean, std = (torch.tensor(v).double() for v in (RECIPE.start.mean, RECIPE.start.std))
    theirs = (images / 255 - mean.reshape(-1, 1, 1)) / std.reshape(-1, 1, 1)
    ours = (images - RECIPE.input_zero_point) * RECIPE.input_scale
    reference, network = reference.double().eval(), network.double().eval()
    first_reference = reference.bn1(reference.conv1(theirs))[:, :, 1:-1, 1:-1]
    first = network.layer("conv1")(ours)[:, :, 1:-1, 1:-1]
    assert torch.allclose(first, first_reference, atol=1e-4)
    with torch.no_grad():
        expected, logits = reference(theirs), network(ours)
    assert torch.allclose(logits, expected, atol=0.15 * float(expected.std()))


@pytest.mark.parametrize("model", DEPTHS)
def test_channel_order_is_exact(model: str, tmp_path: Path, monkeypatch: Any) -> None:
    reference = Reference(blocks=(DEPTHS[model] - 2) // 6)
    path = save({"state_dict": parallel_state(reference)}, tmp_path)
    network = Network(plan_model(model, (32, 32, 3), 10))
    monkeypatch.setattr("hwgen.train.start.regridded", lambda layers, *_: layers)
    load_start(network, path, START, RECIPE)
    x = torch.randn(3, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        expected, logits = reference.double().eval()(x), network.double().eval()(x)
    assert torch.allclose(logits, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.promise(
    "a checkpoint of another topology, damaged, or foreign is refused in one sentence that says"
    " what differs"
)
def test_mistakes_are_one_sentence(checkpoint: dict[str, Tensor], tmp_path: Path) -> None:
    network = Network(plan_model("resnet20", (32, 32, 3), 10))
    short = {name: t for name, t in checkpoint.items() if "layer2.1.bn1.bias" not in name}
    wrong = checkpoint | {"module.linear.weight": torch.zeros(100, 64)}
    cases = {
        "layer2.1.bn1.bias must be of shape (32,), got nothing": {"state_dict": short},
        "linear.weight must be of shape (10, 64), got (100, 64)": {"state_dict": wrong},
        "with a state_dict or safetensors, got other contents": {"weights": 1},
        "a state_dict or safetensors, got other contents": {"state_dict": 3},
        "state_dict or safetensors, got other contents": [1],
        "or safetensors, got other contents": {"state_dict": {1: torch.zeros(1)}},
        "safetensors, got something else": {"state_dict": Path("code")},
    }
    for sentence, content in cases.items():
        with pytest.raises(DataError) as caught:
            load_start(network, save(content, tmp_path), START, RECIPE)
        assert sentence in str(caught.value) and "\n" not in str(caught.value)
    path = tmp_path / "start.th"
    header = (200).to_bytes(8, "little") + b'{"conv1'  # of safetensors, cut off
    for damaged in (b"", b"no checkpoint", path.read_bytes()[:100], header):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="must be a torch checkpoint with a state_dict"):
            load_start(network, path, START, RECIPE)
    with pytest.raises(DataError, match="got No such file"):
        load_start(network, tmp_path / "absent", START, RECIPE)
