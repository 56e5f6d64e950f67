"""Facts of a family for the benches of the shared components."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from hwgen.chip.registers import Register
from hwgen.chip.rtl.supervisor import SupervisorErrors

FACTS = "COMMON_FACTS"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Parameters of the shared components, named as these name them.

    words: of a register file, in `slices` slices of `word_bits` each
    """

    family: str
    port_bits: int
    burst_beats: int
    fifo_beats: int
    word_bits: int
    count_bits: int
    entries: int
    rows: bool
    registers: tuple[Register, ...]
    constants: Mapping[str, int]
    address_bits: int
    error_bits: int
    errors: SupervisorErrors
    watchdog_cycles: int
    progress_sources: int
    header_bits: Mapping[int, int]
    first_bits: int
    opcode_bits: int
    alignment_bytes: int
    words: int
    slices: int

    @property
    def port_bytes(self) -> int:
        """Bytes of a beat."""
        return self.port_bits // 8


def settings(facts: Facts) -> Mapping[str, str]:
    """Return the environment that tells a bench which facts hold."""
    return {FACTS: TypeAdapter(Facts).dump_json(facts).decode()}


def facts_from_environment() -> Facts:
    """Return the facts that the pytest side put into the settings of this simulation."""
    return TypeAdapter(Facts).validate_json(os.environ[FACTS])
