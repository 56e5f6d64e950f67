"""The architecture under test of the component benches, and the helpers that all of them use."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from hwgen.files.load import validate_spec
from hwgen.mram.facts.arch import Arch, ArraySize, load_arch

ARCH = "MRAM_ARCH"
CONFIGS = Path(__file__).parents[2] / "configs" / "mram"


def tiny() -> Arch:
    """Return the smallest architecture in which every mechanism works."""
    return load_arch(CONFIGS / "tiny.yaml")


def single() -> Arch:
    """Return an architecture with one octet, and one block in a row of a bank."""
    return replace(
        tiny(),
        sub_arrays=4,
        block=4,
        array=ArraySize(rows=32, columns=64),
        element_bits=16,
        accumulator_bits=48,
    )


def overlapped() -> Arch:
    """Return the smallest architecture with sum registers."""
    return replace(tiny(), overlap=True)


def with_twins() -> Arch:
    """Return the smallest architecture with twins, and with sum registers."""
    return replace(overlapped(), twins=True)


def any_kernel() -> Arch:
    """Return a small architecture whose kernels fill their segments, with all options.

    Its rows hold several blocks of several positions.
    """
    return replace(with_twins(), kernels="any", array=ArraySize(rows=64, columns=128))


def settings(arch: Arch, **more: object) -> Mapping[str, str]:
    """Return the environment that gives a bench its architecture."""
    others = {name: str(value) for name, value in more.items()}
    return {ARCH: json.dumps(asdict(arch)), **others}


def arch_from_environment() -> Arch:
    """Return the architecture that the pytest side put into the settings of this simulation."""
    return validate_spec(Arch, json.loads(os.environ[ARCH]), source=ARCH)
