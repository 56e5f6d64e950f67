"""What runs on no crossbar chip is refused in one sentence before anything is searched."""

import re
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hwgen.commands.context import Context
from hwgen.commands.synthesis import Synthesize
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.pages.problem import problem_of
from hwgen.crossbar.pages.synthesize import synthesize_network
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import save_network
from tests.synthesis import COMPONENTS, COMPONENTS_FILE, replace_search
from verif.common.drawing import Drawing

Ask = Callable[..., str]


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask for a chip, and return the sentence that refuses it before a search."""
    replace_search(monkeypatch, lambda *_, **__: pytest.fail("something is searched"))

    def ask(network: QuantizedNetwork, components: Path = COMPONENTS_FILE) -> str:
        monkeypatch.setattr("hwgen.network.file.load_network", lambda _: network)
        request = Synthesize(
            network="drawn.npz", power_w=3.0, components=components, out=tmp_path / "out"
        )
        with pytest.raises(ConfigError) as caught:
            synthesize_network(Context(work=tmp_path / "work", console=None), request)
        assert not (tmp_path / "out").exists()
        return str(caught.value)

    return ask


def drawn(bits: int = 8) -> Drawing:
    return Drawing(1, modes=("full",), shape=(4, 4, 2), bits=bits)


def of_bits(bits: int) -> QuantizedNetwork:
    drawing = drawn(bits)
    return drawing.build(drawing.conv("input", (3,), bits=bits))


def multiplied() -> QuantizedNetwork:
    drawing = drawn()
    return drawing.build(drawing.multiply(drawing.conv("input", (3,)), drawing.conv("input", (3,))))


def rescaled() -> QuantizedNetwork:
    drawing = drawn()
    return drawing.build(drawing.rescale(drawing.conv("input", (3,)), bits=8))


def rounded(rounding: Any, op: str) -> QuantizedNetwork:
    drawing = drawn()
    maps = [drawing.conv("input", (3,)), drawing.conv("input", (3,))]
    drawing.rounding = rounding
    if op == "add":
        return drawing.build(drawing.add(*maps))
    window = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
    return drawing.build(
        drawing.conv(maps[0], (2,)) if op == "conv" else drawing.average_pool(maps[0], **window)
    )


def averaged(**how: Any) -> QuantizedNetwork:
    drawing = drawn()
    border = (1, 1, 1, 1) if "inside" in how else (0, 0, 0, 0)
    window = {"kernel": (2, 2), "stride": (1, 1), "padding": border}
    return drawing.build(drawing.average_pool(drawing.conv("input", (3,)), **window, **how))


def without_weights() -> QuantizedNetwork:
    drawing = drawn()
    window = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
    return drawing.build(drawing.max_pool("input", **window))


def moved(op: str, shape: tuple[int, int, int], **how: Any) -> QuantizedNetwork:
    drawing = drawn()
    return drawing.build(drawing.moved(op, drawing.conv("input", (3,)), shape=shape, **how))


def scaled(**parameters: int) -> QuantizedNetwork:
    network = of_bits(8)
    given = network.parameters["conv_0"]
    changes = {key: getattr(given, key) * 0 + value for key, value in parameters.items()}
    return replace(network, parameters={"conv_0": replace(given, **changes)})


REFUSED: dict[str, tuple[Callable[[], QuantizedNetwork], str]] = {
    **{
        f"{bits} bits": (
            lambda bits=bits: of_bits(bits),
            "bits of the widest map must be a power of two that divides the bits of a flit (64),"
            f" got {bits} (drawn, pimsyn)",
        )
        for bits in (3, 6, 12)
    },
    **{
        f"{rounding} {op}": (
            lambda rounding=rounding, op=op: rounded(rounding, op),
            f"{op}_2.rounding must be half_up (`hwgen import --kernels half_up`), got {rounding}"
            " (drawn)",
        )
        for rounding in ("float32", "tflite")
        for op in ("conv", "add", "average_pool")
    },
    "product": (
        multiplied,
        "multiply_2 must be a convolution, fully connected layer, pooling, shortcut, addition,"
        " table or concatenation, got multiply (drawn)",
    ),
    "rescale": (
        rescaled,
        "rescale_1 must be a convolution, fully connected layer, pooling, shortcut, addition,"
        " table or concatenation, got rescale (drawn)",
    ),
    "mean of pixels inside": (
        lambda: averaged(inside=True),
        "average_pool_1 must be a mean of whole windows around the zero points, got inside (drawn)",
    ),
    "mean around a center": (
        lambda: averaged(center=10),
        "average_pool_1 must be a mean of whole windows around the zero points, got around 10"
        " (drawn)",
    ),
    "no weights": (
        without_weights,
        "layers must be at least one convolution or fully connected layer, got none (drawn)",
    ),
    "upsample": (
        lambda: moved("upsample", (8, 8, 3), factor=(2, 2), fill="repeat"),
        "the op of upsample_1 must be one that a crossbar chip computes, got upsample (drawn)",
    ),
    "transpose": (
        lambda: moved("transpose", (4, 3, 4), order=(0, 2, 1)),
        "the op of transpose_1 must be one that a crossbar chip computes, got transpose (drawn)",
    ),
    "reshape": (
        lambda: moved("reshape", (2, 8, 3)),
        "the op of reshape_1 must be one that a crossbar chip computes, got reshape (drawn)",
    ),
    "multiplier": (
        lambda: scaled(multiplier=1 << 16),
        "conv_0 must be multipliers of 16 bits, got 65536 (drawn)",
    ),
    "shift": (lambda: scaled(shift=48), "conv_0 must be shifts up to 47, got 48 (drawn)"),
}


@pytest.mark.promise(
    "what no crossbar chip runs of a quantized network is refused before the search, in the"
    " sentence of the build"
)
@pytest.mark.parametrize("case", REFUSED)
def test_networks(refusal: Ask, case: str) -> None:
    make, sentence = REFUSED[case]
    assert refusal(make()) == sentence


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "flit_bits: 64",
            "flit_bits: 128",
            "flit_bits must be 64, a beat of a program, got 128 (pimsyn)",
        ),
        (
            "flit_bits: 64",
            "flit_bits: 48",
            "flit_bits must be 64, a beat of a program, got 48 (pimsyn)",
        ),
        (
            "bus_bits: 1024",
            "bus_bits: 96",
            "bus_bits of a scratchpad must be a power of two, at least the bits of a flit (64),"
            " got 96 (drawn, pimsyn)",
        ),
    ],
)
def test_constants(refusal: Ask, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    text = COMPONENTS_FILE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "c.yaml").write_text(text.replace(old, new), encoding="utf-8")
    assert refusal(of_bits(8), tmp_path / "c.yaml") == sentence


def of_rates(rate: str, where: str) -> str:
    """Return the constants with other rates of the ADCs whose line begins in a way."""
    text = COMPONENTS_FILE.read_text(encoding="utf-8")
    found = re.sub(rf"({where}.*samples_per_ns: )[\d.]+", rf"\g<1>{rate}", text)
    assert found != text
    return found


def test_no_adc_whose_rate_is_built(refusal: Ask, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(of_rates("1.5", "bits: "), encoding="utf-8")
    assert refusal(of_bits(8), tmp_path / "c.yaml") == (
        "samples of an ADC in a clock must be a whole number, or at most one, got 1.5"
        " (pimsyn, 7 bits)"
    )


def test_an_adc_whose_rate_is_not_built_is_passed_over(tmp_path: Path) -> None:
    """The others are searched."""
    (tmp_path / "c.yaml").write_text(of_rates("1.28", "bits: 8,"), encoding="utf-8")
    save_network(of_bits(8), tmp_path / "net.npz")
    said = StringIO()
    request = Synthesize(
        network=str(tmp_path / "net.npz"), power_w=3.0, components=tmp_path / "c.yaml"
    )
    problem = problem_of(Context(work=tmp_path, console=Console(file=said)), request)
    assert said.getvalue() == (
        "an ADC is passed over: samples of an ADC in a clock must be a whole number, or at most"
        " one, got 1.28 (pimsyn, 8 bits)\n"
    )
    asked = {point.adc_bits for point in points(problem.components, STRICT)}
    assert asked == {point.adc_bits for point in points(COMPONENTS, STRICT)} - {8}
