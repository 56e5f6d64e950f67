"""Records signals of a wrapper in each clock cycle, for checks after the run."""

import re
from collections.abc import Sequence
from typing import Any

from cocotb.triggers import FallingEdge, ReadOnly

KNOWN = re.compile("[01]+")
"""The bits of a value without an unknown one."""


class Probe:
    """`cycles[n][name]`: value of a port in the n-th recorded cycle; None where it is unknown."""

    def __init__(self, dut: Any, prefix: str, names: Sequence[str]) -> None:
        self.cycles: list[dict[str, Any]] = []
        self._clk = dut.clk
        self._signals = {name: getattr(dut, f"{prefix}__{name}") for name in names}

    async def record(self) -> None:
        """Record from this cycle on, for ever; start it between a falling edge and the next."""
        while True:
            await ReadOnly()
            row = {}
            for name, signal in self._signals.items():
                # `is_resolvable` makes an object of each bit, which took most of a bench's time.
                bits = str(signal.value)
                row[name] = int(bits, 2) if KNOWN.fullmatch(bits) else None
            self.cycles.append(row)
            await FallingEdge(self._clk)

    def last(self, name: str) -> Any:
        """Return what the signal was in the cycle recorded last."""
        return self.cycles[-1][name] if self.cycles else None

    def when(self, *names: str) -> list[int]:
        """Return the cycles in which all these signals were 1."""
        return [n for n, row in enumerate(self.cycles) if all(row[name] == 1 for name in names)]
