"""Where the cycles go, against a walk over weights and maps that knows no program."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.timing import (
    DISPATCH_CYCLES,
    FETCH_CYCLES,
    REQUEST_CYCLES,
    SIMD_CYCLES,
)
from hwgen.dbpim.model import CycleModel, bound_of, where_cycles_go
from hwgen.dbpim.model.prediction import Prediction, StepCycles, prediction_of, utilization
from hwgen.network import INPUT, Conv, Linear, QuantizedNetwork
from hwgen.network.sparsity import ALPHA
from verif.dbpim.component import of_four_bits
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import Recipe, random_images, random_network
from verif.reference.dbpim.csd import csd, phi

CONFIGS = Path(__file__).parents[3] / "configs" / "dbpim"
SMALL_CELLS = 8 * 16


def chip(name: str, **changes: int) -> Arch:
    return replace(load_arch(CONFIGS / f"{name}.yaml"), **changes)


def predict(network: QuantizedNetwork, arch: Arch, images: np.ndarray) -> dict[str, StepCycles]:
    maps = infer(network, images)
    found = CycleModel(compile_network(network, arch), arch).predict(maps)
    causes = where_cycles_go(found)
    assert sum(causes.values()) == pytest.approx(found.cycles)
    return {name: merged(name, found.found) for name in (step.layer for step in found.found)}


def merged(layer: str, steps: Sequence[StepCycles]) -> StepCycles:
    """Return the steps of a layer as one."""
    own = [step for step in steps if step.layer == layer]
    own = [step for step in own if step.around is None] or own
    causes: Counter[str] = Counter()
    for step in own:
        causes.update(step.causes)
    return StepCycles(
        name=layer,
        layer=layer,
        around=own[0].around,
        cycles=sum(step.cycles for step in own),
        causes=causes,
        effective=sum(step.effective for step in own),
        events={},
    )


def seen_inputs(network: QuantizedNetwork, layer: Conv | Linear, source: np.ndarray) -> np.ndarray:
    """Return the inputs of each output position, (positions, k), k over (kh, kw, c)."""
    if isinstance(layer, Linear):
        return source.reshape(1, -1)
    border, stride = layer.padding[0], layer.stride[0]
    padded = np.pad(
        source,
        ((border, border), (border, border), (0, 0)),
        constant_values=network.map_of(layer.inputs[0]).quantization[0].zero_point,
    )
    return np.array(
        [
            padded[y : y + layer.kernel[0], x : x + layer.kernel[1]].ravel()
            for y in range(0, layer.output.height * stride, stride)
            for x in range(0, layer.output.width * stride, stride)
        ]
    )


def cell_columns_of(weights: np.ndarray, arch: Arch) -> int:
    """Return the cell columns that a filter uses; weights: those of its unpruned blocks."""
    if not arch.sparsity.weight_bits:
        return arch.macro.weight_bits
    digits = set(phi(weights).tolist())
    return 2 if digits == {0, 1} else max(digits, default=0)


def digits_of(weights: np.ndarray, arch: Arch) -> np.ndarray:
    """Return the non-zero digits of each weight, as the cells of this chip hold it."""
    if arch.sparsity.weight_bits:
        return phi(weights)
    every_bit = (1 << arch.macro.weight_bits) - 1
    return np.vectorize(lambda weight: (int(weight) & every_bit).bit_count())(weights)


def missing_positions(height: int, width: int, arch: Arch) -> int:
    """Return the positions that the vectors of a map have too many: M in a row, or 2 x M/2."""
    macros = arch.macros_per_core
    patch = macros >= 2 and width <= macros // 2
    rows, columns = (2, macros // 2) if patch else (1, macros)
    return macros * -(-height // rows) * -(-width // columns) - height * width


def walks(weights: np.ndarray, arch: Arch) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the filters of each group with what is added of them, and the inputs walked for it."""
    digits = csd(weights)
    lower = np.cumsum((digits != 0)[..., ::-1], axis=-1)[..., ::-1] > 2
    rest = (digits * lower) @ (1 << np.arange(8))
    if not arch.sparsity.weight_bits:
        rest[:] = 0
    for first in range(0, len(weights), arch.filters):
        block = weights[first // ALPHA * ALPHA :][:ALPHA]
        group = slice(first, first + arch.filters)
        chosen = np.arange(weights.shape[1])
        if arch.sparsity.weight_values:
            chosen = np.flatnonzero(block.any(axis=0))
        yield weights[group] - rest[group], chosen
        if rest[group].any():
            yield rest[group], np.flatnonzero(rest[group].any(axis=0))


def walk(weights: np.ndarray, seen: np.ndarray, arch: Arch, *, missing: int) -> dict[str, int]:
    """Return cells by cause: a group of filters, a row of weights and a position at a time."""
    slots, columns, skip = arch.macro.compartments, arch.macro.columns, arch.sparsity.input_bits
    found = dict.fromkeys(("busy", "empty", "absent", "inactive", "effective"), 0)
    for group, walked in walks(weights, arch):
        used = sum(cell_columns_of(each[walked], arch) for each in group)
        chosen = walked if len(walked) else np.array([0])
        for start in range(0, len(chosen), slots):
            row = chosen[start : start + slots]
            cycles = sum(
                max(1, int(np.bitwise_or.reduce(position[row])).bit_count()) if skip else 8
                for position in seen
            )
            found["busy"] += cycles * len(row) * used
            found["absent"] += cycles * len(row) * (columns - used)
            found["empty"] += cycles * (slots - len(row)) * columns
            found["effective"] += cycles * int(digits_of(group[:, row], arch).sum())
            found["inactive"] += missing * (1 if skip else 8) * slots * columns
    return found


@pytest.mark.promise(
    "causes cover every cell in every cycle; cells without a position, an input or a filter are"
    " not busy, in a second walk either"
)
@pytest.mark.parametrize("switches", ["all", "none", "weight_bits,input_bits", "weight_values"])
@pytest.mark.parametrize(
    ("name", "seed", "digits"), [("tiny", 1, 2), ("small", 2, 2), ("wide", 3, 2), ("small", 2, 4)]
)
def test_cells_are_those_of_a_walk(name: str, seed: int, digits: int, switches: str) -> None:
    check_cells(with_sparsity(chip(name), switches), seed=seed, digits=digits)


@pytest.mark.parametrize("switches", ["none", "weight_values,input_bits"])
def test_cells_of_four_bits_are_those_of_a_walk(switches: str) -> None:
    check_cells(with_sparsity(of_four_bits(chip("small")), switches), seed=2, digits=4)


def check_cells(arch: Arch, *, seed: int, digits: int) -> None:
    """Compare the cells of a random network, by cause, with those of a walk by hand."""
    recipe = Recipe(
        height=5,
        width=7,
        filters=(5, 8, 13, 20),
        channels=3,
        empty_share=0.5,
        max_digits=digits,
        weight_bits=arch.macro.weight_bits,
    )
    network = random_network(recipe, seed=seed)
    images = random_images(network, 1, seed=seed)
    layers, maps = predict(network, arch, images), infer(network, images)
    # A convolution with a fused addition counts under the name of the addition.
    plans = compile_network(network, arch).facts.steps
    fused = {name: plan.layer for plan in plans for name in plan.fused}
    size = arch.macro
    every_cell = arch.cores * arch.macros_per_core * size.compartments * size.columns
    for layer in network.layers:
        if layer.name in fused.values():
            continue
        found = layers[fused.get(layer.name, layer.name)]
        assert sum(found.causes.values()) == found.cycles * every_cell
        assert min(found.causes.values()) >= 0
        if not isinstance(layer, Conv | Linear):
            assert found.effective == 0
            assert utilization([found]) is None
            continue
        weights = network.parameters[layer.name].weights
        seen = seen_inputs(network, layer, maps[layer.inputs[0]][0])
        missing = missing_positions(*layer.output.shape[:2], arch)
        wanted = walk(weights.reshape(len(weights), -1), seen, arch, missing=missing)
        causes = found.causes
        assert causes["simd"] == 0
        assert {
            "busy": causes["busy"],
            "empty": causes["empty_slots"],
            "absent": causes["absent_filters"],
            "inactive": causes["inactive_positions"],
            "effective": found.effective,
        } == wanted, f"{layer.name}, seed {seed}"
        effective = wanted.pop("effective")
        assert utilization([found]) == effective / sum(wanted.values())


def small_layer() -> tuple[QuantizedNetwork, np.ndarray]:
    """Return a network of a 1 x 1 layer, 3 channels to 5 of phi 2, and an image of 3 pixels."""
    net = NetworkBuilder(name="by hand", shape=(1, 3, 3), seed=1)
    now = net.conv(INPUT, np.full((5, 3), 3, np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 15), 3, np.int8), head=True)
    return net.build(), np.full((1, 1, 3, 3), 0b101, np.uint8)


