"""Files of effects: what devices do to the cells and converters of a chip, for every family.

A file says how far devices err; which cell errs by how much follows from the file and a seed. A
family takes what its devices have, and refuses a file that asks for more.

Tests: `tests/golden/crossbar/test_effects.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.device_levels import LevelTable
from hwgen.chip.supply import SupplyTable
from hwgen.errors import ConfigError, FieldError
from hwgen.files.digests import digest_of
from hwgen.files.load import EXACT, load_spec

FORMAT = "hwgen.effects"

UNITS = {
    "cells.variation": "deviation of the logarithm of a level",
    "cells.drift": "share of a level, at most",
    "cells.stuck_at_zero": "share of the cells",
    "cells.stuck_at_full": "share of the cells",
    "cells.failed_writes": "share of the cells",
    "cells.voltage_drop": "share of a level, in the far corner",
    "cells.weak_sensing": "share of the cells",
    "cells.flipped": "share of the cells",
    "converters.offset_lsb": "deviation, in steps of a code",
    "converters.trimmed": "whole steps are taken off",
    "converters.bits_below_lossless": "bits",
    "read.deviation": "deviation of each read of a column, in steps of a code",
    "writing.energy_pj": "pJ of a pulse on a cell",
    "writing.time_ns": "ns of a pulse",
    "writing.pulses": "pulses of a cell, each verified, on average",
    "writing.cells_at_once": "cells that a pulse writes together",
    "writing.endurance": "pulses of a cell until it wears out; 0: it does not",
    "levels.first_read_s": "s from writing to the first read",
    "levels.time_s": "s from writing to the use of the chip",
    "levels.rounds": "writes of a cell at most",
    "levels.within": "share of the highest level, farthest from the mean that a write is good",
    "levels.retention_s": "s until a cell loses its level, on average; 0: it does not",
    "supply.volts": "V at which the cells stand",
    "supply.nominal_volts": "V of the technology",
}
"""What each number of a file is."""


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=4, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CellEffects:
    """What becomes of the level that a cell was to have; a level is from 0 to full.

    variation: deviation of the logarithm of the factor of each level, which is lognormal
    drift: a level has lost a share of itself, each cell its own from 0 to this
    stuck_at_zero, stuck_at_full: shares of the cells that have this level whatever was written, of
        different cells
    failed_writes: share of the cells that have full minus the level
    voltage_drop: share of its level that a cell in the far corner of its array loses; nearer ones
        lose less, in proportion to row and column
    weak_sensing: share of the cells of one bit whose AND with another row is sensed wrong
    flipped: share of the cells of one bit that read as the other bit, as SRAM does at low voltage
    """

    variation: Spread
    drift: Share
    stuck_at_zero: Share
    stuck_at_full: Share
    failed_writes: Share
    voltage_drop: Share
    weak_sensing: Share
    flipped: Share

    @model_validator(mode="after")
    def _check_stuck(self) -> Self:
        if self.stuck_at_zero + self.stuck_at_full > 1:
            allowed = f"at most 1 - stuck_at_zero, {1 - self.stuck_at_zero:g}"
            raise FieldError("cells.stuck_at_full", allowed, f"{self.stuck_at_full:g}")
        return self


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CodePoint:
    """How far a converter is off at a code.

    code: that an ideal converter gives; lsb: what is added to its sum there, in steps of a code
    """

    code: Annotated[int, Field(ge=0, le=65535)]
    lsb: Annotated[float, Field(ge=-64, le=64, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ConverterEffects:
    """What converters do to the sums of columns.

    offset_lsb: deviation of the offset of each, in steps of its code, normal
    trimmed: whether whole steps of it are taken off, by a measurement without inputs
    bits_below_lossless: bits that they have less than the largest sum of a column asks for
    nonlinearity: integral nonlinearity of all, by code, from code 0; between two points on a line,
        behind the last one as there; a file may leave it out
    """

    offset_lsb: Spread
    trimmed: bool
    bits_below_lossless: Annotated[int, Field(ge=0, le=8)]
    nonlinearity: Annotated[Sequence[CodePoint], Field(max_length=4096)] = ()

    @model_validator(mode="after")
    def _check_nonlinearity(self) -> Self:
        codes = [point.code for point in self.nonlinearity]
        if codes and (codes[0] != 0 or sorted(set(codes)) != codes):
            raise FieldError("converters.nonlinearity.code", "rising, the first 0", codes)
        return self

    @property
    def largest_nonlinearity(self) -> float:
        """The farthest that a code is off, in steps of a code."""
        return max((abs(point.lsb) for point in self.nonlinearity), default=0.0)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ReadEffects:
    """What is drawn anew at each read of a column, in front of its converter.

    deviation: of the noise that a sum has there, in steps of a code of a lossless converter, about
        normal (docs/device-effects.md has the formula)
    """

    deviation: Spread


NO_NOISE = ReadEffects(deviation=0.0)
"""Of a file that says nothing of reads."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Writing:
    """What it costs to write the cells; it changes no answer.

    energy_pj, time_ns: of a pulse, with the read that verifies it; energy on one cell
    pulses: that a cell takes until it holds what it is to hold, on average
    cells_at_once: cells that a pulse writes together
    endurance: pulses of a cell until it wears out; 0: it does not
    """

    energy_pj: Amount
    time_ns: Amount
    pulses: Annotated[float, Field(ge=1, le=1e9, allow_inf_nan=False)]
    cells_at_once: Annotated[int, Field(ge=1)]
    endurance: Amount


