"""A run as a trace in the format of Chrome and Perfetto: one cycle is a microsecond there.

Tests: `tests/commands/test_trace.py`.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hwgen.chip.step import Step
from hwgen.chip.timeline import Track

PROCESS = 1
STEPS = "steps"


def trace_text(name: str, steps: Sequence[Step], tracks: Sequence[Track]) -> str:
    """Return the trace; name: of the run."""
    events = [metadata("process_name", 0, name), *step_events(steps)]
    for thread, track in enumerate(tracks, 1):
        events.append(metadata("thread_name", thread, track.unit))
        events.append(metadata("thread_sort_index", thread, thread))
        for each in track.intervals:
            share = {"fraction of the time": round(each.fraction, 4)}
            events.append(event(each.what, thread, each.begin, each.end, share))
    facts = {"generator": "hwgen", "unit of time": "1 us is 1 clock cycle"}
    return json.dumps({"otherData": facts, "traceEvents": events}, separators=(",", ":")) + "\n"


def step_events(steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
    """Yield the steps as the first track."""
    yield metadata("thread_name", 0, STEPS)
    yield metadata("thread_sort_index", 0, 0)
    for step in steps:
        if step.end > step.begin:
            yield event(step.name, 0, step.begin, step.end, {"layer": step.layer})


def event(
    name: str, thread: int, begin: int, end: int, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Return an interval of a track."""
    return {
        "name": name,
        "ph": "X",
        "pid": PROCESS,
        "tid": thread,
        "ts": begin,
        "dur": end - begin,
        "args": arguments,
    }


def metadata(kind: str, thread: int, value: str | int) -> dict[str, Any]:
    """Return a name, or the place of a track."""
    key = "sort_index" if kind.endswith("sort_index") else "name"
    return {"name": kind, "ph": "M", "pid": PROCESS, "tid": thread, "args": {key: value}}
