"""Generators of the crossbar chip: a conductor that knows time, and macros that compute."""

from hwgen.chip.rtl.part import Part
from hwgen.crossbar.facts import Arch


def make_chip(arch: Arch) -> Part:
    """Return the chip of an architecture, the top of its Verilog."""
    # Late: whoever uses one component does not need all the others.
    from hwgen.crossbar.facts.description import described
    from hwgen.crossbar.rtl.chip import Chip
    from hwgen.crossbar.rtl.macro import Macro

    chip = described(arch)
    return Chip(chip=chip, macros=[Macro(chip=chip, macro=one.macro) for one in chip.macros])
