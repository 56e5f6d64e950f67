"""The parts between a chip and few pins side by side, and how their benches run."""

from pathlib import Path

from hwgen.chip.rtl.line.frames import Frames
from hwgen.chip.rtl.line.line_memory import LineMemory
from hwgen.chip.rtl.line.spi_pins import SpiPins
from hwgen.chip.rtl.line.uart_pins import UartPins
from verif.axi_adapter import axi_harness
from verif.common.side_by_side import SideBySide
from verif.runner import Waves, build, run

FAMILY = "few"
PORT_BITS = 64
SIZE = 1 << 8
ADDRESS_BITS = 12
BIT_CYCLES = 7
AXI = {"axi": "line_memory__memory"}


def line_parts() -> SideBySide:
    """Return the parts."""
    return SideBySide(
        parts=[
            Frames(family=FAMILY, size=SIZE, address_bits=ADDRESS_BITS),
            LineMemory(family=FAMILY, port_bits=PORT_BITS, size=SIZE),
            UartPins(family=FAMILY, bit_cycles=BIT_CYCLES),
            SpiPins(family=FAMILY),
        ]
    )


def run_line_bench(
    stem: str, folder: Path, waves: Waves | None = None, *, simulator: str = "verilator"
) -> None:
    """Run `bench_<stem>` on the executable that all of them share."""
    parts = line_parts()
    bench = build(parts, harness=axi_harness(parts, AXI), simulator=simulator, waves=waves)
    run(bench, module=f"verif.common.bench_{stem}", folder=folder, settings={})
