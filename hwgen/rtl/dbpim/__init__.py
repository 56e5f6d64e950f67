"""Generators of the DB-PIM chip, one component a file."""

from hwgen.rtl.part import Part
from hwgen.spec.dbpim import Arch


def make_chip(arch: Arch) -> Part:
    """Return the chip of an architecture, the top of its Verilog."""
    # Late: whoever uses one component does not need all the others.
    from hwgen.rtl.dbpim.chip import Chip  # noqa: PLC0415

    return Chip(arch=arch)
