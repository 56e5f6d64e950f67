"""Programs do what golden says: the stream, executed in plain numpy, gives every map."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.facts import check_match
from hwgen.dbpim.facts.arch import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.program import Program
from hwgen.errors import CompileError, RefusedNodesError
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import load_network
from tests.dbpim.compiler import executor
from tests.dbpim.compiler.archs import CONFIGS, SMALL, TINY, draw_arch
from tests.dbpim.compiler.executor import Execution, ExecutionError, execute
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.known_networks import KNOWN, known_network
from verif.dbpim.random_network import draw_recipe, random_images, random_network

DIGITS = load_network(Path("configs/networks/digits_small_cnn.npz"))
RESNET20 = load_network(Path("configs/networks/digits_resnet20.npz"))
SWITCHES = ["all", "none", "weight_bits", "weight_values", "input_bits"]
CHIPS = sorted(path.stem for path in CONFIGS.glob("*.yaml") if not path.stem.startswith("best_"))
"""Those that ship; the best ones of a search, some of four bits, have tests of their own."""
FEW = ("paper_published", "single", "small_rows_tflite", "tiny")
"""With which `scripts/test` is content."""
PAPER = load_arch(CONFIGS / "paper.yaml")


def check(
    network: QuantizedNetwork, arch: Arch, *, images: int = 1, seed: int = 1
) -> tuple[Program, Execution]:
    """Compile, execute, and compare every map and every answer with golden."""
    program = compile_network(network, arch, images=images)
    given = random_images(network, images, seed=seed)
    found = execute(program, arch, given, seed=seed)
    wanted = infer(network, given)
    np.testing.assert_array_equal(found.answers, wanted[network.answer])
    loads = [step for step in program.facts.steps if (step.kind, step.layer) == ("load", INPUT)]
    hidden = {name for step in program.facts.steps for name in step.fused}
    hidden |= {layer.name for layer in network.layers if layer.op == "constant"}
    hidden |= set() if all(step.whole_words for step in loads) else {INPUT}
    assert set(found.maps) | hidden == set(wanted)
    for name, values in found.maps.items():
        np.testing.assert_array_equal(values, wanted[name], name)
    return program, found


@pytest.mark.dear("small_rows")
@pytest.mark.promise(
    "the stream, executed in plain numpy, gives every map of golden, each byte once"
)
@pytest.mark.parametrize("config", CHIPS)
def test_digits_on_every_chip(config: str) -> None:
    arch = load_arch(CONFIGS / f"{config}.yaml")
    check(DIGITS, with_sparsity(arch, "none"))
    if arch.sparse_parts:
        check(DIGITS, with_sparsity(arch, "all"))


@pytest.mark.parametrize("switches", SWITCHES)
def test_digits_with_each_switch(switches: str) -> None:
    check(DIGITS, with_sparsity(SMALL, switches), seed=2)


@pytest.mark.parametrize("config", ["tiny", "small", "paper"])
def test_digits_resnet20(config: str) -> None:
    check(RESNET20, load_arch(CONFIGS / f"{config}.yaml"))


@pytest.mark.dear("small-2")
@pytest.mark.promise("a run of several images gives the maps of each")
@pytest.mark.parametrize("images", [2, 3, 5])
@pytest.mark.parametrize("config", CHIPS)
def test_digits_of_several_images(config: str, images: int) -> None:
    check(DIGITS, load_arch(CONFIGS / f"{config}.yaml"), images=images)


@pytest.mark.dear
def test_sixteen_images() -> None:
    check(RESNET20, PAPER, images=16)


@pytest.mark.promise(
    "digits 3 and 4 of a filter are further tiles over the inputs that have some, of any"
    " network and any stream"
)
@pytest.mark.parametrize(
    "config",
    [each if each in FEW else pytest.param(each, marks=pytest.mark.dear) for each in CHIPS],
)
@pytest.mark.parametrize("name", DIRECTED)
def test_directed(name: str, config: str) -> None:
    check(directed(name), load_arch(CONFIGS / f"{config}.yaml"), seed=3)


@pytest.mark.dear("head_alone")
@pytest.mark.parametrize("name", DIRECTED)
def test_directed_of_several_images(name: str) -> None:
    check(directed(name), TINY, images=3, seed=4)


def check_drawn(seed: int) -> None:
    """Check a random network on a random chip with up to four images."""
    network = random_network(draw_recipe(seed), seed=seed)
    try:
        check(network, draw_arch(seed), images=1 + seed % 4, seed=seed)
    except (CompileError, RefusedNodesError) as error:
        # Answers of bytes and spilled maps leave through the logit buffer, pixel by pixel.
        assert "must fit the logit buffer" in str(error)


@pytest.mark.dear("12")
@pytest.mark.parametrize("seed", range(40))
def test_random(seed: int) -> None:
    check_drawn(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40, 400))
def test_many_random(seed: int) -> None:
    check_drawn(seed)


@pytest.mark.dear("resnet20")
@pytest.mark.parametrize("name", KNOWN)
def test_narrow_known(name: str) -> None:
    """The shapes of the six networks with a quarter of the channels."""
    check(known_network(name, width=0.25), PAPER)


@pytest.mark.long
@pytest.mark.parametrize("switches", ["all", "none"])
@pytest.mark.parametrize("name", KNOWN)
def test_known(name: str, switches: str) -> None:
    check(known_network(name), with_sparsity(PAPER, switches))


@pytest.mark.long
@pytest.mark.parametrize("name", ["resnet20", "mobilenetv2"])
def test_known_of_sixteen_images(name: str) -> None:
    check(known_network(name), PAPER, images=16)


def test_programs_of_another_memory_run_on_every_chip_of_the_digest() -> None:
    """The latency may change the split of a layer, never what a chip computes or accepts."""
    near, far = (replace(TINY, memory_latency_cycles=cycles) for cycles in (10, 100))
    assert near.digest == far.digest
    images = random_images(DIGITS, 1, seed=5)
    wanted = infer(DIGITS, images)
    for arch in (near, far):
        program = compile_network(DIGITS, arch)
        check_match(program, near, DIGITS)
        np.testing.assert_array_equal(execute(program, near, images).answers, wanted[DIGITS.answer])


@pytest.mark.parametrize(
    "change", [{"name": "other"}, {"clock_mhz": 1.0}, {"memory_latency_cycles": 7}]
)
def test_the_digest_leaves_out_what_no_chip_is_made_of(change: dict[str, Any]) -> None:
    assert replace(TINY, **change).digest == TINY.digest


@pytest.mark.parametrize(
    "field", ["cores", "queue_depth", "tile_rows", "port_bits", "psum_entries"]
)
def test_the_digest_covers_the_sizes(field: str) -> None:
    value = getattr(SMALL, field)
    changed = value // 2 if field != "port_bits" else 2 * value
    assert replace(SMALL, **{field: changed}).digest != SMALL.digest


def test_cores_that_take_other_positions_have_no_common_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packets = executor.decode_stream(compile_network(DIGITS, SMALL).image, SMALL)
    monkeypatch.setattr(executor, "decode_stream", lambda image, arch: packets)
    program, shared = compile_network(DIGITS, SMALL), replace(SMALL, input_streams="shared")
    with pytest.raises(ExecutionError, match="core 1 meets other words than core 0 reads"):
        execute(program, shared, random_images(DIGITS, 1, seed=1))
