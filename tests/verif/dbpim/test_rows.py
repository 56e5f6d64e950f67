"""Softmax and layer norm, whole on RTL: every element, step, cycle and event."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.chip.sim.host import run_chip
from hwgen.chip.trouble import Trouble
from hwgen.data.load import load_dataset
from hwgen.dbpim.compiler import unstored
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import ErrorCode
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.stream import FloatsPacket, decode_stream
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.sim import simulate
from hwgen.dbpim.sim.chip_run import hosted
from hwgen.dbpim.sim.simulate import job_of
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import load_network
from tests.verif.dbpim.chips import CONFIGS, check_chip, check_values, chip_arch, compiled
from verif.common.drawing import Drawing, draw_images
from verif.dbpim.random_network import Recipe, draw_row_recipe, random_images, random_network


def softmax_network(seed: int) -> QuantizedNetwork:
    """Return a convolution and a softmax, whose last word is not full."""
    drawing = Drawing(seed, modes=("all",), shape=(3, 5, 5))
    drawing.rounding = "float32"
    return drawing.build(drawing.softmax(drawing.conv(INPUT, (20,)), groups=1, scale=0.05))


def norm_network(seed: int) -> QuantizedNetwork:
    """Return a norm and a softmax of two groups between convolutions."""
    drawing = Drawing(seed, modes=("all",), shape=(5, 3, 5))
    drawing.rounding = "float32"
    now = drawing.layer_norm(drawing.conv(INPUT, (24,), kernel=(2, 1)))
    now = drawing.softmax(drawing.conv(now, (32,)), groups=2, scale=(0.02, 0.3)[seed % 2])
    return drawing.build(drawing.conv(now, (9,)))


def rms_network(seed: int) -> QuantizedNetwork:
    """Return norms without a mean in front of one with a mean, and behind it."""
    drawing = Drawing(seed, modes=("all",), shape=(4, 5, 5))
    drawing.rounding = "float32"
    now = drawing.layer_norm(drawing.conv(INPUT, (16,)), order="rms")
    now = drawing.layer_norm(drawing.layer_norm(now), order="rms")
    return drawing.build(drawing.conv(now, (9,)))


def heads_network(seed: int) -> QuantizedNetwork:
    """Return norms of each head, as of queries and keys, with a mean and without one.

    Heads of one word of channels, of two or of three; for some seeds of one pixel.
    """
    drawing = Drawing(seed, modes=("all",), shape=((1, 1, 5), (3, 4, 5))[seed % 2])
    drawing.rounding = "float32"
    heads, width = 2 + seed % 3, 8 * (1 + seed // 2 % 3)
    now = drawing.conv(INPUT, (heads * width,))
    now = drawing.layer_norm(drawing.layer_norm(now, heads=heads), order="rms", heads=heads)
    return drawing.build(drawing.conv(now, (9,)))


NETWORKS = {"softmax": softmax_network, "norm": norm_network, "rms": rms_network}


def check(name: str, folder: Path, *, seed: int) -> None:
    """Compare a network on the small chip with golden and the model."""
    net = (NETWORKS | {"heads": heads_network})[name](seed)
    arch = replace(chip_arch("small_rows"), memory_latency_cycles=20 + 7 * (seed % 2))
    check_chip(net, arch, draw_images(net, 2, seed=seed), folder, batch=1 + seed % 2)


def transformer() -> QuantizedNetwork:
    """Return a small transformer: an embedding, attention, a norm and a head."""
    kinds = ("embedding", "attention", "layer_norm")
    recipe = Recipe(height=4, width=4, channels=3, kinds=kinds, filters=(8, 16))
    return random_network(recipe, seed=3)


@cache
def given(name: str) -> tuple[Arch, QuantizedNetwork, Program, np.ndarray]:
    """Return chip, network, program of one image, and two images."""
    arch = chip_arch("small_rows")
    if name == "drawn":
        net = transformer()
        return arch, net, compiled(net, arch), random_images(net, 2, seed=5)
    net = load_network(CONFIGS / "networks" / f"{name}.npz")
    return arch, net, compiled(net, arch), load_dataset("digits").test_images[:1]


def test_a_shipped_transformer(tmp_path: Path) -> None:
    net = load_network(CONFIGS / "networks" / "digits_vit.npz")
    check_chip(net, chip_arch("small_rows"), draw_images(net, 1, seed=0), tmp_path)


@pytest.mark.long
def test_the_compact_transformer_on_the_papers_size(tmp_path: Path) -> None:
    """Of 50 % pruned blocks; against the dense chip with the same unit."""
    net = load_network(CONFIGS / "networks" / "cifar10_cct.npz")
    images = np.load(CONFIGS / "images" / "cifar10.npz")["images"][:1]
    cycles = {}
    for sparsity in ("all", "none"):
        arch = chip_arch("paper_rows", sparsity)
        program = compiled(net, arch)
        cycles[sparsity] = CycleModel(program, arch).predict(infer(net, images)).cycles
    assert cycles["all"] <= 22_000 and cycles["none"] >= 3.3 * cycles["all"]
    check_chip(net, chip_arch("paper_rows"), images, tmp_path)


@pytest.mark.dear("softmax")
@pytest.mark.promise(
    "networks with softmax and layer norm run whole in RTL, every element, step, cycle and"
    " event equal"
)
@pytest.mark.parametrize("name", NETWORKS)
def test_rows_between_convolutions(name: str, tmp_path: Path) -> None:
    check(name, tmp_path, seed=2)


@pytest.mark.promise("norms of each head of a pixel run whole in RTL, too")
@pytest.mark.parametrize("seed", [2, 5])
def test_norms_of_heads(seed: int, tmp_path: Path) -> None:
    check("heads", tmp_path, seed=seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 13))
@pytest.mark.parametrize("name", NETWORKS)
def test_more_rows(name: str, seed: int, tmp_path: Path) -> None:
    check(name, tmp_path, seed=seed)


def check_random(seed: int, folder: Path) -> None:
    """Compare a random network with softmax, layer norm, products or constants."""
    net = random_network(draw_row_recipe(seed), seed=seed)
    arch = chip_arch("small_rows", ["all", "none"][seed % 2], latency=1 + 9 * seed)
    check_chip(net, arch, random_images(net, 2, seed=seed), folder, batch=1 + seed % 3 % 2)


@pytest.mark.dear
@pytest.mark.promise(
    "so are random networks that have products, softmax, layer norm and constants between other"
    " layers"
)
def test_a_random_network(tmp_path: Path) -> None:
    check_random(22, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(60))
def test_random_networks(seed: int, tmp_path: Path) -> None:
    check_random(seed, tmp_path)


@pytest.mark.dear("drawn-1-90")
@pytest.mark.promise("a slow memory and an error of its bus change no value of a transformer")
@pytest.mark.parametrize(
    ("name", "latency", "stall"),
    [
        ("drawn", 333, 0),
        ("drawn", 1, 90),
        *(
            pytest.param("digits_vit", latency, stall, marks=pytest.mark.long)
            for latency, stall in ((333, 0), (1, 90), (97, 30))
        ),
    ],
)
def test_a_slow_memory_changes_no_value(name: str, latency: int, stall: int) -> None:
    """Without stalls the cycles are the model's too; with them they are at least these."""
    arch, net, program, images = given(name)
    arch, images = replace(arch, memory_latency_cycles=latency), images[:1]
    want = infer(net, images)
    least = CycleModel(program, arch).predict(want).cycles
    trouble = Trouble(stall=stall, seed=latency + stall)
    (found,) = simulate(arch, program, images, trouble=trouble, seed=latency + stall)
    where, missing = f"latency {latency}, stall {stall}", unstored(net, program, arch)
    check_values(found, net, {key: of.tolist() for key, of in want.items()}, where, missing)
    assert found.cycles > least if stall else found.cycles == least


@pytest.mark.dear
def test_an_error_of_the_bus_stops_a_transformer(tmp_path: Path) -> None:
    """In the floats of a layer, and in the first of two answers: the second one is right."""
    arch, net, program, images = given("drawn")
    what = job_of(arch, program, images, trouble=Trouble())
    floats = [each for each in decode_stream(program.image, arch) if isinstance(each, FloatsPacket)]
    middle = floats[-1].offset + floats[-1].numbers.nbytes // 2
    wrong = replace(what, trouble=Trouble(error_address=what.addresses["program"] + middle))
    for stopped in run_chip(wrong.work(), hosted(arch), tmp_path):
        assert (stopped.done, stopped.error) == (False, ErrorCode.READ_ERROR)
    wrong = replace(what, trouble=Trouble(error_address=what.addresses["answers"]))
    first, second = run_chip(wrong.work(), hosted(arch), tmp_path)
    assert (first.done, first.error) == (False, ErrorCode.WRITE_ERROR)
    assert second.done
    assert second.answer.tobytes() == infer(net, images)[net.answer][1].astype("<i4").tobytes()
