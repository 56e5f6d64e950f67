"""The array of multipliers that is no memory: its products, and what a chip of it takes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Const, Module, signed
from hwgen_studies.dbpim_paper import mac_array, mac_chip
from hwgen_studies.dbpim_paper.mac_array import SUM_BITS, MacArray, Turner

from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.pages.physical import MEMORY_UM2, REGISTER_FILE_UM2
from hwgen.network.file import load_network
from hwgen.physical.read_library import default_library
from studies.tests.dbpim_paper import bench_mac_array
from studies.tests.dbpim_paper.test_area_race import cost_of
from verif.runner import Waves, build, run


@pytest.mark.promise(
    "an array of multipliers computes products of matrices as numpy does, at any gaps and stalls,"
    " sizes of 1 included, a step a cycle"
)
@pytest.mark.parametrize(
    ("rows", "columns", "gated"),
    [(1, 1, False), (1, 3, False), (3, 1, False), (4, 2, False), (4, 2, True), (1, 1, True)],
)
def test_products(
    rows: int, columns: int, gated: bool, tmp_path: Path, waves: Waves | None
) -> None:
    run(
        build(MacArray(rows=rows, columns=columns, gated=gated), waves=waves),
        module=bench_mac_array.__name__,
        folder=tmp_path,
        settings={bench_mac_array.ROWS: str(rows), bench_mac_array.COLUMNS: str(columns)},
    )


def one_way(patch: pytest.MonkeyPatch) -> None:
    """Turn no block: all move down."""
    move = Turner._move
    patch.setattr(Turner, "_move", lambda self, m, step, down: move(self, m, step, Const(1)))


def unsigned(patch: pytest.MonkeyPatch) -> None:
    """Take a weight below zero for one above."""
    patch.setattr(mac_array, "signed", lambda bits: signed(bits) if bits == SUM_BITS else bits)


def never_waits(patch: pytest.MonkeyPatch) -> None:
    """Keep sums while those before have not left."""
    place = MacArray._place

    def placed(self: MacArray, m: Module, *given: Any, **named: Any) -> None:
        pixels, step, live, shift = given
        place(self, m, pixels, step, live | step.last, shift, **named)

    patch.setattr(MacArray, "_place", placed)


def adds_old_factors(patch: pytest.MonkeyPatch) -> None:
    """Multiply what a register holds where the factor is zero."""
    place = MacArray._place

    def placed(self: MacArray, m: Module, *given: Any, zeros: Any) -> None:
        place(self, m, *given, zeros=(Const(0, self._rows), Const(0, self._columns)))

    patch.setattr(MacArray, "_place", placed)


@pytest.mark.promise("an array that holds still on zeros and adds the factor before is seen")
def test_a_held_factor_is_not_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adds_old_factors(monkeypatch)
    with pytest.raises(AssertionError, match="products_are_those_of_numpy"):
        run(
            build(MacArray(rows=4, columns=2, gated=True)),
            module=bench_mac_array.__name__,
            folder=tmp_path,
            settings={bench_mac_array.ROWS: "4", bench_mac_array.COLUMNS: "2"},
        )


@pytest.mark.promise("an array of multipliers with a fault is seen")
@pytest.mark.parametrize("plant", [one_way, unsigned, never_waits])
def test_planted_faults_are_seen(
    plant: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="products_are_those_of_numpy"):
        run(
            build(MacArray(rows=4, columns=2)),
            module=bench_mac_array.__name__,
            folder=tmp_path,
            settings={bench_mac_array.ROWS: "4", bench_mac_array.COLUMNS: "2"},
        )


ROOT = Path(__file__).parents[3]
RESNET20 = load_network(ROOT / "configs/networks/cifar10_resnet20_50.npz")
ARCH = load_arch(ROOT / "configs/dbpim/best_dense.yaml")
STEPS = (
    (16 * 9 * 16)  # 1024 pixels in 16 groups of 64, nine taps, three channels of a word of 16
    + 6 * (16 * 9 * 16)
    + 2 * (4 * 9 * 16)  # two tiles of 16 filters
    + 5 * 2 * (4 * 9 * 32)
    + 4 * (9 * 32)
    + 5 * 4 * (9 * 64)
    + 64
)
"""Of ResNet20 on four arrays, by hand."""
TAILS = 20 * (2 * 16 + 5) + (8 * 8 * 64 // 16 // 4 + 2 * 16 + 5)
"""Of 20 layers with weights, and the pool."""


def test_steps_and_cycles_by_hand() -> None:
    """Through a port of 64 bytes no weights are waited for but the first."""
    assert sum(steps for steps, _ in mac_chip.layers_of(RESNET20, ARCH)) == STEPS
    wide = replace(ARCH, port_bits=512, memory_latency_cycles=100)
    begins = 100 + 32 * 32 * 3 // 64 + -(-27 * 16 // 64)
    assert mac_chip.cycles_of(RESNET20, wide) == begins + STEPS + TAILS
    own = mac_chip.cycles_of(RESNET20, ARCH)
    assert begins + STEPS + TAILS < own < 1.02 * (STEPS + TAILS)


@pytest.mark.promise("a bound from below has what plain arrays take that skip groups of zeros")
def test_steps_with_a_weight_by_hand() -> None:
    """Each layer alone: rows of 16 filters at a tap and a channel with any weight."""
    by_hand = 0
    for layer in RESNET20.layers:
        if layer.name not in RESNET20.parameters:
            continue
        weights = RESNET20.parameters[layer.name].weights
        height, width, _ = layer.output.shape
        groups = max(1, height * width // 64)
        for first in range(0, len(weights), 16):
            tile = abs(weights[first : first + 16].astype(int)).sum(axis=0)
            by_hand += groups * int((tile > 0).sum())
    assert mac_chip.steps_of_weights(RESNET20, ARCH) == by_hand
    # Half of the blocks of 8 filters are pruned: a quarter of the rows of 16, and more.
    assert 0.5 * STEPS < by_hand < 0.75 * STEPS


def test_loading_bounds_a_narrow_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte a cycle: all weights and the image pass it, whatever the arrays do beside."""
    monkeypatch.setattr(mac_chip, "BYTE", ARCH.port_bits)
    weights = sum(each.weights.size for each in RESNET20.parameters.values())
    least = weights + 32 * 32 * 3
    assert least < mac_chip.cycles_of(RESNET20, ARCH) < least + STEPS


