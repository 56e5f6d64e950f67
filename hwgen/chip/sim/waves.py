"""The clock cycles of a simulation that are written as waves.

Tests: `tests/verif/test_runner.py`.
"""

from dataclasses import dataclass
from pathlib import Path

WAVES = (Path(__file__).parent / "waves.v").read_text(encoding="utf-8")
"""Verilog for the inside of a top that has `clk`; it reads the plusargs of `Waves`."""


@dataclass(frozen=True, kw_only=True)
class Waves:
    """Waves of the clock cycles from `first` to `last`, counted from the simulation's start.

    depth: levels of instances whose signals are written, the host is the first; None: all
    """

    first: int = 0
    last: int | None = None
    depth: int | None = None

    @property
    def arguments(self) -> list[str]:
        """The arguments of Verilator."""
        return ["--trace", *([] if self.depth is None else ["--trace-depth", str(self.depth)])]

    def plusargs(self, file: Path) -> list[str]:
        """Return the plusargs that `waves.v` reads."""
        window = [f"+waves_from={self.first}", f"+waves_file={file}"]
        return window if self.last is None else [*window, f"+waves_to={self.last}"]
