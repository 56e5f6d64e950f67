"""Architectures for the tests of compiler and model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hwgen.mram.facts import Arch, load_arch

FOLDER = Path(__file__).parents[3] / "configs" / "mram"


def arch_of(name: str, **changes: Any) -> Arch:
    """Return a shipped architecture, with other values of some fields."""
    return replace(load_arch(FOLDER / f"{name}.yaml"), **changes)