@pytest.mark.dear
@pytest.mark.promise(
    "the chip that is no PIM has the netlist of its arrays, and memory for weights"
)
def test_areas_are_of_the_netlist_and_of_as_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an open library: an array is its cells, turner and registers; the loader bounds it."""
    monkeypatch.setattr(mac_chip, "SIDE", 2)
    cost = cost_of("best_dense")
    found = mac_chip.mac_chip(RESNET20, ARCH, cost, default_library())
    cells = 4 * 16 * 16 * 64 * 4
    assert found.weights_mm2 == pytest.approx(cells * MEMORY_UM2["activation_bank"] / 1e6)
    assert found.rest_mm2 == pytest.approx(2 * 3000 / 1e6)
    um2, ns = mac_chip.array_cost(default_library())
    assert (found.arrays_mm2, found.array_ns) == (pytest.approx(4 * um2 / 1e6), ns)
    assert found.ns == max(3.0, ns)
    assert found.area_mm2 == found.arrays_mm2 + found.weights_mm2 + found.rest_mm2
    monkeypatch.setattr(mac_chip, "SIDE", 1)
    one, _ = mac_chip.array_cost(default_library())
    # Four cells for one, and what steers them once.
    assert 2 * one < um2 < 4 * one


def test_a_module_has_gates_buffers_and_memories() -> None:
    macro, loader = cost_of("best_dense").modules
    assert mac_chip.is_of_macros(macro) and not mac_chip.is_of_macros(loader)
    stored = replace(loader, buffers_um2=10.0, memory_bits=100)
    assert mac_chip.module_um2(stored) == 2 * (3010 + 100 * REGISTER_FILE_UM2)
