"""The report of `hwgen text`."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import ChipClock, Count, EnergySum, Source

NotNegative = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TextReport:
    """A text that a language model wrote, and what the chip takes for it; null by golden.

    written: tokens: characters, or pieces of a tokenizer, with the end of a text, if it comes
    calls: of the chip; tokens_a_call: that one takes where so many fit, else one
    drafts, right_drafts: tokens that calls took before they were written, and those that were
    calls_again: that read again what a full context had, and write nothing
    cycles, load_cycles, time_us, bytes, energy: of all calls by the tokens of the text, without the
        prompt; bytes: that the port moves
    cycles_least, cycles_most: of a call
    clock: at which time_us is; null: the netlist of the chip was not measured, nor is time_us told
    equal: whether every answer of the simulation is golden's; null without one
    """

    format: Literal["hwgen.report.text"]
    version: Literal[2]
    network: Source
    architecture: Source
    engine: Literal["golden", "model", "rtl"]
    prompt: str
    text: str
    written: Count
    calls: Count
    tokens_a_call: Count
    drafts: Count
    right_drafts: Count
    calls_again: Count
    seed: Count
    temperature: NotNegative
    top_k: Count | None
    top_p: NotNegative
    equal: bool | None
    cycles: NotNegative | None = None
    cycles_least: Count | None = None
    cycles_most: Count | None = None
    load_cycles: NotNegative | None = None
    time_us: NotNegative | None = None
    bytes: NotNegative | None = None
    energy: EnergySum | None = None
    clock: ChipClock | None = None
