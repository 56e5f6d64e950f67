"""The schedule of a synthesized accelerator: when and where every task of one image runs.

One `.npz` without pickle with two arrays: `facts`, JSON with all that is below, and `start`, the
pipeline step at which each block of each operation starts. In a stream an image enters every
`interval_steps`; a block then starts as soon as it has its inputs, the block before it, its links
and its ADCs, which the image before may still use.
"""

import hashlib
import json
from dataclasses import asdict
from dataclasses import dataclass as plain_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.chip.facts import FACTS_KEY, parse_facts
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.operations import OperationName
from hwgen.errors import FormatError
from hwgen.files.load import EXACT
from hwgen.files.npz import read_npz, write_npz

FORMAT = "hwgen.crossbar.schedule"
VERSION = 1
START_KEY = "start"

Size = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Starts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ScheduledOperation:
    """One operation of one layer; its blocks run one after the other.

    layer: place in the architecture's `layers`; operation: what
    first_macro, macros: where
    bit_steps: how often it is repeated for a block, once for each bit step of the input; bits
        follow each other without a gap
    steps: pipeline steps of one bit, or of the whole where bit_steps is 1
    blocks: how many; `start` holds the first step of each, from place `first` on
    """

    layer: Count
    operation: OperationName
    first_macro: Count
    macros: Size
    bit_steps: Size
    steps: Size
    blocks: Size
    first: Count

    @property
    def busy(self) -> int:
        """Steps of one block."""
        return self.steps * self.bit_steps


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ScheduleFacts:
    """For whom the schedule is, and what stands where.

    steps: of one image; interval_steps: from one image to the next in a steady stream
    operations: of layer after layer, each layer's in the order in which a block goes through them
    """

    format: Literal["hwgen.crossbar.schedule"]
    version: Literal[1]
    network: Digest
    architecture: Digest
    step_ns: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    steps: Size
    interval_steps: Size
    operations: Annotated[tuple[ScheduledOperation, ...], Field(min_length=1)]


@plain_dataclass(frozen=True, kw_only=True)
class Schedule:
    """Facts, and the step at which each block of each operation starts."""

    facts: ScheduleFacts
    start: Starts

    def starts_of(self, operation: ScheduledOperation) -> Starts:
        """Return the first step of each block of an operation."""
        return self.start[operation.first : operation.first + operation.blocks]

    @property
    def digest(self) -> str:
        """sha256 over everything, 64 hex digits."""
        sha = hashlib.sha256(json.dumps(asdict(self.facts), sort_keys=True).encode())
        sha.update(self.start.astype("<i8").tobytes())
        return sha.hexdigest()


def save_schedule(schedule: Schedule, path: Path) -> None:
    """Write the schedule; the file is whole or absent, and its bytes depend on content only."""
    text = json.dumps(asdict(schedule.facts), indent=1)
    facts = np.frombuffer(text.encode(), np.uint8)
    arrays = {FACTS_KEY: facts, START_KEY: schedule.start.astype("<i8")}
    write_npz(path, arrays, what="schedule")


def load_schedule(path: Path, arch: Arch | None = None) -> Schedule:
    """Return the schedule in `path`, and refuse one for another architecture than `arch`.

    That of a design holds for its chips with `effects` and all else that a person adds.
    """
    source = str(path)
    arrays = read_npz(path, what="schedule", allowed=f"a whole {FORMAT} file (.npz)")
    if set(arrays) != {FACTS_KEY, START_KEY}:
        given = ", ".join(sorted(arrays)) or "nothing"
        allowed = f"a {FORMAT} file with {FACTS_KEY} and {START_KEY} inside"
        raise FormatError(field="the schedule", allowed=allowed, given=given, source=source)
    facts = parse_facts(
        arrays[FACTS_KEY], ScheduleFacts, file_format=FORMAT, version=VERSION, source=source
    )
    check_starts(arrays[START_KEY], facts, source)
    schedule = Schedule(facts=facts, start=arrays[START_KEY].astype(np.int64))
    if arch is not None and facts.architecture not in (arch.digest, arch.design_digest):
        raise FormatError(
            field="the schedule",
            allowed=f"made for the architecture {arch.name} ({arch.digest[:8]})",
            given=f"one for {facts.architecture[:8]}",
            source=source,
        )
    return schedule


def check_starts(start: NDArray[Any], facts: ScheduleFacts, source: str) -> None:
    """Refuse starts that do not belong to the facts, overlap, or end after the image does."""
    blocks = sum(each.blocks for each in facts.operations)
    if start.dtype.kind != "i" or start.shape != (blocks,):
        allowed = f"{blocks} whole numbers, as many as the facts have blocks"
        given = f"{start.dtype} of shape {start.shape}"
        raise FormatError(field=START_KEY, allowed=allowed, given=given, source=source)
    first = 0
    for operation in facts.operations:
        field = f"{START_KEY} of {operation.operation} of layer {operation.layer}"
        if operation.first != first:
            allowed, given = f"at place {first}", f"place {operation.first}"
            raise FormatError(field=field, allowed=allowed, given=given, source=source)
        own = start[first : first + operation.blocks]
        first += operation.blocks
        if own[0] < 0 or own[-1] >= facts.steps:
            allowed, given = f"within the {facts.steps} steps", f"{own[0]} to {own[-1]}"
            raise FormatError(field=field, allowed=allowed, given=given, source=source)
        if operation.blocks > 1 and np.diff(own).min() < operation.busy:
            allowed = f"{operation.busy} steps apart at least"
            given = f"{np.diff(own).min()}"
            raise FormatError(field=field, allowed=allowed, given=given, source=source)
