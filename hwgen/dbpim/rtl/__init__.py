"""Generators of the DB-PIM chip, one component a file.

Every component but ``Requantizer``, ``SimdLane`` and those of floats has one keyword parameter,
``arch``: the sizes and sparsity switches of the chip. ``Arch`` checks all sizes when it is made, so
that no component refuses one.

Example: the Verilog modules of one macro

    from hwgen.dbpim.rtl.macro import Macro
    from hwgen.chip.rtl.emit import verilog_modules

    modules = verilog_modules(Macro(arch=arch))  # {"dbpim_ipu": ..., "dbpim_macro": ...}

Its parts, by what they do:

whole: the chip, its steps and its cores: chip, core, following_core, computing_core, sequencer,
    core_events
compute: a macro, from selected input bits to sums of filters: macro, ipu, plane_counter, dots,
    foreign_dots, compartment, dbmu, digits, cell_array, adder_tree, adders, ppu, psum_array,
    meta_array
feed: input words on their way from the banks to the macros: walker, vector_pixels, fetcher,
    product_walk, switch, group_queue, mask_array, direct_feed, tile_walker, word_receiver
load: from the beats of a program to tiles, taps, tables and maps: loader, load_bus, load_writer,
    word_queue, tile_loader, tile_store, taps_loader, tap_store, table_loader, table_store,
    row_unpacker, triple_decoder, weight_decoder, negative_digits
SIMD: what no macro computes: simd, simd_lane, simd_output, product_operands
rows: softmax and layer norm: row_unit, row_lane, floats_store, floats_loader
floats: arithmetic of float32, with one rounding: floats, fma, float_sum, float_divider,
    byte_divider
output: from sums to elements in a bank or in memory: output_stage, residual_adder, write_port,
    write_bus, logit_buffer
hold: the maps of a core, and what is shared by all: activation_buffer, activation_bank, region,
    layouts
"""

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts import Arch


def make_chip(arch: Arch) -> Part:
    """Return the chip of an architecture, the top of its Verilog."""
    # Late: whoever uses one component does not need all the others.
    from hwgen.dbpim.rtl.chip import Chip

    return Chip(arch=arch)


def named_adders(arch: Arch) -> dict[str, str]:
    """Return Verilog for synthesis: by module name, the adder tree in its body of named adders.

    The adder tree replaces the module of the same name of the chip; the adders come beside it.
    """
    from hwgen.chip.rtl.emit import verilog_modules
    from hwgen.dbpim.rtl.adder_tree import AdderTree

    return verilog_modules(AdderTree(arch=arch, adders=True))
