"""Generators of the MRAM chip, one component a file; docs/mram-microarchitecture.md has the timing.

Every component that belongs to the family takes the keyword parameter ``arch``. ``Arch`` checks all
sizes when it is made, so that no component refuses one.
"""

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts import Arch


def make_chip(arch: Arch) -> Part:
    """Return the chip of an architecture, the top of its Verilog."""
    # Late: whoever uses one component does not need all the others.
    from hwgen.mram.rtl.chip import Chip

    return Chip(arch=arch)