@pytest.mark.promise(
    "utilization of the cells is the share of the active ones that do effective work"
)
def test_a_layer_by_hand() -> None:
    """Three positions on macros in pairs: the fourth macro has none.

    A row of 8 x 16 cells holds 3 inputs of 5 filters with 2 columns each: 30 cells of 3 = 4 - 1.
    Inputs of 0b101 take two bit planes, so the row is active in 3 x 2 cycles with a position
    and in one, on zeros, without. All macros wait 25 cycles for the row of 7 beats; dispatch,
    request and retirement are none of them.
    """
    network, image = small_layer()
    layer = predict(network, chip("small"), image)["conv_0"]
    cells = [layer.causes[name] for name in ("busy", "absent_filters", "empty_slots")]
    assert cells == [6 * 3 * 10, 6 * 3 * 6, 6 * 5 * 16]
    assert layer.causes["inactive_positions"] == SMALL_CELLS
    assert layer.causes["load"] == 25 * 4 * SMALL_CELLS
    assert utilization([layer]) == 180 / (7 * SMALL_CELLS)


def test_weights_of_fewer_digits_than_columns_leave_cells_without_effect() -> None:
    """2 = 1 + 1 fills two cells and is one digit, 0 = 1 - 1 fills two and is none."""
    net = NetworkBuilder(name="loose", shape=(1, 2, 3), seed=1)
    now = net.conv(INPUT, np.array([[3, 2, 0]], np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 2), 3, np.int8), head=True)
    arch = with_sparsity(chip("small"), "weight_bits,input_bits")
    layer = predict(net.build(), arch, np.full((1, 1, 2, 3), 1, np.uint8))["conv_0"]
    assert layer.causes["busy"] == 2 * 3 * 2
    assert layer.effective == 2 * (2 + 1 + 0)


