"""Generators of the MRAM chip, one component a file; docs/mram-microarchitecture.md has the timing.

Every component that belongs to the family takes the keyword parameter ``arch``. ``Arch`` checks all
sizes when it is made, so that no component refuses one.

Its parts, by what they do:

whole: the chip, its control and its data path: chip, control, datapath, counters
compute: arrays that compute, in octets: octet, octet_control, compute_array, sub_array,
    cell_array, weak_cells, sense_amplifier, bit_counter, adder, accumulation
feed: from a map in a bank to bit planes in the arrays: row_reader, window, walker, gather,
    gather_tap, former, sender, ring, input_tree
load: from the beats of a program to tables, weights and images: loader, table
output: from sums to elements of a map, or of an answer: output_tree, pool, dpu, dpu_lane,
    dpu_place, answer_buffer
hold: the maps, and what is shared by all: banks, image_bank, layouts
"""

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts import Arch


def make_chip(arch: Arch) -> Part:
    """Return the chip of an architecture, the top of its Verilog."""
    # Late: whoever uses one component does not need all the others.
    from hwgen.mram.rtl.chip import Chip

    return Chip(arch=arch)
