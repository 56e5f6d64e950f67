"""A trace shows the steps of the first run, and the units of a family that tells them."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwgen import api
from hwgen.cli import main
from tests.cli.given import ROOT, TINY


def events_of(path: Path, thread: int) -> list[dict[str, Any]]:
    trace = json.loads(path.read_text(encoding="utf-8"))
    assert trace["otherData"] == {"unit of time": "1 us is 1 clock cycle"}
    return [e for e in trace["traceEvents"] if e["tid"] == thread and e["ph"] == "X"]


def names_of(path: Path) -> list[str]:
    events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    return [event["args"]["name"] for event in events if event["name"] == "thread_name"]


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


def test_a_family_without_a_timeline_shows_its_steps(tmp_path: Path) -> None:
    trace = tmp_path / "trace.json"
    chip = ROOT / "configs/mram/small.yaml"
    network = ROOT / "configs/networks/cadnn_digits.npz"
    context = api.Context(work=tmp_path / "work", console=None)
    report = api.model(network, chip, modes=["0.25x"], trace=trace, context=context)
    assert names_of(trace) == ["steps"]
    assert max(step["ts"] + step["dur"] for step in events_of(trace, 0)) <= report.cycles_model
