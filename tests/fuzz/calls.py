"""Calls of the Python API with arguments that nobody means; a call is drawn from its seed.

Some name files that are there as outputs, and some compare a run that lacks or adds something.
"""

import sys
import traceback
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hwgen import api
from tests.cli.given import TINY
from tests.commands.compared import IMAGES, compared, golden, simulated

OUTPUT, COMPARED, SESSION = "output", "compared", "session"
"""Begin of the seed of a call that names an output, of a comparison, and of a session's answers."""

NETWORK = "given.npz"
"""A file that is no network, so that every call ends soon."""
CALLS: dict[Callable[..., Any], dict[str, Any]] = {
    api.Context: {},
    api.build: {"architecture": NETWORK, "out": "new"},
    api.compare: {"network": NETWORK, "against": NETWORK},
    api.compile: {"network": NETWORK, "architecture": TINY},
    api.explore: {"networks": [NETWORK], "family": TINY, "area": 1.0, "points": 1},
    api.export: {"network": NETWORK, "architecture": TINY, "out": "new"},
    api.export_onnx: {"network": NETWORK, "out": "new"},
    api.fit: {"network": NETWORK, "out": "new"},
    api.import_network: {"file": NETWORK, "out": "new"},
    api.infer: {"network": NETWORK, "images": None},
    api.info: {"file": NETWORK},
    api.load_architecture: {"file": NETWORK},
    api.model: {"network": NETWORK, "architecture": TINY},
    api.simulate: {"network": NETWORK, "architecture": TINY},
    api.sweep: {"network": NETWORK, "architecture": TINY, "keys": {"cores": [1]}},
    api.synthesize: {"network": "absent", "power_w": 9.0},
}
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 1.5, float("nan"), float("inf"), 1 << 31, 1 << 64, 10**5000, 1j, "", ".",
    "x" * 300, "a\0b", "\udcff", "\x1b[31mred", "/dev/null", "all,none", b"x", [], [1], ["1.0x"],
    {}, {"cores": []}, {"cores": [object()]}, {1: 2}, (), (0, 5), (5, None), object(), int, len,
    np.int64(2), np.float32("nan"), np.bool_(True), np.zeros((2, 8, 8, 1)), np.array("x"),
    np.array([None]), Path(), Path("a" * 300), range(3), Random, range(10**9), range(10**30),
    {"cores": range(10**9)}, {"cores": range(9999)}, Path(NETWORK), f"./{NETWORK}",
)  # fmt: skip


OUTPUTS: dict[Callable[..., Any], dict[str, Any]] = {
    api.compile: {"network": NETWORK, "architecture": TINY},
    api.export_onnx: {"network": NETWORK},
    api.fit: {"network": NETWORK, "rule": "text", "calibration": 1},
    api.import_network: {"file": NETWORK},
    api.model: {"network": NETWORK, "architecture": TINY, "images": 1},
}
"""Calls that write a file; the network is one here."""


def output_call(random: Random) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return a call that names a file that is there as its output, or a new one."""
    function, given = random.choice(list(OUTPUTS.items()))
    name = random.choice(("plot", "trace")) if function is api.model else "out"
    place = random.choice((NETWORK, f"./{NETWORK}", f"absent/../{NETWORK}", "new", "mine", "."))
    if place == "mine":
        Path(place).write_text("of a person", encoding="ascii")
    return function, {**given, name: place}


MAPS = ("input", "conv", "pool", "head")


def compare_run(random: Random) -> int:
    """Compare runs of which one may lack or add something; return 0 if that is a difference."""
    maps = golden()
    runs = [simulated(image, maps) for image in range(IMAGES)]
    run, name = random.choice(runs), random.choice(MAPS)
    changes: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: run.maps[0].pop(name),
        lambda: run.maps[0][name].__iadd__(1),
        run.step_events.pop,
        lambda: run.step_events.append({}),
        lambda: random.choice(run.step_events).update(unknown=1),
        lambda: run.events.update(unknown=1),
        lambda: run.counters.update(unknown=1),
        run.steps.pop,
        lambda: run.images.append(IMAGES),
        lambda: runs.remove(run),
    )
    place = random.randrange(len(changes))
    changes[place]()
    return 0 if compared(runs).equal is (place == 0) else 1


def call(seed: str) -> int:
    """Call a function; return the exit code that a command would have."""
    random = Random(seed)
    if seed.startswith(COMPARED):
        return compare_run(random)
    if seed.startswith(SESSION):
        from tests.fuzz.sessions import same_answers  # a fork of other calls needs none of it
        from tests.fuzz.states import same_calls

        if seed.split()[1] == "calls":
            return same_calls(random)
        return same_answers(seed.split()[1], random)
    chosen: dict[str, Any] = {}
    if seed.startswith(OUTPUT):
        function, given = output_call(random)
    else:
        function, given = random.choice(list(CALLS.items()))
        names = [*signature(function).parameters]
        if function is not api.Context:  # a class, which Python itself tells of other names
            names.append("unknown")
        count = random.choice((1, 1, 2))
        chosen = {random.choice(names): random.choice(VALUES) for _ in range(count)}
    print(function.__name__, *(f"{name}={type(value).__name__}" for name, value in chosen.items()))
    try:
        function(**{**given, **chosen})
    except api.HwgenError as error:
        print(f"hwgen: {error}", file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 3
    return 0
