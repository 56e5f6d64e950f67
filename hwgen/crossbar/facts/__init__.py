"""Crossbar accelerators: networks as synthesis sees them, components, architectures, schedules."""

from hwgen.crossbar.facts.arch import Arch, load_arch
from hwgen.crossbar.facts.in_memory import in_memory
from hwgen.crossbar.facts.program import Program, check_match, load_program, save_program

__all__ = [
    "Arch",
    "Program",
    "check_match",
    "in_memory",
    "load_arch",
    "load_program",
    "save_program",
]
