"""Generators of the crossbar chip: a conductor that knows time, and macros that compute.

Its parts, by what they do:

whole: the chip, its time and its macros: chip, macro, engine, array_engine, operand_engines
time: which block starts what, and when: conductor, layer_conductor, counters
compute: from inputs in registers to sums, windows and additions: array, bank, conversions, shifts,
    addition, chain, pool, requantizer
feed: from a ring to the inputs of units: loader, joined_loader, block_reader, walks
output: from results to a ring, to a link, to memory: results, gather, result_collector
links: over the mesh, and at the memory port: links, image_sender, front
hold: memories and sizes that are shared by all: memories, pad, sizes, unpaid, layouts
"""

from hwgen.chip.rtl.part import Part
from hwgen.crossbar.facts import Arch


def make_chip(arch: Arch) -> Part:
    """Return the chip of an architecture, the top of its Verilog."""
    # Late: whoever uses one component does not need all the others.
    from hwgen.crossbar.facts.chip import described
    from hwgen.crossbar.rtl.chip import Chip
    from hwgen.crossbar.rtl.macro import Macro

    chip = described(arch)
    return Chip(chip=chip, macros=[Macro(chip=chip, macro=one.macro) for one in chip.macros])
