"""What a file, in the runtime that people have, says of what was made of it.

Tests: `tests/importers/test_judge.py`.
"""

import dataclasses

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Distance:
    """Of one output from that of the float file, in dB, of ours and of the quantized file's.

    None: there is none.
    """

    output: str
    ours: float | None
    quantized: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Verdict:
    """What a judgement found; it never raises for what differs.

    file: what answered in the runtime; setting: of the processor, where it decides
    unjudged: a sentence, why nothing was compared; else empty, and all below holds
    images, elements: compared; different: of these; larger: by more than a step
    steps: largest difference
    outputs: different elements of each output that has some
    first: node of the file at which a difference begins; empty: none, or not known
    foreseen: whether there is no difference but where a printed line names it, by at most its steps
    unforeseen: sentences, one for each thing that no line names
    distances: of a float file
    """

    file: str
    runtime: str = ""
    setting: str = ""
    unjudged: str = ""
    images: int = 0
    elements: int = 0
    different: int = 0
    larger: int = 0
    steps: int = 0
    outputs: dict[str, int] = dataclasses.field(default_factory=dict)
    first: str = ""
    unforeseen: list[str] = dataclasses.field(default_factory=list)
    distances: list[Distance] = dataclasses.field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether something was compared and nothing differs."""
        return not self.unjudged and not self.different

    @property
    def foreseen(self) -> bool:
        """Whether nothing was found that no line names."""
        return not self.unforeseen


def said_decibels(value: float | None) -> str:
    """Return a distance in words."""
    return "not away" if value is None else f"{value:.1f} dB"