@dataclass(frozen=True, kw_only=True, config=EXACT)
class DeviceEffects:
    """How far the devices of a chip err.

    format, version: of the file
    name: for people
    device: what it is, in words
    sources: where each number comes from, by its key
    levels: cells by level, as they were measured, in place of `cells.variation` and `cells.drift`;
        a file may leave it out
    read: noise of each read; a file may leave it out, and has none then
    supply: flipped cells by voltage, as they were measured, in place of `cells.flipped`; a file may
        leave it out
    """

    format: Literal["hwgen.effects"]
    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    device: str
    cells: CellEffects
    converters: ConverterEffects
    writing: Writing
    sources: Mapping[str, str]
    levels: LevelTable | None = None
    read: ReadEffects = NO_NOISE
    supply: SupplyTable | None = None

    @model_validator(mode="after")
    def _check_supply(self) -> Self:
        if self.supply is not None and self.cells.flipped:
            allowed = "0 beside a table of voltages"
            raise FieldError("cells.flipped", allowed, f"{self.cells.flipped:g}")
        return self

    @model_validator(mode="after")
    def _check_levels(self) -> Self:
        for name in ("variation", "drift"):
            value = getattr(self.cells, name)
            if value and self.levels is not None:
                raise FieldError(f"cells.{name}", "0 beside a table of levels", f"{value:g}")
        return self

    @property
    def flipped(self) -> float:
        """Share of the cells of one bit that read as the other bit, given or by the voltage."""
        return self.cells.flipped if self.supply is None else self.supply.flipped

    @property
    def digest(self) -> str:
        """sha256 over all that decides an answer, 64 hex digits."""
        facts = {"cells": asdict(self.cells), "converters": asdict(self.converters)}
        facts["cells"]["flipped"] = self.flipped
        if not self.converters.nonlinearity:
            del facts["converters"]["nonlinearity"]
        if self.levels is not None:
            facts["levels"] = asdict(self.levels)
        if self.read != NO_NOISE:
            facts["read"] = asdict(self.read)
        return digest_of(facts)


def load_effects(path: Path) -> DeviceEffects:
    """Return the effects of a complete YAML file."""
    return load_spec(DeviceEffects, path)


def check_taken(effects: DeviceEffects, taken: Collection[str], family: str) -> None:
    """Refuse effects that the devices of a family do not have.

    taken: keys of `cells`, `converters` and `read` that they have, and `levels`
    Raises ConfigError for the first other one that is not 0; whether converters are trimmed says
    nothing by itself.
    """
    for table, means in (("levels", "levels"), ("supply", "cells.flipped")):
        if getattr(effects, table) is not None and means not in taken:
            allowed = f"left out, since chips of the family {family} have {', '.join(taken)} alone"
            raise ConfigError(field=table, allowed=allowed, given="it", source=effects.name)
    for part in ("cells", "converters", "read"):
        for name, value in asdict(getattr(effects, part)).items():
            key = f"{part}.{name}"
            if value and key not in taken and key != "converters.trimmed":
                allowed = f"0, since chips of the family {family} have {', '.join(taken)} alone"
                given = "a table" if name == "nonlinearity" else value
                raise ConfigError(field=key, allowed=allowed, given=given, source=effects.name)
