"""Predicted cycles: sums of published latencies where a person can add them up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.instructions import PACKETS, Opcode
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.stream import decode_stream
from hwgen.dbpim.facts.timing import DISPATCH_CYCLES, FETCH_CYCLES, REQUEST_CYCLES
from hwgen.dbpim.model import CycleModel, Prediction
from hwgen.errors import SimulationError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network

CONFIGS = Path(__file__).parents[3] / "configs"
NETWORK = load_network(CONFIGS / "networks" / "digits_small_cnn.npz")
IMAGE = np.random.default_rng(3).integers(0, 256, (1, 8, 8, 1)).astype(np.uint8)
MAPS = infer(NETWORK, IMAGE)


def arch(name: str = "small", **changes: int) -> Arch:
    return replace(load_arch(CONFIGS / "dbpim" / f"{name}.yaml"), **changes)


def predict(chip: Arch, network: QuantizedNetwork = NETWORK) -> Prediction:
    return CycleModel(compile_network(network, chip), chip).predict(MAPS)


@pytest.mark.promise("layers add up to the total, and published latencies to a layer")
def test_layers_add_up() -> None:
    found = predict(arch())
    assert sum(layer.cycles for layer in found.found) == found.cycles
    assert found.compute + found.load == found.cycles


@pytest.mark.parametrize("name", ["single", "small", "small_rows"])
def test_a_pool_takes_its_parts_and_the_published_latencies(name: str) -> None:
    pool = next(layer for layer in NETWORK.layers if layer.op == "max_pool")
    height, width, channels = pool.output.shape
    chip = arch(name, cores=1)
    words = -(-channels // chip.macro.compartments)
    vectors = height * width // chip.macros_per_core
    parts = vectors * words * chip.simd_parts * pool.kernel[0] * pool.kernel[1]
    # At stride 2 the positions of a vector read the same bank, one after the other.
    first_word, retire_after_write = chip.macros_per_core - 1, 1
    found = {layer.name: layer.cycles for layer in predict(chip).found}
    latencies = DISPATCH_CYCLES + REQUEST_CYCLES + FETCH_CYCLES + chip.simd_cycles
    wanted = parts + latencies + first_word + retire_after_write
    assert found[pool.name] == wanted


def test_latency_of_the_memory_counts_once_for_begin_and_once_for_the_image() -> None:
    fast, slow = (
        predict(arch(memory_latency_cycles=latency)).found[0].cycles for latency in (10, 30)
    )
    assert slow - fast == 2 * (30 - 10)


def test_each_switch_helps_and_all_together_help_most() -> None:
    cycles = {
        switches: predict(with_sparsity(arch(), switches)).cycles
        for switches in ("none", "weight_bits", "weight_values", "input_bits", "all")
    }
    assert max(cycles, key=cycles.__getitem__) == "none"
    assert min(cycles, key=cycles.__getitem__) == "all"


@pytest.mark.promise(
    "causes cover every cell in every cycle; cells without a position, an input or a filter are"
    " not busy, in a second walk either"
)
def test_causes_cover_every_cell_from_retirement_to_retirement() -> None:
    chip = arch()
    cells = chip.cores * chip.macros_per_core * chip.macro.compartments * chip.macro.columns
    found = {layer.layer: layer for layer in predict(chip).found}
    for layer in NETWORK.layers:
        if layer.name == "conv3":
            # It is fused with the residual addition.
            continue
        spent = found[layer.name]
        assert spent.around is None
        assert sum(spent.causes.values()) == cells * spent.cycles, layer.name


@pytest.mark.promise("a program that would stand still is an error")
def test_a_stream_whose_last_tile_is_missing_stands_still() -> None:
    chip = arch()
    program = compile_network(NETWORK, chip)
    model = CycleModel(without_last_group(program), chip)
    with pytest.raises(SimulationError, match="stands still"):
        model.predict(MAPS)


def without_last_group(program: Program) -> Program:
    """Return the program with `last_group` cleared in its last tile, so that a core waits."""
    chip = arch()
    last = [p for p in decode_stream(program.image, chip) if p.opcode is Opcode.TILE][-1]
    bit = 0
    for field in PACKETS[Opcode.TILE]:
        if field.name == "last_group":
            break
        bit += field.bits
    image = program.image.copy()
    image[last.offset + bit // 8] &= 0xFF ^ (1 << bit % 8)
    return replace(program, image=image)
