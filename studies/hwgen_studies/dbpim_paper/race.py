"""`hwgen paper dbpim`: the paper's race, each network with each choice of switches and batch.

A prediction is a task that is cached by its content, so that an interrupted command resumes.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from hwgen.commands.context import Context
from hwgen.commands.fields import path_of
from hwgen.commands.points import REFUSED, Point, Result, run_points
from hwgen.commands.subject import Subject, load_chip, with_switches
from hwgen.dbpim.facts.arch import ACTIVATION_BITS
from hwgen.errors import ConfigError
from hwgen.files.digests import versions
from hwgen.files.shipped import shown
from hwgen.report.types import Source
from hwgen_studies.dbpim_paper.clock import Clock, clock_of
from hwgen_studies.dbpim_paper.race_networks import (
    ALL,
    CONFIGS,
    Entry,
    entries,
    few,
    multiplications,
)
from hwgen_studies.dbpim_paper.race_points import BUSY, CONV_FC, LOAD, PREDICT
from hwgen_studies.dbpim_paper.race_rows import race_rows
from hwgen_studies.dbpim_paper.report import RaceNetwork, RaceReport, RaceRun
from hwgen_studies.dbpim_paper.request import DbpimRequest

ARCHITECTURE = CONFIGS / "dbpim" / "paper_lanes.yaml"
DENSE, SPARSE = "none", "all"
SWITCHES = (
    DENSE,
    "weight_values",
    "weight_bits",
    "input_bits",
    "weight_values,weight_bits",
    "weight_bits,input_bits",
    SPARSE,
)
"""The dense chip, each switch alone, weight-sparse, bit-level, all three."""
BATCHES = (1, 16)
MOST_BATCHED = 50_000_000
"""Multiplications of a network that runs the larger batch unasked; more take hours."""
PJ_IN_UJ = 1e6


@dataclass(frozen=True, kw_only=True)
class Case:
    """One prediction: a network, its images in one run, and the switches that are on."""

    entry: Entry
    switches: str
    point: Point


def race(request: DbpimRequest) -> RaceReport:
    """Return the race on the chip of the request, or on that of the paper."""
    context, arch_file = request.quiet, Path(request.architecture or ARCHITECTURE)
    family, loaded = load_chip(arch_file, SPARSE)
    arch: Any = loaded
    clock = given_clock(request, arch)
    asked = request.images is not None
    batches = (1, request.images) if request.images is not None else BATCHES
    found = entries(
        context,
        folder_of(request),
        path_of(request.data),
        images=max(batches),
    )
    base = {
        each.name: Subject(
            network=each.network,
            network_file=each.file,
            family=family,
            arch=arch,
            arch_file=arch_file,
        )
        for each in found
    }
    cases = [
        case_of(base[e.name], e, s, b)
        for e, b, s in product(found, batches, SWITCHES)
        if b == batches[0] or (e.trained and (asked or multiplications(e.network) <= MOST_BATCHED))
    ]
    results = results_of(context, cases, workers=request.workers)
    runs, refused = [], []
    for case, result in zip(cases, results, strict=True):
        if REFUSED in result:
            batch = case.point.subject.run_images
            refused.append(f"{case.entry.name}, {case.switches}, batch {batch}: {result[REFUSED]}")
        else:
            runs.append(run_of(case, result))
    networks = [network_of(each, cases, results) for each in found]
    area, uncertainty = area_of(arch)
    return RaceReport(
        format="hwgen.report.paper_dbpim",
        version=1,
        paper="DB-PIM",
        architecture=Source(name=arch.name, file=shown(arch_file), digest=arch.digest),
        clock_mhz=arch.clock_mhz,
        clock=clock,
        port_bits=arch.port_bits,
        area_mm2=area,
        area_uncertainty=uncertainty,
        networks=networks,
        rows=race_rows(runs, networks, arch, area, uncertainty),
        runs=runs,
        refused=refused,
        versions=versions(),
    )


def folder_of(request: DbpimRequest) -> Path | None:
    """Return the folder of `--networks`."""
    networks = path_of(request.networks)
    if networks is not None and not networks.is_dir():
        raise ConfigError(
            field="--networks",
            allowed="a folder with network files",
            given=networks,
            source="command line",
        )
    return networks


def given_clock(request: DbpimRequest, arch: Any) -> Clock | None:
    """Return the clock of the report of `--cost`."""
    cost = path_of(request.cost)
    return None if cost is None else clock_of(cost, arch)


def case_of(subject: Subject, entry: Entry, switches: str, batch: int) -> Case:
    """Return one prediction of the race."""
    chip = replace(with_switches(subject, switches), run_images=batch)
    point = Point(subject=chip, batch=few(entry.images, batch))
    return Case(entry=entry, switches=switches, point=point)


def results_of(context: Context, cases: Sequence[Case], *, workers: int) -> list[Result]:
    """Return the result of each case; say what is done and how long it takes."""
    began, computed = time.monotonic(), 0

    def on_done(index: int, result: Result, fresh: bool) -> None:
        nonlocal computed
        if fresh:
            computed += 1
            case = cases[index]
            context.say(
                f"{computed}, after {time.monotonic() - began:.0f} s: {case.entry.name},"
                f" {case.switches}, batch {case.point.subject.run_images}"
            )

    context.say(
        f"{len(cases)} predictions in {workers} processes, those that are cached left out: one"
        " takes seconds at 1 image, up to half an hour at 16 images of a large network"
    )
    points = [case.point for case in cases]
    return run_points(context, points, workers=workers, function=PREDICT, on_done=on_done)


def run_of(case: Case, result: Result) -> RaceRun:
    """Return the figures of one image from those of a run."""
    subject = case.point.subject
    images, arch = subject.run_images, subject.arch
    causes = result["causes"]
    conv = Counter({name: spent / images for name, spent in causes.get(CONV_FC, {}).items()})
    every: Counter[str] = Counter()
    for spent in causes.values():
        every.update(spent)
    conv_cycles = sum(conv.values())
    return RaceRun(
        network=case.entry.name,
        batch=images,
        switches=case.switches,
        cycles=result["cycles"] / images,
        compute_cycles=(result["cycles"] - result["load"]) / images,
        conv_fc_cycles=conv_cycles,
        conv_fc_without_load_cycles=conv_cycles - conv[LOAD],
        bound_cycles=conv[BUSY],
        time_ms=milliseconds(result["cycles"] / images, arch),
        conv_fc_ms=milliseconds(conv_cycles, arch),
        kinds={kind: sum(spent.values()) / images for kind, spent in causes.items()},
        causes={name: cycles / images for name, cycles in every.items()},
        utilization=result["utilization"],
        program_bytes=result["program_bytes"],
        steps=result["steps"],
        **energy_of(result["events"], result["cycles"], arch, images),
    )


def milliseconds(cycles: float, arch: Any) -> float:
    """Return the time of some cycles."""
    return float(cycles / arch.clock_mhz / 1000)


def energy_of(events: Mapping[str, int], cycles: int, arch: Any, images: int) -> dict[str, Any]:
    """Return energy and traffic of one image: by part, of the strict chip, with their range."""
    from hwgen.dbpim import model

    scale = 1 / images / PJ_IN_UJ
    memories = model.Assumptions(logic_leaks=False)
    parts = model.parts_pj(events, cycles, arch, assume=memories)
    direct = replace(model.STRICT_DENSE, logic_leaks=False)
    strict = model.parts_pj(events, cycles, arch, assume=direct)
    spread = model.spread_pj(events, cycles, arch, assume=memories).values()
    return {
        "energy_uj": {part: pj * scale for part, pj in parts.items()},
        "strict_energy_uj": None if arch.sparsity.weight_values else sum(strict.values()) * scale,
        "energy_range_uj": (min(spread) * scale, max(spread) * scale),
        "memory_bytes": model.port_bytes(events, arch) / images,
    }


def network_of(entry: Entry, cases: Sequence[Case], results: Sequence[Result]) -> RaceNetwork:
    """Return what ran, with the mean bit planes of the inputs of its largest batch."""
    planes = None
    for case, result in zip(cases, results, strict=True):
        if case.entry is entry and case.switches == SPARSE and REFUSED not in result:
            planes = bit_planes(result["events"])
    return RaceNetwork(
        name=entry.name,
        source=Source(
            name=entry.network.graph.name, file=shown(entry.file), digest=entry.network.digest
        ),
        weights=entry.weights,
        trained=entry.trained,
        images=entry.pictures,
        bit_planes=planes,
    )


def bit_planes(events: Mapping[str, int]) -> float | None:
    """Return the mean cycles of a group of inputs: its bit planes with a one, at least one."""
    issued = events["bit_planes"] + events["inactive_bit_planes"]
    return min(issued / events["groups"], ACTIVATION_BITS) if events.get("groups") else None


def area_of(arch: Any) -> tuple[dict[str, float], float]:
    """Return square millimetres by part, and how wrong their sum may be."""
    from hwgen.dbpim.model import energy as model

    um2: dict[str, float] = model.area_um2(arch)
    uncertainty: float = model.default_table().area_uncertainty
    return {part: area / 1e6 for part, area in um2.items()}, uncertainty


__all__ = ["ALL", "BATCHES", "SWITCHES", "race"]
