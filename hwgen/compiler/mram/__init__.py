"""Passes, banks, placements and records of the MRAM family."""

from hwgen.compiler.mram.compile import compile_network, recompile

__all__ = ["compile_network", "recompile"]
