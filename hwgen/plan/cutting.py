"""From a file to its plan: cut, judged on the way, and checked as a whole by other inputs.

Tests: `tests/plan/test_cut.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import FormatError
from hwgen.files.digests import digest_of_array
from hwgen.network import QuantizedNetwork
from hwgen.network.file import save_network
from hwgen.plan.feeds import drawn_feeds
from hwgen.plan.file import Plan, PlanGraph, PlanStep, Seen
from hwgen.plan.judge import ANNOUNCED, DIFFERS, Cut, PlannedFile
from hwgen.plan.pieces import in_steps
from hwgen.plan.play import Player
from hwgen.plan.target import Target
from hwgen.plan.units import Units

PROBE_SEED = 7
"""Of the call whose borders a plan records."""
MOST_NAMED = 3
"""Nodes of a unit by name in one line."""


def plan_of(
    cut: Cut, file: PlannedFile, target: Target, *, name: str, runtime: str, setting: str
) -> Plan:
    """Return the plan of a cut that has not run; runtime, setting: that judged it, or empty."""
    kept = cut.run()
    networks: dict[str, QuantizedNetwork] = {}
    files: dict[str, bytes] = {}
    steps = []
    for chip, units in in_steps(file.units, kept):
        piece = f"{'chip' if chip else 'host'}{len(networks) if chip else len(files)}"
        if chip:
            found = cut.pieces[units]
            network = found.lowered.network
            named = replace(network, graph=replace(network.graph, name=f"{name}-{piece}"))
            networks[piece] = named
            step = step_of(cut, units, piece, content_of(named), chip=True)
            step = replace(step, batch=found.batch, image=found.image, maps=found.maps)
        else:
            files[piece], real = file.host_file(units, piece)
            step = replace(step_of(cut, units, piece, files[piece], chip=False), real=real)
        steps.append(step)
    between = (name for step in steps for name in (*step.inputs, *step.outputs))
    graph = PlanGraph(
        format="hwgen.plan",
        version=1,
        name=name,
        kind=file.kind,
        chip=target.name,
        architecture="" if target.arch is None else target.arch.digest,
        exact=target.is_exact,
        runtime=runtime,
        setting=setting,
        products=file.units.products,
        inputs=file.units.inputs,
        outputs=file.units.outputs,
        tensors=file.tensors(list(dict.fromkeys((*file.units.inputs, *between)))),
        steps=tuple(steps),
        lines=tuple(lines_of(cut)),
    )
    return Plan(graph=graph, networks=networks, files=files)


def content_of(network: QuantizedNetwork) -> bytes:
    """Return the bytes of the file of a network."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        save_network(network, path)
        return path.read_bytes()


def step_of(cut: Cut, units: Units, name: str, content: bytes, *, chip: bool) -> PlanStep:
    """Return a step without what only a piece on the chip or on the host has."""
    graph = cut.graph
    inputs, outputs = graph.ends_of(units)
    nodes = [node for unit in units for node in graph.units[unit].nodes]
    working = [unit for unit in units if graph.units[unit].products and not chip]
    reasons = [
        f"{', '.join(named(cut, unit))}: {cut.host[unit]}" for unit in working if unit in cut.host
    ]
    return PlanStep(
        name=name,
        where="chip" if chip else "host",
        inputs=inputs,
        outputs=outputs,
        nodes=tuple(graph.names[node] for node in nodes),
        operators=dict(Counter(graph.operators[node] for node in nodes)),
        products=graph.products_of(units),
        reasons=tuple(dict.fromkeys(reasons)),
        steps=cut.steps.get(str(units), 0) if chip else 0,
        digest=digest_of_array(np.frombuffer(content, np.uint8)),
    )


def named(cut: Cut, unit: int) -> list[str]:
    """Return the nodes of a unit that compute, a few, by name and operator."""
    graph = cut.graph
    nodes = [
        node
        for node in graph.units[unit].nodes
        if graph.operators[node] not in ("QuantizeLinear", "DequantizeLinear")
    ]
    told = [f"{graph.names[node]} ({graph.operators[node]})" for node in nodes]
    more = len(told) - MOST_NAMED
    return [*told[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])]


