"""A trace shows the steps of the first run, and the units of a family that tells them."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwgen import api
from hwgen.chip.family import Family
from hwgen.cli import main
from hwgen.commands.families import InstalledFamily
from tests.cli.given import ROOT, TINY


def events_of(path: Path, thread: int) -> list[dict[str, Any]]:
    trace = json.loads(path.read_text(encoding="utf-8"))
    facts = {"generator": "hwgen", "unit of time": "1 us is 1 clock cycle"}
    assert trace["otherData"] == facts
    return [e for e in trace["traceEvents"] if e["tid"] == thread and e["ph"] == "X"]


def names_of(path: Path) -> list[str]:
    events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    return [event["args"]["name"] for event in events if event["name"] == "thread_name"]


@pytest.mark.promise("a trace holds the named steps of the first run and the units of the chip")
def test_the_command_writes_a_trace_of_the_first_run(
    files: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace.json"
    given = ["model", files[0], TINY, "--data", files[1], "--images", 2, "--trace", trace]
    assert main([str(each) for each in [*given, "--work", tmp_path / "work"]]) == 0
    context = api.Context(work=tmp_path / "work", console=None)
    report = api.model(files[0], TINY, data=files[1], images=1, context=context)
    assert names_of(trace)[:2] == ["steps", "core 0"] and "write bus" in names_of(trace)
    steps = events_of(trace, 0)
    assert sum(step["dur"] for step in steps) == report.cycles_model
    assert {step["args"]["layer"] for step in steps} <= {layer.name for layer in report.layers}
    core = events_of(trace, 1)
    assert core[0]["ts"] == 0 and core[-1]["ts"] + core[-1]["dur"] == report.cycles_model
    assert all(0 < each["args"]["fraction of the time"] <= 1 for each in core)
    assert capfd.readouterr().err == ""


def traced(work: Path, modes: list[str]) -> tuple[Path, int]:
    """Return the trace of one image on the small MRAM chip, and its cycles."""
    trace, chip = work / "trace.json", ROOT / "configs/mram/small.yaml"
    network = ROOT / "configs/networks/cadnn_digits.npz"
    context = api.Context(work=work / "work", console=None)
    report = api.model(network, chip, modes=modes, trace=trace, context=context)
    return trace, report.cycles_model


@pytest.mark.parametrize("mode", ["1.0x", "0.25x"])
def test_the_units_of_an_mram_chip_fill_the_run(tmp_path: Path, mode: str) -> None:
    """Steps follow each other: all tracks together hold every cycle but those of the end."""
    trace, cycles = traced(tmp_path, [mode])
    names = names_of(trace)
    assert names[:3] == ["steps", "memory port", "sub-arrays"]
    shown = sum(each["dur"] for track in range(1, len(names)) for each in events_of(trace, track))
    end = next(each for each in events_of(trace, 0) if each["args"]["layer"] == "end")
    assert shown == cycles - end["dur"] > 0


def test_a_family_without_a_timeline_shows_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = InstalledFamily.offers
    monkeypatch.setattr(
        InstalledFamily,
        "offers",
        lambda self, what: what is not Family.timeline and offers(self, what),
    )
    trace, cycles = traced(tmp_path, ["0.25x"])
    assert names_of(trace) == ["steps"]
    assert max(step["ts"] + step["dur"] for step in events_of(trace, 0)) <= cycles
