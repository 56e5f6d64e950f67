"""Facts of two families for the shared components: DB-PIM's and a made-up family's."""

from dataclasses import replace

import pytest

from hwgen.chip.registers import (
    ADDRESS_BITS,
    ALIGNMENT_BYTES,
    CONTROL,
    STATUS,
    address_rows,
    register_table,
)
from hwgen.chip.rtl.supervisor import SupervisorErrors
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, Arch
from hwgen.dbpim.facts.instructions import (
    VERSION,
    ErrorCode,
    Opcode,
)
from hwgen.dbpim.facts.registers import REGISTERS
from hwgen.dbpim.facts.timing import BURST_BEATS, WATCHDOG_CYCLES
from hwgen.dbpim.rtl.chip import PROGRESS
from hwgen.dbpim.rtl.layouts import ERROR_BITS, packet
from hwgen.dbpim.rtl.loader import OPCODE_BITS, first_bits, header_bits
from verif.common.facts import Facts
from verif.dbpim.system_parts import narrow, other_sizes, small, wide


def dbpim(arch: Arch) -> Facts:
    """Return what the DB-PIM chip says."""
    return Facts(
        family="dbpim",
        port_bits=arch.port_bits,
        burst_beats=BURST_BEATS,
        fifo_beats=arch.read_ahead_beats,
        word_bits=ACCUMULATOR_BITS,
        count_bits=packet(Opcode.STORE, arch)["words"].width,
        entries=arch.logit_entries,
        rows=True,
        registers=REGISTERS,
        constants={"id": arch.id_word, "version": VERSION},
        address_bits=ADDRESS_BITS,
        error_bits=ERROR_BITS,
        errors=SupervisorErrors(
            read=ErrorCode.READ_ERROR, write=ErrorCode.WRITE_ERROR, stalled=ErrorCode.STALLED
        ),
        watchdog_cycles=WATCHDOG_CYCLES,
        progress_sources=len(PROGRESS),
        header_bits=header_bits(arch),
        first_bits=first_bits(arch),
        opcode_bits=OPCODE_BITS,
        alignment_bytes=ALIGNMENT_BYTES,
        words=4,
        slices=arch.macros_per_core,
    )


def other() -> Facts:
    """Return what a made-up family says, which has nothing in common with DB-PIM."""
    rows = register_table(
        [
            STATUS,
            CONTROL,
            ("error", "read", "as everywhere"),
            ("kind", "read", "a constant"),
            ("mode", "read and write while busy", "32 bits"),
            ("heap_low", "read and write", "64 bits"),
            ("heap_high", "read and write", "64 bits"),
            ("steps", "read", "32 bits"),
            *address_rows("image_address", "of the image"),
            ("energy_low", "read", "64 bits"),
            ("energy_high", "read", "64 bits"),
        ]
    )
    return Facts(
        family="other",
        port_bits=128,
        burst_beats=8,
        fifo_beats=32,
        word_bits=16,
        count_bits=12,
        entries=256,
        rows=True,
        registers=rows,
        constants={"kind": 0xC0FFEE},
        address_bits=8,
        error_bits=5,
        errors=SupervisorErrors(read=9, write=21, stalled=30),
        watchdog_cycles=100,
        progress_sources=3,
        header_bits={3: 128, 5: 384, 77: 256},
        first_bits=512,
        opcode_bits=7,
        alignment_bytes=64,
        words=6,
        slices=3,
    )


FAMILIES = {"dbpim": dbpim(small()), "wide": dbpim(wide()), "other": other()}
LAUNCHES = [
    pytest.param(name, marks=pytest.mark.long if name == "wide" else ()) for name in FAMILIES
]
"""Names for the benches of each component; a second size of one family takes --long."""
NARROW = {
    "dbpim": dbpim(narrow()),
    "other": replace(other(), port_bits=64, burst_beats=16, fifo_beats=64, rows=False),
}
OTHER_SIZES = {name: dbpim(arch) for name, arch in other_sizes().items()}
