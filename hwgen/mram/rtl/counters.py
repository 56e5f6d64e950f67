"""Counters of array operations: what the host reads to see work and the lock.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.layouts import octet_trace

OPERATION_BITS = 64
ROW_WRITE_BITS = 32


class Counters(Part):
    """Sums what the octets report; two counters begin anew with each command, two with reset.

    Ports
        start               in   1            a command begins
        octets              in   octet_trace  of each octet
        and_operations      out  64           AND row operations of the command
        input_row_writes    out  64           input rows written by the command
        weight_row_writes   out  32           weight rows written since reset
        refused_row_writes  out  32           writes that the lock refused since reset
    Latency  2 cycles from an operation to its counter
    Rate     all octets in each cycle
    Errors   none; a counter wraps around
    Golden   ``hwgen.mram.model``
    Source   docs/mram-microarchitecture.md, "Counters"
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "start": In(1),
                "octets": In(data.ArrayLayout(octet_trace(arch), arch.octets)),
                "and_operations": Out(OPERATION_BITS),
                "input_row_writes": Out(OPERATION_BITS),
                "weight_row_writes": Out(ROW_WRITE_BITS),
                "refused_row_writes": Out(ROW_WRITE_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        of_command = {"and_operations": "ands", "input_row_writes": "input_writes"}
        since_reset = {"weight_row_writes": "weight_writes", "refused_row_writes": "refused"}
        for name, field in (of_command | since_reset).items():
            counter = getattr(self, name)
            m.d.sync += counter.eq(counter + self._sum(m, field))
        with m.If(self.start):
            m.d.sync += [getattr(self, name).eq(0) for name in of_command]
        return m

    def _sum(self, m: Module, field: str) -> Value:
        """Return the number of operations of one kind in the cycle before, in all octets."""
        total = Signal(bits_for_index(self._arch.sub_arrays + 1), name=f"{field}_total")
        counts = [self.octets[number][field] for number in range(self._arch.octets)]
        m.d.sync += total.eq(sum(counts[1:], counts[0]))
        return total
