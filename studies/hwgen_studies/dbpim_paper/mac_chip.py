"""A chip of plain multipliers beside `best_dense`: its area by netlists, its cycles by a formula.

Each core has an array (`mac_array`) in the place of its macros. Port, loaders, buffers, fetchers,
requantizers and SIMD units are those of `best_dense`, from its netlist; as many bytes as its cells
hold are SRAM for weights. No such chip was emitted or simulated whole: the array was.

Tests: `studies/tests/dbpim_paper/test_mac_array.py`.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import numpy as np
from pydantic.dataclasses import dataclass

from hwgen.chip.rtl.emit import emit
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.pages.physical import BUFFER_UM2, memory_um2
from hwgen.files.load import EXACT
from hwgen.network import AveragePool, Conv, Linear, QuantizedNetwork
from hwgen.physical.liberty import liberty_text
from hwgen.physical.modules import Modules, sources_of
from hwgen.physical.read_library import load_library
from hwgen.physical.timing import all_paths
from hwgen.report.cost import CostModule, CostReport
from hwgen.report.types import Count, NotNegative

SIDE = 16
"""Rows and columns of an array, and channels of a word."""
TAIL = 2 * SIDE + 5
"""Cycles of a layer beyond its steps: the first block is turned, the last sums leave, three stages
of a requantizer and the two of the array."""
OF_MACROS = (
    *("macro", "dots", "compartment", "adder_tree", "full_adder", "half_adder", "dbmu"),
    *("plane_counter", "cell_array", "meta_array", "ppu", "psum_array"),
)
"""Modules that an array replaces, without the prefix of the family."""
BYTE = 8


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MacChip:
    """A chip of arrays of 16 x 16 multipliers, one a core.

    cycles: of an image, by `cycles_of`; steps: those in which arrays add
    *_mm2: netlists with memories: of all arrays; of SRAM for weights; of what is best_dense's
    array_ns, ns: slowest path of an array; of the whole, which is that of the rest if it is slower
    """

    arrays: Count
    cycles: Count
    steps: Count
    arrays_mm2: NotNegative
    weights_mm2: NotNegative
    rest_mm2: NotNegative
    array_ns: NotNegative
    ns: NotNegative

    @property
    def area_mm2(self) -> float:
        """Of all."""
        return self.arrays_mm2 + self.weights_mm2 + self.rest_mm2


def mac_chip(network: QuantizedNetwork, arch: Arch, cost: CostReport, liberty: Path) -> MacChip:
    """Return the chip beside a dense one.

    cost: `hwgen cost` of the dense chip with the cells of liberty
    """
    array_um2, array_ns = array_cost(liberty)
    macro = arch.macro
    bits = arch.cores * arch.macros_per_core * macro.compartments * macro.columns * macro.rows
    return MacChip(
        arrays=arch.cores,
        cycles=cycles_of(network, arch),
        steps=sum(steps for steps, _ in layers_of(network, arch)),
        arrays_mm2=arch.cores * array_um2 / 1e6,
        weights_mm2=bits * BUFFER_UM2 / 1e6,
        rest_mm2=sum(map(module_um2, rest_of(cost))) / 1e6,
        array_ns=array_ns,
        ns=max(array_ns, *(each.slowest_ns or 0.0 for each in rest_of(cost))),
    )


def rest_of(cost: CostReport) -> Iterator[CostModule]:
    """Yield the modules of a chip that no array replaces."""
    for module in cost.modules:
        if not is_of_macros(module):
            yield module


def is_of_macros(module: CostModule) -> bool:
    """Whether an array replaces a module."""
    return module.module.removeprefix("dbpim_") in OF_MACROS


def module_um2(module: CostModule) -> float:
    """Return the area of all instances of a module: gates, trees of buffers, memories."""
    gates = module.logic_um2 + module.buffers_um2
    return module.instances * (gates + module.memory_bits * memory_um2(module.module))


def array_cost(liberty: Path) -> tuple[float, float]:
    """Return um2 and slowest path, in ns, of an array, each module mapped alone."""
    from hwgen_studies.dbpim_paper.mac_array import MacArray

    library, _ = load_library(liberty)
    part = MacArray(rows=SIDE, columns=SIDE)
    with tempfile.TemporaryDirectory() as folder:
        emit(part, Path(folder), parameters={})
        manifest = json.loads(Path(folder, "manifest.json").read_text("utf-8"))["modules"]
        texts = {
            name: Path(folder, each["file"]).read_text("utf-8") for name, each in manifest.items()
        }
    modules = Modules(sources_of(manifest, texts, ()), library, liberty_text(liberty))
    modules.synthesize(processes=1)
    costs = modules.costs()
    placed: Mapping[str, int] = {part.module_name: 1, **manifest[part.module_name]["instances"]}
    um2 = sum(n * (costs[name].logic_um2 + costs[name].buffers_um2) for name, n in placed.items())
    return um2, all_paths([cost.timing for cost in costs.values()])[0].ns


def cycles_of(network: QuantizedNetwork, arch: Arch) -> int:
    """Return the cycles of an image, by a formula that no chip was compared with.

    The image is loaded first. Weights of a tile of 16 filters come through the port while the tile
    before is computed, into a buffer of two tiles; all of a layer's pixels, 16 an array, pass a
    tile. A layer waits for the one before. Additions and shortcuts cost nothing; a word of a pool
    takes a cycle of its core. No bank of a buffer is ever busy, no pixel waits for a neighbour's.
    """
    port_bytes = arch.port_bits // BYTE
    shape = network.graph.input
    now = arch.memory_latency_cycles + -(-prod(shape.shape) // port_bytes)
    loaded, before = now, now
    for layer in network.layers:
        if isinstance(layer, AveragePool):
            words = prod(shape_before(network, layer.name)) // SIDE
            now += -(-words // arch.cores) + TAIL
        if not isinstance(layer, Conv | Linear):
            continue
        steps, tiles = layer_steps(network, layer, arch)
        weights = network.parameters[layer.name].weights
        tile_bytes = prod(weights.shape[1:]) * SIDE
        for _ in range(tiles):
            # The buffer has room for a tile once the one before the last has been computed.
            loaded = max(loaded, before) + -(-tile_bytes // port_bytes)
            before, now = now, max(now, loaded) + steps
        now += TAIL
    return now


def layers_of(network: QuantizedNetwork, arch: Arch) -> Iterator[tuple[int, int]]:
    """Yield the steps of all tiles of each layer with weights, and its tiles."""
    for layer in network.layers:
        if isinstance(layer, Conv | Linear):
            steps, tiles = layer_steps(network, layer, arch)
            yield steps * tiles, tiles


def layer_steps(network: QuantizedNetwork, layer: Conv | Linear, arch: Arch) -> tuple[int, int]:
    """Return the steps of a tile of 16 filters, and how many tiles a layer has.

    A word has 16 channels, those that the layer lacks are steps, too.
    """
    filters, *taps, channels = network.parameters[layer.name].weights.shape
    height, width, _ = layer.output.shape
    groups = -(-height * width // (SIDE * arch.cores))
    return groups * prod(taps) * -(-channels // SIDE) * SIDE, -(-filters // SIDE)


def steps_of_weights(network: QuantizedNetwork, arch: Arch) -> int:
    """Return the steps of all layers in which any of the 16 weights is not zero.

    An array that skips the others for nothing takes so many: a bound from below.
    """
    found = 0
    for layer in network.layers:
        if not isinstance(layer, Conv | Linear):
            continue
        weights = network.parameters[layer.name].weights
        lines = weights.reshape(len(weights), -1) != 0
        padded = np.pad(lines, ((0, -len(lines) % SIDE), (0, 0)))
        used = int(padded.reshape(-1, SIDE, padded.shape[1]).any(axis=1).sum())
        height, width, _ = layer.output.shape
        found += -(-height * width // (SIDE * arch.cores)) * used
    return found


def shape_before(network: QuantizedNetwork, name: str) -> tuple[int, ...]:
    """Return the shape of what a layer reads."""
    (layer,) = (each for each in network.layers if each.name == name)
    (source,) = layer.inputs
    return tuple(network.graph.maps[source].shape)
