"""What it costs to write the cells of a chip, and which devices a run had.

Tests: `tests/commands/test_writing.py`.
"""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, Source

Amount = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class WritingCost:
    """What it costs to write the cells that a load writes, by the figures of a file of effects.

    cells: that are written; each: a load of a program, or a run, whose tiles are loaded on the way
    pulses: of all cells together, each verified
    energy_pj, time_ns: of all pulses; as many cells take a pulse together as the file says
    wears_out_after: loads, or runs, until cells wear out; null: they do not
    """

    cells: Count
    each: str
    pulses: Amount
    energy_pj: Amount
    time_ns: Amount
    wears_out_after: Amount | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RunEffects:
    """Devices that err.

    file: of effects; seed: which chip of that kind it is
    writing: what it costs to write its cells
    """

    file: Source
    seed: Count
    writing: WritingCost