def wide_network() -> QuantizedNetwork:
    """Return a 1 x 1 layer of one row and a product, both with more results than the bus takes."""
    net = NetworkBuilder(name="bus", shape=(8, 8, 8), seed=1)
    now = net.conv(INPUT, np.full((8, 8), 3, np.int8), kernel=(1, 1), padding=0)
    now = net.multiply(now, INPUT)
    net.linear(now, np.full((2, 8 * 8 * 8), 3, np.int8), head=True)
    return net.build()


@pytest.mark.promise("waiting for the write bus has its own cause")
def test_only_results_that_other_cores_read_wait_for_the_bus() -> None:
    """Each core multiplies what it has convolved; every core of the head needs all products."""
    arch = chip("wide", switch_rate=8, bus_words=1)
    steps = predict(wide_network(), arch, np.ones((1, 8, 8, 8), np.uint8))
    conv, product = steps["conv_0"], steps["multiply_1"]
    assert conv.cycles < 64
    assert conv.causes["write_bus"] == 0
    assert conv.causes["output"] > 0
    # The bus takes one of the 64 words a cycle, and the units wait for it.
    assert 64 <= product.cycles < 100
    every_cell = arch.cores * arch.macros_per_core * SMALL_CELLS
    assert product.causes["write_bus"] > product.cycles * every_cell / 4
    assert product.causes["simd"] == 64 * 2 * arch.macros_per_core * SMALL_CELLS
    assert product.causes["output"] == product.causes["queue"] == 0


