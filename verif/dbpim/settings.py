"""How a test hands its architecture to the bench that runs in the simulator."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from hwgen.spec.dbpim.arch import Arch, load_arch
from verif.toolchain import ROOT

ARCH = "DBPIM_ARCH"


def small_arch(**changes: object) -> Arch:
    """Return the small architecture, or one like it; `macro` and `sparsity` as mappings."""
    return changed(load_arch(Path(ROOT, "configs/dbpim/small.yaml")), **changes)


def changed(arch: Arch, **changes: object) -> Arch:
    """Return `arch` with some keys changed, checked like a file; mappings change single keys."""
    facts = asdict(arch)
    for key, value in changes.items():
        facts[key] = {**facts[key], **value} if isinstance(value, Mapping) else value
    return TypeAdapter(Arch).validate_json(json.dumps(facts))


def settings_for(arch: Arch, **others: object) -> dict[str, str]:
    """Return the environment of a bench; names of `others` are written in capitals."""
    return {ARCH: json.dumps(asdict(arch))} | {k.upper(): str(v) for k, v in others.items()}


def arch_from_environment() -> Arch:
    """Return the architecture that the test has put into the settings of this simulation."""
    return TypeAdapter(Arch).validate_json(os.environ[ARCH])


def chances(rng: np.random.Generator, probability: float) -> Iterator[bool]:
    """Say yes with `probability`, for ever."""
    while True:
        yield bool(rng.random() < probability)
