"""A module of torch as a network file in one call, with the integers of its training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hwgen import api, train
from hwgen.commands import torch_module
from hwgen.errors import FormatError
from hwgen.network.file import load_network
from hwgen.train.converted import chip_weights, integers_of

CHIP = "dbpim/small_rows"


class Steps(nn.Module):
    """Layers one behind the other, with something of torch's functions between."""

    def __init__(self, run: Callable[..., Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


def head(inputs: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


def conv(inputs: int, outputs: int, **options: int) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, **options)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


def attention(self: Steps, x: Tensor) -> Tensor:
    return self.head(self.norm(x + self.heads(x, x, x, need_weights=False)[0]).mean(1))


MODULES: dict[str, Callable[[], tuple[nn.Module, tuple[int, ...]]]] = {
    "plain": lambda: (nn.Sequential(conv(3, 16), head(16)), (3, 8, 8)),
    "filters that are no eight": lambda: (
        nn.Sequential(conv(3, 13), conv(13, 21), head(21)),
        (3, 8, 8),
    ),
    "groups": lambda: (nn.Sequential(conv(3, 24), conv(24, 24, groups=2), head(24)), (3, 8, 8)),
    "depthwise": lambda: (
        nn.Sequential(conv(3, 16), conv(16, 16, groups=16), conv(16, 24), head(24)),
        (3, 8, 8),
    ),
    "a stride and a residual": lambda: (
        Steps(
            lambda self, x: self.head(self.two(self.one(x)) + self.short(x)),
            one=conv(3, 16, stride=2),
            two=conv(16, 16),
            short=nn.Conv2d(3, 16, 1, 2),
            head=head(16),
        ),
        (3, 8, 8),
    ),
    "a flattened map": lambda: (
        nn.Sequential(conv(3, 8), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)),
        (3, 8, 8),
    ),
    "one dimension": lambda: (
        nn.Sequential(
            nn.Conv1d(4, 16, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(16, 16, 3),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(16, 10),
        ),
        (4, 16),
    ),
    "linear layers": lambda: (
        nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 10)),
        (20,),
    ),
    "a module used twice": lambda: (
        Steps(
            lambda self, x: self.head(self.twice(self.twice(self.one(x)))),
            one=conv(3, 16),
            twice=conv(16, 16),
            head=head(16),
        ),
        (3, 8, 8),
    ),
    "two heads": lambda: (
        Steps(
            lambda self, x: (self.head(self.one(x)), self.other(self.one(x))),
            one=conv(3, 16),
            head=head(16),
            other=head(16),
        ),
        (3, 8, 8),
    ),
    "attention": lambda: (
        Steps(
            attention,
            heads=nn.MultiheadAttention(16, 2, batch_first=True),
            norm=nn.LayerNorm(16),
            head=nn.Linear(16, 10),
        ),
        (9, 16),
    ),
    "transposed": lambda: (
        nn.Sequential(conv(3, 16), nn.ConvTranspose2d(16, 8, 2, 2), nn.ReLU(), head(8)),
        (3, 8, 8),
    ),
}


def images_of(shape: tuple[int, ...]) -> Tensor:
    return torch.randn(4, *shape, generator=torch.Generator().manual_seed(2))


def drawn(name: str) -> tuple[nn.Module, Tensor]:
    """Return a module whose batch norms have seen something, and images."""
    torch.manual_seed(1)
    module, shape = MODULES[name]()
    for each in module.modules():
        if isinstance(each, nn.BatchNorm2d):
            nn.init.normal_(each.weight)
            nn.init.normal_(each.bias)
    images = images_of(shape)
    module.train()(images)
    return module, images


@pytest.mark.promise(
    "a module of torch is imported in one call, with the integers of its training behind its batch"
    " norms"
)
@pytest.mark.parametrize("name", MODULES)
def test_modules_keep_the_integers_of_their_training(name: str, tmp_path: Path) -> None:
    module, images = drawn(name)
    options = [{"digits": 1}, {"digits": 2}, {"bits": 4}][len(name) % 3]
    train.prepare(module, CHIP, share=0.5, **options)
    got = api.import_torch(module, images, tmp_path / "n.npz", chip=CHIP)
    assert got.integers == sum(each.size for each in integers_of(module).values())
    assert got.integers > 100 and list(chip_weights(module))
    network = load_network(got.path)
    assert max(np.abs(each.weights).max() for each in network.parameters.values()) <= 127


def test_other_integers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, images = drawn("plain")
    train.prepare(module, CHIP, digits=1)
    got = api.import_torch(module, images, tmp_path / "n.npz")
    integers = integers_of(module)
    integers["0.0"][3, 1, 0, 0] *= 2
    with pytest.raises(api.HwgenError, match=r"layer 0\.0 must be .*got others in 1 of 16 filters"):
        torch_module.check_integers(integers, load_network(got.path), "Sequential")


def test_float_modules_and_wrong_calls(tmp_path: Path) -> None:
    module, images = drawn("plain")
    out = tmp_path / "n.npz"
    got = api.import_torch(module, images.numpy(), out)
    assert got.integers == 0 and got.report.content.layers
    calls = [
        ((module.forward, images), "module must be a torch.nn.Module, got method"),
        ((module, images[0, 0, 0]), "rank 2 to 4"),
        ((module, images[:, :2]), "must be one that torch.onnx.export writes with one input"),
        ((Steps(lambda self, x: x.nonzero()), images), "must be"),
    ]
    out.unlink()
    for given, sentence in calls:
        with pytest.raises(api.HwgenError) as error:
            api.import_torch(*given, out)
        assert sentence in str(error.value)
    assert not out.exists()


def test_a_module_that_would_be_cut_is_refused(tmp_path: Path) -> None:
    run = lambda self, x: self.two(torch.cumsum(self.one(x), 2))  # noqa: E731
    module = Steps(run, one=conv(3, 8), two=conv(8, 8)).eval()
    images = np.random.default_rng(0).normal(size=(8, 3, 6, 6)).astype(np.float32)
    said = r"^the module must be read whole: .*, got .* multiply-accumulates on golden in"
    with pytest.raises(FormatError, match=said):
        api.import_torch(module, images, tmp_path / "net.npz")
    assert not (tmp_path / "net.npz").exists()