def test_results_of_a_convolution_wait_for_the_bus_if_other_cores_read_them() -> None:
    """Every core of the head needs all of the 64 results, of which the bus takes one a cycle."""
    net = NetworkBuilder(name="shared", shape=(8, 8, 8), seed=1)
    now = net.conv(INPUT, np.full((8, 8), 3, np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 8 * 8 * 8), 3, np.int8), head=True)
    arch = chip("wide", switch_rate=8, bus_words=1)
    conv = predict(net.build(), arch, np.ones((1, 8, 8, 8), np.uint8))["conv_0"]
    every_cell = arch.cores * arch.macros_per_core * SMALL_CELLS
    assert 64 <= conv.cycles < 100
    assert conv.causes["write_bus"] > conv.cycles * every_cell / 5


def test_a_core_alone_never_waits_for_the_bus() -> None:
    steps = predict(
        wide_network(), chip("wide", cores=1, switch_rate=8), np.ones((1, 8, 8, 8), np.uint8)
    )
    assert sum(step.causes.get("write_bus", 0) for step in steps.values()) == 0
    product, every_cell = steps["multiply_1"], 2 * SMALL_CELLS
    parts, retirement = 64 * 2, 1
    assert product.causes["simd"] == parts * every_cell
    latencies = DISPATCH_CYCLES + REQUEST_CYCLES + FETCH_CYCLES + SIMD_CYCLES
    assert product.cycles == parts + latencies + retirement


def test_what_is_around_the_layers_keeps_its_name() -> None:
    network, image = small_layer()
    maps = infer(network, image)
    arch = chip("small")
    found = CycleModel(compile_network(network, arch), arch).predict(maps)
    around = [step for step in found.found if step.around]
    assert [step.around for step in around] == ["image", "store", "end"]
    assert all(step.causes == {} for step in around)
    assert [step.name for step in found.steps] == [step.name for step in found.found]
    assert found.counters == {"layers": len(found.found)}


def one_layer(causes: dict[str, int], *, beats: int) -> Prediction:
    """Return a prediction of one step of 100 cycles, with beats that the port reads."""
    step = StepCycles(
        name="head",
        layer="head",
        around=None,
        cycles=100,
        causes=causes,
        effective=0,
        events={"beats_read": beats},
    )
    return prediction_of(100, 0, (step,))


WAITING = {"busy": 20, "load": 10, "imbalance": 70}


@pytest.mark.promise(
    "each layer is said to be bound by what takes most of its cycles, and what a full port"
    " holds up has its name"
)
def test_what_a_full_port_holds_up_has_its_name() -> None:
    """Cores whose weights come last wait for the port, not for each other."""
    idle, full = (one_layer(WAITING, beats=beats) for beats in (90, 91))
    assert where_cycles_go(idle) == WAITING and bound_of([idle], layer="head") == "imbalance"
    assert where_cycles_go(full) == {"busy": 20, "port": 80}
    assert bound_of([full], layer="head") == "port"


@pytest.mark.parametrize(
    ("causes", "bound"),
    [
        ({"busy": 30, "empty_slots": 25, "load": 45}, "cells"),
        ({"busy": 30, "load": 40, "simd": 30}, "port"),
        ({"simd": 90, "busy": 10}, "SIMD"),
        ({"output": 30, "write_bus": 30, "busy": 40}, "output"),
    ],
)
def test_a_layer_is_bound_by_what_takes_most(causes: dict[str, int], bound: str) -> None:
    assert bound_of([one_layer(causes, beats=0)], layer="head") == bound
    assert bound_of([one_layer(causes, beats=0)], layer="another") is None


def test_a_layer_whose_port_is_busy_in_most_cycles() -> None:
    """A fully connected layer of one position on a narrow port, by the model."""
    net = NetworkBuilder(name="wide", shape=(1, 1, 64), seed=1)
    weights = np.random.default_rng(1).integers(-128, 128, (256, 64), dtype=np.int8)
    now = net.linear(INPUT, weights)
    net.linear(now, np.full((4, 256), 3, np.int8), head=True)
    network, arch = net.build(), chip("small", port_bits=64)
    found = CycleModel(compile_network(network, arch), arch).predict(
        infer(network, random_images(network, 1, seed=1))
    )
    layer = next(step for step in found.found if step.around is None)
    assert layer.events["beats_read"] > 0.9 * layer.cycles
    assert bound_of([found], layer=layer.layer) == "port"