def lines_of(cut: Cut) -> list[str]:
    """Return a line for each unit that is on the host since its integers are not the runtime's."""
    total = max(cut.graph.products, 1)
    found = []
    for unit, reason in sorted(cut.host.items()):
        if reason in (DIFFERS, ANNOUNCED):
            share = cut.graph.units[unit].products / total
            found.append(f"on the host: {', '.join(named(cut, unit))}: {reason} ({share:.1%})")
    return found


def checked(
    plan: Plan,
    feeds: Sequence[Mapping[str, Any]],
    answers: Callable[[Sequence[Mapping[str, Any]]], list[list[Any]]],
) -> Plan:
    """Return a plan with what its whole answers are beside those of the runtime, on these calls.

    feeds: that did not choose the cut; answers: of the file of the user in its runtime
    """
    player, graph = Player(plan), plan.graph
    equal, elements, largest = 0, 0, 0.0
    for feed, wanted in zip(feeds, answers(feeds), strict=True):
        found = player.play(feed)
        for name, right in zip(graph.outputs, wanted, strict=True):
            given = np.asarray(found[name])
            same = same_elements(given, np.asarray(right))
            equal, elements = equal + int(same.sum()), elements + same.size
            if not same.all():
                apart = np.abs(given.astype(np.float64) - np.asarray(right, np.float64))
                largest = max(largest, float(np.nan_to_num(apart, posinf=0).max()))
    seen = Seen(
        runtime=graph.runtime, images=len(feeds), elements=elements, equal=equal, largest=largest
    )
    return replace(plan, graph=replace(graph, seen=seen))


def pieces_apart(
    plan: Plan, file: PlannedFile, feeds: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Return of each piece on the chip how many elements differ, fed the runtime's own borders."""
    numbers = {name: node for node, name in enumerate(file.units.names)}
    player, found = Player(plan), dict[str, int]()
    for feed in feeds:
        tensors = dict(feed)
        for step in plan.graph.steps:
            nodes = [numbers[name] for name in step.nodes if name in numbers]
            units = tuple(sorted({file.units.of_node[node] for node in nodes}))
            if len(nodes) < len(step.nodes) or file.units.ends_of(units) != (
                step.inputs,
                step.outputs,
            ):
                raise FormatError(
                    field=f"piece {step.name}",
                    allowed="nodes of the file, as its runtime rewrites it: import it again",
                    given="others",
                    source=file.source,
                )
            wanted = file.host(units).run(tensors)
            if step.where == "chip":
                given = player.step(step, tensors)
                apart = sum(int((given[name] != wanted[name]).sum()) for name in given)
                found[step.name] = found.get(step.name, 0) + apart
            tensors |= wanted
    return found


def probed(plan: Plan) -> Plan:
    """Return a plan with the digests of a drawn call, by golden and the runtime of here."""
    return replace(plan, graph=replace(plan.graph, probe=dict(probe_of(plan))))


def probe_of(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the digest of each tensor of a drawn call, in the order of the steps."""
    graph, tensors = plan.graph, plan.graph.by_name
    (feed,) = drawn_feeds([tensors[name] for name in graph.inputs], 1, PROBE_SEED)
    player, found = Player(plan), dict(feed)
    for step in graph.steps:
        written = player.step(step, found)
        found |= written
        yield from ((name, digest_of_array(written[name])) for name in step.outputs)


def first_apart(plan: Plan) -> str:
    """Return the first border that is another by the runtime of here; empty: none is."""
    wanted = plan.graph.probe
    return next((name for name, digest in probe_of(plan) if wanted.get(name) != digest), "")


def same_elements(given: Any, wanted: Any) -> Any:
    """Return where elements are equal; what is no number equals itself."""
    if wanted.dtype.kind == "f":
        return (given == wanted) | (np.isnan(given) & np.isnan(wanted))
    return given == wanted
