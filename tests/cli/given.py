"""Files that the tests of the command line start from, and changed copies of them."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "configs/networks/digits_small_cnn.npz"
ARCH = ROOT / "configs/dbpim/small.yaml"
TINY = ROOT / "configs/dbpim/tiny.yaml"
RECIPE = ROOT / "configs/train/digits_small_cnn.yaml"
ADAPTIVE = ROOT / "configs/train/cadnn_digits.yaml"

Command = Callable[..., tuple[int, str, str]]
"""Runs `hwgen` with some arguments; returns exit code, stdout and stderr."""

Refused = Callable[[tuple[int, str, str]], None]
"""Holds what a command said against the text that the test keeps (`scripts/test --renew`)."""


def rewritten(
    source: Path, target: Path, key: str, change: Callable[[dict[str, Any]], None]
) -> Path:
    """Copy an archive with the JSON of one member changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == f"{key}.npy":
                facts = json.loads(np.load(io.BytesIO(content)).tobytes())
                change(facts)
                member = io.BytesIO()
                np.save(member, np.frombuffer(json.dumps(facts).encode(), np.uint8))
                content = member.getvalue()
            new.writestr(name, content)
    return target
