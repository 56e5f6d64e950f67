"""The components that families share side by side, and how their benches run."""

from pathlib import Path

from hwgen.chip.rtl.checksum import Checksum
from hwgen.chip.rtl.fifo import Fifo
from hwgen.chip.rtl.packet_front import PacketFront
from hwgen.chip.rtl.read_engine import ReadEngine
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.rtl.registers import Registers
from hwgen.chip.rtl.supervisor import Supervisor
from hwgen.chip.rtl.write_engine import WriteEngine
from verif.axi_adapter import axi_harness
from verif.common.facts import Facts, settings
from verif.common.side_by_side import SideBySide, stem
from verif.runner import Waves, build, run

FIFO_DEPTH = 4
FIFO_BITS = 16
FIFO = f"fifo_{FIFO_DEPTH}x{FIFO_BITS}"
AXI = {
    "read": "read_engine__memory",
    "write": "write_engine__memory",
    "lite": "registers__bus",
}
"""Prefix of the ports for the name by which cocotbext-axi finds them."""


def register_file(facts: Facts) -> RegisterFile:
    """Return the register file of the bench."""
    return RegisterFile(
        family=facts.family, depth=facts.words, width=facts.word_bits, slices=facts.slices
    )


def register_file_stem(facts: Facts) -> str:
    """Return the prefix of the register file's ports."""
    return stem(register_file(facts))


def common_parts(facts: Facts) -> SideBySide:
    """Return all components that families share, with the facts of one family."""
    return SideBySide(
        parts=[
            Fifo(family=facts.family, depth=FIFO_DEPTH, width=FIFO_BITS),
            register_file(facts),
            Checksum(family=facts.family, port_bits=facts.port_bits),
            ReadEngine(
                family=facts.family,
                port_bits=facts.port_bits,
                fifo_beats=facts.fifo_beats,
                burst_beats=facts.burst_beats,
            ),
            WriteEngine(
                family=facts.family,
                port_bits=facts.port_bits,
                burst_beats=facts.burst_beats,
                word_bits=facts.word_bits,
                count_bits=facts.count_bits,
                entries=facts.entries,
                rows=facts.rows,
            ),
            Registers(
                family=facts.family,
                table=facts.registers,
                constants=facts.constants,
                address_bits=facts.address_bits,
                error_bits=facts.error_bits,
            ),
            Supervisor(
                family=facts.family,
                errors=facts.errors,
                error_bits=facts.error_bits,
                watchdog_cycles=facts.watchdog_cycles,
                progress_sources=facts.progress_sources,
            ),
            PacketFront(
                family=facts.family,
                port_bits=facts.port_bits,
                header_bits=facts.header_bits,
                first_bits=facts.first_bits,
                opcode_bits=facts.opcode_bits,
                count_bits=facts.count_bits,
            ),
        ]
    )


def run_common_bench(
    stem: str,
    facts: Facts,
    folder: Path,
    waves: Waves | None = None,
    *,
    simulator: str = "verilator",
) -> None:
    """Run `bench_<stem>` on the executable that the benches of all shared components use."""
    parts = common_parts(facts)
    bench = build(parts, harness=axi_harness(parts, AXI), simulator=simulator, waves=waves)
    run(bench, module=f"verif.common.bench_{stem}", folder=folder, settings=settings(facts))
