"""Calls of the Python API with arguments that nobody means; a call is drawn from its seed."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hwgen import api
from tests.cli.given import TINY

NETWORK = "given.npz"
"""A file that is no network, so that every call ends soon."""
CALLS: dict[Callable[..., Any], dict[str, Any]] = {
    api.build: {"architecture": NETWORK, "out": "new"},
    api.compare: {"network": NETWORK, "against": NETWORK},
    api.compile: {"network": NETWORK, "architecture": TINY},
    api.export: {"network": NETWORK, "architecture": TINY, "out": "new"},
    api.export_onnx: {"network": NETWORK, "out": "new"},
    api.fit: {"network": NETWORK, "out": "new"},
    api.import_network: {"file": NETWORK, "out": "new"},
    api.infer: {"network": NETWORK, "images": None},
    api.info: {"file": NETWORK},
    api.listing: {"network": NETWORK, "architecture": TINY},
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
    np.array([None]), Path(), Path("a" * 300), range(3), Random,
)  # fmt: skip


def call(seed: str) -> int:
    """Call a function; return the exit code that a command would have."""
    random = Random(seed)
    function, given = random.choice(list(CALLS.items()))
    names = [*getattr(function, "__signature__").parameters, "unknown"]  # noqa: B009
    chosen = {random.choice(names): random.choice(VALUES) for _ in range(random.choice((1, 1, 2)))}
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
