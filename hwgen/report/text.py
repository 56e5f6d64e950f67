"""The report of `hwgen text`."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import ChipClock, Count, EnergySum, Source

NotNegative = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TextReport:
    """A text that a language model wrote, and what a call of the chip takes; null by golden.

    calls: of the chip, one for each character of the prompt and of the text but the last
    cycles, load_cycles, time_us, bytes, energy: of a call on average; bytes: that the port moves
    clock: at which time_us is; null: the netlist of the chip was not measured, nor is time_us told
    equal: whether every answer of the simulation is golden's; null without one
    """

    format: Literal["hwgen.report.text"]
    version: Literal[1]
    network: Source
    architecture: Source
    engine: Literal["golden", "model", "rtl"]
    prompt: str
    text: str
    calls: Count
    seed: Count
    temperature: NotNegative
    equal: bool | None
    cycles: NotNegative | None = None
    cycles_least: Count | None = None
    cycles_most: Count | None = None
    load_cycles: NotNegative | None = None
    time_us: NotNegative | None = None
    bytes: NotNegative | None = None
    energy: EnergySum | None = None
    clock: ChipClock | None = None
