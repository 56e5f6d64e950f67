"""A network on a chip: predicted first, then simulated, then compared without tolerance."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.network import infer
from hwgen.chip.limits import RunLimits
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.dbpim.compiler import compile_network, unstored
from hwgen.dbpim.facts.arch import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.events import OVERLAPPING
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.timing import BUS_CYCLES
from hwgen.dbpim.model import CycleModel, SplitCost
from hwgen.dbpim.sim import SimulatedRun, simulate
from hwgen.dbpim.sim.chip_run import Call
from hwgen.network import INPUT, QuantizedNetwork

CONFIGS = Path(__file__).parents[3] / "configs"

Bytes = NDArray[np.uint8]


def chip_arch(name: str, sparsity: str = "all", *, latency: int | None = None) -> Arch:
    """Return an architecture of `configs/dbpim` with some switches and a memory latency."""
    arch = with_sparsity(load_arch(CONFIGS / "dbpim" / f"{name}.yaml"), sparsity)
    return arch if latency is None else replace(arch, memory_latency_cycles=latency)


def compiled(network: QuantizedNetwork, arch: Arch, *, batch: int = 1) -> Program:
    """Return the program with the splits that the cycle model finds best."""
    return compile_network(network, arch, images=batch, layer_cost=SplitCost(arch))


def write_prediction(
    arch: Arch,
    program: Program,
    maps: dict[str, NDArray[Any]],
    file: Path,
    calls: Sequence[Call] = (),
) -> None:
    """Write what the cycle model says of each run; maps: golden's of all images."""
    places = [call.position for call in calls] or range(len(maps[INPUT]))
    images, size = maps[INPUT], program.facts.images
    model = CycleModel(program, arch)
    predicted = []
    for first in range(0, len(images), size):
        of_run = {name: found[first : first + size] for name, found in maps.items()}
        found = model.predict(of_run, position=places[first // size])
        predicted.append(
            {
                "cycles": found.cycles,
                "load_cycles": found.load,
                "steps": {step.name: step.cycles for step in found.found},
                "events": dict(found.events),
                "step_events": found.step_events,
                "maps": {name: values.tolist() for name, values in of_run.items()},
            }
        )
    file.write_text(json.dumps(predicted), encoding="utf-8")


def check_chip(
    network: QuantizedNetwork,
    arch: Arch,
    images: Bytes,
    folder: Path,
    *,
    batch: int = 1,
    maps: dict[str, NDArray[Any]] | None = None,
    calls: Sequence[Call] = (),
    trouble: Trouble = NO_TROUBLE,
) -> list[SimulatedRun]:
    """Predict, simulate, and compare every element of every map and every cycle.

    maps: golden's; None: the images do not depend on each other; calls: as of `simulate`
    """
    program = compiled(network, arch, batch=batch)
    prediction = folder / "prediction.json"
    write_prediction(arch, program, maps or infer(network, images), prediction, calls)
    predicted = read_predictions(prediction)
    limits = RunLimits(foreseen=sum(want["cycles"] for want in predicted))
    runs = simulate(arch, program, images, calls=calls, trouble=trouble, limits=limits)
    for run, want in zip(runs, predicted, strict=True):
        where = f"{network.graph.name} on {arch.name}, images {run.images}"
        check_values(run, network, want["maps"], where, unstored(network, program, arch))
        if trouble != NO_TROUBLE:
            continue
        spent = {step.name: step.end - step.begin for step in run.steps}
        assert spent == want["steps"], f"{where}: cycles of the steps"
        assert run.cycles == want["cycles"], where
        assert run.load_cycles == want["load_cycles"], where
        check_events(run, want, where)
    return runs


def check_events(run: SimulatedRun, want: dict, where: str) -> None:
    """Compare the events of a run, and of each step those that no other step can have."""
    assert run.events == want["events"], f"{where}: events"
    for step, got, expected in zip(run.steps, run.step_events, want["step_events"], strict=True):
        own = {name: count for name, count in expected.items() if name not in OVERLAPPING}
        assert {name: got[name] for name in own} == own, f"{where}: events of {step.name}"


def read_predictions(file: Path) -> list[dict]:
    """Return what `write_prediction` wrote."""
    return json.loads(file.read_text(encoding="utf-8"))


def check_values(
    run: SimulatedRun,
    network: QuantizedNetwork,
    maps: dict[str, list],
    where: str,
    missing: Collection[str],
) -> None:
    """Compare every map and the answers in memory; each element is written before it retires.

    missing: maps that the chip never stores whole
    """
    ends: dict[str, int] = {}
    for step in run.steps:
        ends[step.layer] = step.end
    for number, image in enumerate(run.images):
        found = run.maps[number]
        assert set(found) == set(maps) - set(missing), where
        for name, got in found.items():
            want = np.array(maps[name][number])
            assert got.shape == want.shape, f"{where}: {name} has the shape {got.shape}"
            different = np.argwhere(got != want)
            assert not len(different), f"{where}: {name} differs at {different[:5].tolist()}"
            if name != network.answer:
                cycles = run.written[number][name]
                # Pixels of the image that no window reads are not stored.
                least = cycles[cycles > 0].min() if name == INPUT else cycles.min()
                assert 0 < least <= cycles.max() <= ends[name] + BUS_CYCLES, (
                    f"{where}: {name} of image {image}"
                )
