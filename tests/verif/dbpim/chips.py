"""A network on a chip: predicted first, then simulated, then compared without tolerance."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.network import infer
from hwgen.compiler.dbpim import compile_network
from hwgen.model.dbpim import CycleModel, SplitCost
from hwgen.sim.dbpim import ImageRun, simulate
from hwgen.spec.dbpim.arch import Arch, load_arch, with_sparsity
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.timing import BUS_CYCLES
from hwgen.spec.network import INPUT, QuantizedNetwork

CONFIGS = Path(__file__).parents[3] / "configs"

Bytes = NDArray[np.uint8]


def chip_arch(name: str, sparsity: str = "all", *, latency: int | None = None) -> Arch:
    """Return an architecture of `configs/dbpim` with some switches and a memory latency."""
    arch = with_sparsity(load_arch(CONFIGS / "dbpim" / f"{name}.yaml"), sparsity)
    return arch if latency is None else replace(arch, memory_latency_cycles=latency)


def compiled(network: QuantizedNetwork, arch: Arch) -> Program:
    """Return the program with the splits that the cycle model finds best."""
    return compile_network(network, arch, layer_cost=SplitCost(arch))


def write_prediction(
    network: QuantizedNetwork, arch: Arch, program: Program, images: Bytes, file: Path
) -> None:
    """Write what golden and the cycle model say of each image."""
    maps = infer(network, images)
    model = CycleModel(program, arch)
    predicted = []
    for number in range(len(images)):
        found = model.predict([maps[layer.inputs[0]][number] for layer in network.layers])
        predicted.append(
            {
                "cycles": found.cycles,
                "load_cycles": found.load,
                "layers": {layer.name: layer.cycles for layer in found.layers},
                "maps": {name: maps[name][number].tolist() for name in maps},
            }
        )
    file.write_text(json.dumps(predicted), encoding="utf-8")


def check_chip(network: QuantizedNetwork, arch: Arch, images: Bytes, folder: Path) -> None:
    """Predict, simulate, and compare every element of every map and every cycle."""
    program = compiled(network, arch)
    prediction = folder / "prediction.json"
    write_prediction(network, arch, program, images, prediction)
    runs = simulate(arch, program, images)
    for number, (run, want) in enumerate(zip(runs, read_predictions(prediction), strict=True)):
        where = f"{network.graph.name} on {arch.name}, image {number}"
        check_values(run, want["maps"], where)
        spent = np.diff(run.retirements, prepend=0).tolist()
        assert spent == list(want["layers"].values()), f"{where}: cycles of {want['layers']}"
        assert run.cycles == want["cycles"], where
        assert run.load_cycles == want["load_cycles"], where


def read_predictions(file: Path) -> list[dict]:
    """Return what `write_prediction` wrote."""
    return json.loads(file.read_text(encoding="utf-8"))


def check_values(run: ImageRun, maps: dict[str, list], where: str) -> None:
    """Compare every map and the logits in memory; each element is written before it retires."""
    *names, head = maps
    assert set(run.feature_maps) == set(names), where
    for name in names:
        want = np.array(maps[name], dtype=np.uint8)
        different = np.argwhere(run.feature_maps[name] != want)
        assert not len(different), f"{where}: {name} differs at {different[:5].tolist()}"
    assert run.logits.tolist() == np.ravel(maps[head]).tolist(), f"{where}: {head}"
    ends = {step.layer: step.end for step in run.steps}
    for name, cycles in run.written.items():
        assert cycles.size == np.size(maps[name]), f"{where}: {name}"
        end = ends["image" if name == INPUT else name]
        assert 0 < cycles.min() <= cycles.max() <= end + BUS_CYCLES, f"{where}: {name}"
