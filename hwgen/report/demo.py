"""The report of the demo."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.report.model import Speedup
from hwgen.report.run import RunReport
from hwgen.report.types import STRICT, Count, Source
from hwgen.report.work import Accuracy


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DemoReport:
    """One network on the dense and on the sparse chip of one size, both simulated in RTL.

    equal: both chips are, see `RunReport`, and golden's accuracy on the whole test set is that of
        training
    verilog: folder of each chip's Verilog
    seconds: of the whole demo
    """

    format: Literal["hwgen.report.demo"]
    version: Literal[2]
    equal: bool
    accuracy: Accuracy
    test_images: Count
    network: Source
    dense: RunReport
    sparse: RunReport
    speedup: Speedup
    verilog: dict[str, str]
    seconds: float
