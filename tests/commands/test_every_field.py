"""`equal` cannot be fooled: a lie about any field of a program, of results or of a trace is told.

A chip of each family runs once; then one value at a time is changed, and all is compared again.
Fields are found by reflection, so that a new one must be compared, or have its reason below.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from hwgen.chip.program_file import write_program
from hwgen.commands.compare import Results
from hwgen.commands.context import Context
from hwgen.commands.subject import compiled_now, program_of
from hwgen.errors import HwgenError
from hwgen.network import INPUT
from hwgen.network.decoding import decode
from tests.small_runs import FAMILIES, SmallCase, small_case, traced
from tests.verif.dbpim.chips import chip_arch
from verif.common.drawing import Drawing
from verif.dbpim.decoders import DecoderShape, drawn_decoder

PLACES = 30
"""Elements of an array that are changed, one after the other."""

NO_CLAIM = {
    "Prediction.lines": "a bound for the simulation, which says when it is reached",
    "Prediction.found": "parts of which the steps and events of a prediction are made",
    "Prediction.timing": "parts of which the cycles of a crossbar's prediction are made",
    "Prediction.busy": "utilization, a figure that no run shows",
    "SimulatedRun.written": "says when an element that differs was written",
    "SimulatedRun.waves": "the name of a file",
    "SimulatedRun.stores": "the words of which the maps were made, see the trace",
    "SimulatedRun.loads": "the parts of `loading`, which is compared",
    "Results.maps": "golden's; those of stored layers have a test of their own",
    "Results.timed": "a slower memory; the report says that no cycle was compared",
    "Results.zero_bit_planes": "a figure of golden's maps, which no run shows",
    "Results.switch_cycles_max": "measured by simulations of its own",
    "Results.seconds": "wall time",
}
"""Fields of results of which no comparison can say whether they are so, and why."""

NOT_OF_THE_TRACE = {
    "ChipRun.begun": "what host.v waits for before it asks for the mode of the next image",
    "ChipRun.gave_up": "the words of a refusal",
    "ChipRun.loads": "which command was given, for the words of a refusal",
    "ChipRun.number of a load": "counts runs",
    "ChipRun.registers of a load": "its cycles are compared; rows of weights in the next run",
    "ChipRun.rest of a load": "no model counts the events of a load",
    "Stores.start": "divides the stores by runs when they are read",
    "Stores.cycle of dbpim": "says when an element was written; the lie is a clock, not a step",
    "Stores.cycle of mram": "says when an element was written; the lie is a clock, not a step",
    "Stores.core of dbpim": "which buffer has the word; its readers are compared",
    "Stores.kind of dbpim": "a word to memory, or for the answer, which is read in memory",
    "Stores.index of dbpim": "a place of the answer, which is read in memory",
    "Retirement.tag of dbpim": "0 in this family",
    "Retirement.tag of crossbar": "0 in this family",
    "Retirement.cycle of crossbar": "an image is over; steps follow from the strobes",
}
"""Fields of a trace that claim nothing, or nothing that is not compared elsewhere, and why."""


def lies(value: Any, field: str, without: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield values changed in one place, each with the field that is changed.

    without: fields that are left alone
    """
    if is_dataclass(value):
        yield from lies_of_fields(value, without)
    elif isinstance(value, np.ndarray):
        yield from ((field, lie) for lie in other_arrays(value))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from ((name, {**value, key: lie}) for name, lie in lies(one, field, without))
    elif isinstance(value, list | tuple | set):
        for place in sorted({0, len(value) // 2, len(value) - 1}) if value else ():
            for name, lie in lies([*value][place], field, without):
                changed = [*value]
                changed[place] = lie
                yield name, type(value)(changed)
    else:
        yield field, another(value)


def lies_of_fields(value: Any, without: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield a dataclass with another field, whatever its constructor checks."""
    for each in fields(value):
        field, given = f"{type(value).__name__}.{each.name}", getattr(value, each.name)
        if field in without:
            continue
        # A list of facts that is empty claims that there is nothing; no array is one.
        facts = hasattr(value, "__pydantic_fields__")
        nothing = facts and given == []
        for name, lie in [(field, ["one"])] if nothing else lies(given, field, without):
            changed = copy.copy(value)
            object.__setattr__(changed, each.name, lie)
            yield name, changed


def other_arrays(array: Any) -> Iterator[Any]:
    """Yield an array with another element, for some of its elements."""
    count = min(PLACES, array.size)
    for place in np.random.default_rng(1).choice(array.size, count, replace=False):
        changed = array.copy()
        flat = changed.reshape(-1)
        flat[place] = not flat[place] if array.dtype == bool else flat[place] ^ 1
        yield changed


def another(value: object) -> object:
    """Return another value, of the same type and form where that is possible."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | np.integer):
        return value + 1
    if isinstance(value, float):
        return value / 2 + 0.25
    if value is None:
        return 1
    assert isinstance(value, str)
    return value[:-1] + ("1" if value[-1] == "0" else "0") if len(value) == 64 else f"{value}_"


@pytest.mark.dear("mram")
@pytest.mark.promise(
    "a lie about any field of a program's facts, of results or of a trace is a difference or a"
    " refusal"
)
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_differs(family: str) -> None:
    assert small_case(family).equal(small_case(family).results(traced(family)))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_lie_about_results_is_a_difference(family: str) -> None:
    here, told = small_case(family), set()
    for name, lie in lies(here.results(traced(family)), "", NO_CLAIM):
        told.add(name)
        assert not here.equal(lie), name
    assert {"Results.modes", "Prediction.cycles", "SimulatedRun.maps"} < told


@pytest.mark.parametrize("family", FAMILIES)
def test_a_lie_about_golden_is_a_difference(family: str) -> None:
    """Of each layer that the chip stores; of others their readers are compared."""
    here = small_case(family)
    results = here.results(traced(family))
    for layer in set(results.maps) - results.fused:
        maps = {name: [each.copy() for each in found] for name, found in results.maps.items()}
        maps[layer][-1].reshape(-1)[-1] ^= 1
        assert not here.equal(replace(results, maps=maps)), layer


@pytest.mark.parametrize("family", FAMILIES)
def test_results_have_nothing_that_golden_lacks(family: str) -> None:
    """A map of no layer, an event and a counter that nobody knows."""
    here = small_case(family)
    results = here.results(traced(family))
    first, *others = results.runs
    more = {
        "maps": [{**maps, "more": next(iter(maps.values()))} for maps in first.maps],
        "events": {**first.events, "more": 1},
        "counters": {**first.counters, "more": 1},
    }
    for field, lie in more.items():
        runs = [replace(first, **{field: lie}), *others]
        assert not here.equal(replace(results, runs=runs)), field


@pytest.mark.dear
@pytest.mark.parametrize("family", FAMILIES)
def test_a_lie_of_the_trace_is_a_difference_or_a_refusal(family: str) -> None:
    """Each value of a run by itself; of an array, some elements of which no map needs, one."""
    here, starts = small_case(family), traced(family)
    results = here.results(starts)
    found: dict[str, list[bool]] = {}
    for place, start in enumerate(starts):
        for name, lie in lies(start, "", NOT_OF_THE_TRACE):
            changed = [*starts]
            changed[place] = lie
            label = f"{name} of a load" if start.loads else name
            found.setdefault(label, []).append(believed(here, results, changed))
    arrays = {name for name in found if name.startswith(("Stores.", "ChipRun.answers"))}
    wrong = {name for name, each in found.items() if (all if name in arrays else any)(each)}
    assert {name for name in wrong if not has_reason(name, family)} == set()


def believed(here: SmallCase, results: Results, starts: Sequence[Any]) -> bool:
    """Return whether a trace passes for the right one."""
    try:
        return here.equal(replace(results, runs=here.runs(starts)))
    except HwgenError:
        return False


def has_reason(name: str, family: str) -> bool:
    """Return whether a field of the trace of a family claims nothing."""
    return not {name, f"{name} of {family}"}.isdisjoint(NOT_OF_THE_TRACE)


@pytest.mark.dear("crossbar", "mram")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_lie_about_facts_is_refused(family: str, tmp_path: Path) -> None:
    """In the file of `--program`; for other images of a run the same program may be right."""
    here, context, told = small_case(family), Context(work=tmp_path / "work", console=None), set()
    file = tmp_path / "program.npz"
    for claimed in subjects_of(here):
        program = program_of(context, claimed)  # kept, so that each lie compiles nothing
        for name, lie in lies(program.facts, "", {}):
            told.add(name)
            write_program(lie, program.image, file)
            subject = replace(claimed, run_images=lie.images)
            # A call of a network with states has one image: no program is right for others.
            more = name == "ProgramFacts.images" and not subject.network.states
            if more and lie == compiled_now(context, subject).facts:
                continue
            with pytest.raises(HwgenError):
                program_of(context, subject, file)
    assert told.issuperset(leaves_of(type(here.program.facts)))


def subjects_of(here: SmallCase) -> list[Any]:
    """Return the case, and of the family that has them four tokens anew and a decoder's states."""
    if here.subject.family.name != "dbpim":
        return [here.subject]
    drawing = Drawing(1, modes=("all",), shape=(4, 1, 8))
    tokens = drawing.build(drawing.conv(drawing.conv(INPUT, (8,)), (8,)))
    sizes = DecoderShape(blocks=1, width=16, heads=1, hidden=16, tokens=8)
    step = replace(
        here.subject,
        network=decode(drawn_decoder(1, sizes)),
        arch=chip_arch("small_rows"),
        run_images=1,
    )
    return [here.subject, replace(here.subject, network=tokens), step]


def leaves_of(kind: type) -> Iterator[str]:
    """Yield the fields of a dataclass of facts, and of those in it, that hold values."""
    for name, hint in get_type_hints(kind).items():
        inner = [each for each in types_in(hint) if is_dataclass(each)]
        for each in inner:
            yield from leaves_of(each)
        if not inner or type(None) in types_in(hint):
            yield f"{kind.__name__}.{name}"


def types_in(hint: Any) -> list[Any]:
    """Return all types that a hint names."""
    inner = [each for one in get_args(hint) for each in types_in(one)]
    return inner or [hint]
