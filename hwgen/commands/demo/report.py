"""The report of the demo."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.adaptive import AdaptiveReport
from hwgen.report.model import Speedup
from hwgen.report.run import RunReport
from hwgen.report.types import Count, Fraction, Source
from hwgen.report.work import Accuracy


@dataclass(frozen=True, kw_only=True, config=EXACT)
class DemoReport:
    """One network on the dense and on the sparse chip of one size, both simulated in RTL.

    equal: both chips are, see `RunReport`, and golden's accuracy on the whole test set is that of
        training; so is the second act
    verilog: folder of each chip's Verilog
    where: of each chip, the fraction of all cycles by cause, by the model
    page: file of the page (HTML) with all of it
    adaptive: the second act: a network with several modes on a chip that switches between them;
        null if it was not asked for
    seconds: of the whole demo
    """

    format: Literal["hwgen.report.demo"]
    version: Literal[4]
    equal: bool
    accuracy: Accuracy
    test_images: Count
    network: Source
    dense: RunReport
    sparse: RunReport
    speedup: Speedup
    where: dict[str, dict[str, Fraction]]
    verilog: dict[str, str]
    page: str
    adaptive: AdaptiveReport | None
    seconds: float


REPORTS: dict[str, type] = {"demo": DemoReport}
"""By the name of the schema."""
