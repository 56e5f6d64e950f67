"""A memory that stalls: values and events are compared, cycles are not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.commands.compare import Comparison, compare
from hwgen.commands.compare_runs import in_time
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_maps, limits_of
from hwgen.commands.images import choose_images
from hwgen.commands.run import run_network
from hwgen.commands.subject import load_subject, program_of
from hwgen.dbpim.model import CycleModel
from hwgen.report.run import Memory, RunReport
from hwgen.report.tables import run_table
from tests.commands.compared import network, results, shifted
from tests.commands.made_up import Simulated, made_up_run, simulation

STALLED = Trouble(stall=30, seed=7)


def stalled(runs: list[Simulated]) -> Comparison:
    """Compare runs whose memory stalled."""
    return compare(network(), replace(results(runs), timed=False))


def later(run: Simulated) -> None:
    """Let a run take longer in a step and wait longer for its memory."""
    shifted(run, "conv", end=4)
    shifted(run, "pool", begin=4, end=4)
    run.cycles += 4
    run.load_cycles += 3


@pytest.mark.promise(
    "a memory that stalls changes cycles and no value; a table says how many, and all but"
    " cycles is compared"
)
def test_cycles_are_not_compared(runs: list[Simulated]) -> None:
    later(runs[1])
    found = stalled(runs)
    assert (found.equal, found.first) == (True, None)
    assert [in_time(run) for run in found.runs] == [None] * 3
    assert {step.in_time for step in found.steps} == {None}
    assert [run.equal for run in found.runs] == [True] * 3


def a_value(run: Simulated) -> None:
    run.maps[0]["conv"][1, 2, 3] += 1


def a_counter(run: Simulated) -> None:
    run.counters["layers"] += 1


def an_event(run: Simulated) -> None:
    run.events["macro_reads"] += 1


def an_event_of_a_step(run: Simulated) -> None:
    run.step_events[1]["macro_reads"] += 1


def a_lost_step(run: Simulated) -> None:
    del run.steps[-1]


@pytest.mark.parametrize(
    ("fault", "what", "name"),
    [
        (a_value, "element", None),
        (a_counter, "counter", "layers"),
        (an_event, "event", "macro_reads"),
        (an_event_of_a_step, "event", "macro_reads"),
        (a_lost_step, "step", "begin"),
    ],
)
def test_all_else_is_compared(
    runs: list[Simulated], fault: Callable[[Simulated], None], what: str, name: str | None
) -> None:
    later(runs[1])
    fault(runs[1])
    found = stalled(runs)
    assert found.equal is False
    assert found.first is not None
    assert (found.first.what, found.first.name, found.first.run) == (what, name, 1)


def ran(
    files: tuple[Path, Path],
    arch: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
) -> tuple[RunReport, list[dict[str, Any]]]:
    """Run two images on a chip that takes 5 cycles more for each; return what it was told, too."""
    context = Context(work=files[0].parent / "work", console=None)
    subject = load_subject(files[0], arch)
    batch = choose_images(subject.network, str(files[1]), 2)
    told: list[dict[str, Any]] = []

    def simulate(*_: Any, **options: Any) -> list[Simulated]:
        told.append(options)
        maps, model = made_up(context, subject, batch)
        runs = [made_up_run(maps, model, image) for image in range(2)]
        for run in runs:
            run.cycles += 5
        return runs

    monkeypatch.setattr(simulation(), "simulate", simulate)
    return run_network(context, subject, batch, engine="rtl", trouble=trouble), told


def made_up(context: Context, subject: Any, batch: Any) -> tuple[Any, Any]:
    """Return golden's maps and the cycle model."""
    model = CycleModel(program_of(context, subject), subject.arch)
    return expected_maps(context, subject, batch), model


TINY = Path(__file__).parents[2] / "configs/dbpim/tiny.yaml"


def test_the_simulation_is_told_and_the_report_says_so(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = replace(STALLED, error_address=0x40, latency=90)
    report, (told,) = ran(files, TINY, monkeypatch, slow)
    assert told["trouble"] == slow
    assert (report.equal, report.in_time) == (True, None)
    assert report.memory == Memory(
        latency=90, stall_percent=30, stall_seed=7, error_address=0x40, more_cycles=10
    )
    out = printed(report)
    assert "the memory stalled in 30 % of cycles (seed 7): 10 more cycles than the model's" in out
    assert "the memory answered after 90 cycles: 10 more cycles than the model's" in out
    assert "no error of the bus: the chip missed it at 0x40" in out
    assert "differ" not in out


def test_without_stalls_the_same_cycles_differ(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    report, (told,) = ran(files, TINY, monkeypatch, NO_TROUBLE)
    assert told["trouble"] == NO_TROUBLE
    assert (report.equal, report.in_time, report.memory) == (False, False, None)
    assert "stalled" not in printed(report)


def printed(report: RunReport) -> str:
    """Return the table as text."""
    console = Console(width=200)
    with console.capture() as capture:
        console.print(run_table(report))
    return capture.get()


def test_a_chip_that_waits_for_its_memory_does_not_hang() -> None:
    prediction: Any = type("P", (), {"cycles": 1000, "events": {}, "loading": 0, "lines": 0})
    still, often = limits_of([prediction], []), limits_of([prediction], [], Trouble(stall=95))
    late = limits_of([prediction], [], Trouble(latency=32))
    assert (often.cycles, late.cycles) == (20 * still.cycles, 3 * still.cycles)
    assert often.stores == late.stores == still.stores
