"""Units of the energy table: how many of a thing an event moves, or a chip has."""

from typing import Literal, get_args

from hwgen.chip.widths import bits_for_index, bits_for_range
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import CELL, ROW_BITS
from hwgen.dbpim.facts.storage import storage
from hwgen.network.quantization import MOST_SHIFT, SIGNIFICANT_BITS
from hwgen.network.sparsity import PHI_LIMIT

Unit = Literal[
    "one",
    "compartment",
    "cell",
    "metadata_bit",
    "row_register_bit",
    "stage_bit",
    "sense_bit",
    "group_bit",
    "queue_multiplexer",
    "plane_multiplexer",
    "word_bit",
    "vector_bit",
    "byte_choice",
    "filter",
    "float_filter",
    "filter_float_bit",
    "sum_float_bit",
    "lane_float_bit",
    "sum_bit",
    "lane",
    "port_bit",
    "table_bit",
    "row_lane",
    "float_bit",
    "product_lane",
    "chip_filter_compartment",
    "chip_filter",
    "chip_sum_bit",
    "chip_second_filter",
    "chip_second_filter_compartment",
    "core_second_filter",
    "chip_row_cell",
    "chip_cell",
    "chip_metadata_bit",
    "chip_array_column",
    "chip_array_row",
    "chip_macro",
    "chip_stage_bit",
    "chip_sense_bit",
    "chip_core",
    "chip_reader",
    "chip_follower",
    "chip_bank",
    "chip_vector_byte",
    "chip_bank_byte",
    "bus_byte",
    "bus_beat_byte",
    "core_row_bit",
    "core_vector_byte",
    "core_filter",
    "adding_core",
    "adding_filter",
    "chip_queue_bit",
    "chip_byte_choice",
    "chip_lane",
    "chip_requantizer",
    "chip_waiting_total",
    "output_float_bit",
    "simd_float_bit",
    "chip_row_lane",
    "chip_row_unit",
    "chip_product_lane",
    "buffer_byte",
    "psum_byte",
    "mask_byte",
    "fetched_byte",
    "simd_byte",
    "float_byte",
    "beat_byte",
    "packet_byte",
    "memory_byte",
]
UNITS: tuple[Unit, ...] = get_args(Unit)

LARGEST_WEIGHT = 192
"""Two cells at the two highest digits."""
POSITION_BITS = 2 * ROW_BITS + 1
"""Row, column and flag of an output position beside a group."""
STAGE_BITS = 35
"""Of what goes with a bit plane: position, slot and flags of the tag, bit index, flags, valid."""


def size_of(unit: Unit, arch: Arch) -> int:
    """Return how many units an event of a chip has, or all of the chip (`chip_`, bytes)."""
    return {**event_sizes(arch), **chip_sizes(arch)}[unit]


def event_sizes(arch: Arch) -> dict[str, int]:
    """Return the units of one event.

    cell, metadata_bit: of a row of a macro; row_register_bit: of the register that brings a row to
        the macros of a core, for one of them
    stage_bit: of the registers in front of the trees of a macro, with `array_cycles` of 2;
        sense_bit: of those that a row is read into, with `cells` of `synchronous`
    group_bit: bytes of a group in the queue of one macro, with its position; queue_multiplexer:
        multiplexers of two inputs that read it; plane_multiplexer: those that choose a bit of
        each byte
    vector_bit: of a word-vector; byte_choice: bytes that the switch moves for one selected input,
        each chosen from a word and put into a place of the group
    table_bit: of a beat of a table, in each copy; float_bit: of a beat of floats, in each copy
    float_filter: filters of a chip whose requantizers round as float32; product_lane: SIMD lanes
        before a tree of products
    filter_float_bit, sum_float_bit, lane_float_bit: of the registers that requantizers of such a
        chip have beside the one that all have: of a result, a sum, a part of the SIMD unit
    """
    size, macros = arch.macro, arch.macros_per_core
    cells = size.compartments * size.columns
    metadata = metadata_bits(arch)
    group_bits = size.compartments * ACTIVATION_BITS + POSITION_BITS
    return {
        "one": 1,
        "compartment": size.compartments,
        "cell": cells,
        "metadata_bit": metadata,
        "row_register_bit": (cells + metadata) // macros,
        "stage_bit": stage_bits(arch),
        "sense_bit": sense_bits(arch),
        "group_bit": group_bits if arch.sparse_parts else 0,
        "queue_multiplexer": (arch.queue_depth - 1) * group_bits if arch.sparse_parts else 0,
        "plane_multiplexer": (ACTIVATION_BITS - 1) * size.compartments,
        "word_bit": arch.word * ACTIVATION_BITS,
        "vector_bit": macros * arch.word * ACTIVATION_BITS,
        "byte_choice": 2 * macros,
        "filter": arch.filters,
        "float_filter": arch.filters if "float32" in arch.rounding else 0,
        "filter_float_bit": arch.filters * float_bits(arch, arch.multiplier_bits),
        "sum_float_bit": arch.filters * float_bits(arch, 1),
        "lane_float_bit": arch.simd_lanes * float_bits(arch, arch.simd_multiplier_bits),
        "sum_bit": arch.filters * ACCUMULATOR_BITS,
        "lane": arch.simd_lanes,
        "port_bit": arch.port_bits,
        "table_bit": arch.port_bits * arch.table_lookups,
        "row_lane": arch.row_lanes,
        "float_bit": arch.port_bits * arch.row_lanes,
        "product_lane": arch.simd_lanes if arch.row_unit else 0,
    }


def chip_sizes(arch: Arch) -> dict[str, int]:
    """Return the units of the whole chip.

    chip_row_cell: cells of the rows of all macros that are active at once
    chip_array_column, chip_array_row: of the arrays of cells, one a compartment, and of those of
        metadata, one a macro: bit lines and word lines
    chip_stage_bit, chip_sense_bit: as in `event_sizes`
    core_row_bit: of the registers that hold a row until the macros store it; cores of synchronous
        cells have none
    chip_filter: accumulators of sums, on a chip with pair tiles two a filter; chip_second_filter,
        chip_second_filter_compartment, core_second_filter: what such a chip has for the second
        group of filters beside what all have
    chip_reader: cores that read maps, each with buffer, walker and SIMD unit; chip_follower: all
        others; chip_bank: banks of the activation buffers; chip_vector_byte: a word of each,
        chip_bank_byte: as many for each bank, as crossbars have;
        core_vector_byte: of all cores, whether they read maps or not
    chip_sum_bit: of the sums of a tile; bus_byte: of all lanes of the write bus; bus_beat_byte: of
        a word of each pixel that the loader passes in a cycle, for each byte of a beat
    adding_core, adding_filter: cores with a residual adder, and their filters
    chip_requantizer: those of SIMD units; chip_waiting_total: SIMD lanes that wait for one, which
        others of its lanes may have first
    output_float_bit, simd_float_bit: as `filter_float_bit`, of the requantizers of output stages
        and residual adders, and of those of SIMD units
    fetched_byte, simd_byte, float_byte, beat_byte, packet_byte: of the smaller memories: words on
        their way to the switch; tables and depthwise weights; tables, gains and offsets of row
        units; beats and logits; parameters and instructions
    """
    stored = {each.name: each.bits // 8 for each in storage(arch)}
    size, macros = arch.macro, arch.cores * arch.macros_per_core
    cells = macros * size.compartments * size.columns * size.rows
    event = event_sizes(arch)
    metadata = macros * event["metadata_bit"] * size.rows
    arrays = size.compartments + (metadata > 0)
    buffers = arch.simd_units * arch.buffer_bytes
    psums = arch.cores * arch.psum_entries * arch.filters * ACCUMULATOR_BITS // ACTIVATION_BITS
    masks = arch.cores * arch.mask_bytes if arch.sparse_parts else 0
    seconds = arch.sums - arch.filters
    adding = 0 if arch.shares_stream else arch.cores
    return {
        "chip_filter_compartment": macros * arch.filters * size.compartments,
        "chip_filter": macros * arch.sums,
        "chip_sum_bit": macros * arch.sums * sum_bits(arch),
        "chip_second_filter": macros * seconds,
        "chip_second_filter_compartment": macros * seconds * size.compartments,
        "core_second_filter": arch.cores * seconds,
        "chip_row_cell": cells // size.rows,
        "chip_cell": cells,
        "chip_metadata_bit": metadata,
        "chip_array_column": (cells + metadata) // size.rows,
        "chip_array_row": macros * arrays * size.rows,
        "chip_macro": macros,
        "chip_stage_bit": macros * stage_bits(arch),
        "chip_sense_bit": macros * sense_bits(arch),
        "chip_core": arch.cores,
        "chip_reader": arch.simd_units,
        "chip_follower": arch.cores - arch.simd_units,
        "chip_bank": arch.simd_units * arch.banks,
        "chip_vector_byte": arch.simd_units * arch.banks * arch.word,
        "bus_byte": arch.bus_words * arch.word,
        "bus_beat_byte": arch.pixel_lanes * arch.word * arch.port_bytes,
        "chip_bank_byte": arch.simd_units * arch.banks**2 * arch.word,
        "core_vector_byte": arch.cores * arch.banks * arch.word,
        "core_row_bit": arch.cores * kept_bits(arch),
        "core_filter": arch.cores * arch.filters,
        "adding_core": adding,
        "adding_filter": adding * arch.filters,
        "chip_queue_bit": macros * arch.groups_queued * event["group_bit"],
        "chip_byte_choice": arch.cores * arch.switch_rate * event["byte_choice"],
        "chip_lane": arch.simd_units * arch.simd_lanes,
        "chip_requantizer": arch.simd_units * arch.simd_requantizers,
        "chip_waiting_total": arch.simd_units * (arch.simd_lanes - arch.simd_requantizers),
        "output_float_bit": arch.cores * event["filter_float_bit"]
        + adding * event["sum_float_bit"],
        "simd_float_bit": arch.simd_units
        * arch.simd_requantizers
        * float_bits(arch, arch.simd_multiplier_bits),
        "chip_row_lane": arch.simd_units * arch.row_lanes,
        "chip_row_unit": arch.simd_units if arch.row_unit else 0,
        "chip_product_lane": arch.simd_units * event["product_lane"],
        "buffer_byte": buffers,
        "psum_byte": psums,
        "mask_byte": masks,
        "fetched_byte": stored["fetched words"],
        "simd_byte": stored["tables"] + stored["depthwise weights"],
        "float_byte": stored.get("float tables", 0) + stored.get("gains and offsets", 0),
        "beat_byte": stored["memory beats"] + stored["logits"],
        "packet_byte": stored["parameters"] + stored["instructions"],
        "memory_byte": buffers + psums + masks + (cells + metadata) // ACTIVATION_BITS,
    }


def float_bits(arch: Arch, multiplier_bits: int) -> int:
    """Return the bits of a requantizer's registers beside that of its product and shift.

    The first: sum, in 24 bits with one more if anything multiplies it, multiplier and shift. The
    last: product and shift, the product in 24 bits with one more, its places, sign, and a flag.
    """
    if not arch.float32_cycles:
        return 0
    shift = bits_for_index(MOST_SHIFT + 1)
    product = ACCUMULATOR_BITS + multiplier_bits
    rounded = SIGNIFICANT_BITS + 1 + bits_for_index(SIGNIFICANT_BITS + 3) + 2
    return product + (multiplier_bits > 1) + shift + product + shift + rounded


def stage_bits(arch: Arch) -> int:
    """Return the bits of a macro between its array and its trees: terms, constants, the step."""
    terms = arch.sums * arch.macro.compartments * arch.macro.weight_bits
    tag = bits_for_index(arch.macro.rows) + bits_for_index(arch.psum_vectors)
    step = PHI_LIMIT * arch.filters + arch.pairs + tag + STAGE_BITS
    return (arch.array_cycles - 1) * (terms + constant_bits(arch) + step)


def sense_bits(arch: Arch) -> int:
    """Return the bits that a row of a macro is read into, less those of its number before."""
    return (row_bits(arch) - bits_for_index(arch.macro.rows)) if arch.reads_at_edge else 0


def kept_bits(arch: Arch) -> int:
    """Return the bits of the register of a row in a core, which synchronous cells need not have."""
    return 0 if arch.reads_at_edge else row_bits(arch) + bits_for_index(arch.macro.rows) + 1


def row_bits(arch: Arch) -> int:
    """Return the bits of a row of a macro with its metadata."""
    return arch.macro.compartments * arch.macro.columns + metadata_bits(arch)


def sum_bits(arch: Arch) -> int:
    """Return the bits of the sum of a filter over a tile, as its accumulator has them."""
    largest = LARGEST_WEIGHT if arch.sparsity.weight_bits else 1 << arch.macro.weight_bits - 1
    most = largest * arch.macro.compartments * arch.tile_rows * ((1 << ACTIVATION_BITS) - 1)
    return bits_for_range(-most, most if arch.sparsity.weight_bits else most - 1)


def metadata_bits(arch: Arch) -> int:
    """Return the signs, block indices and constants of a row of a macro, in bits."""
    if not arch.sparsity.weight_bits:
        return 0
    bits = sum(field.bits for field in CELL if field.name != "q")
    return bits * arch.macro.compartments * arch.macro.columns + constant_bits(arch)


def constant_bits(arch: Arch) -> int:
    """Return the bits of the constants of a row of a macro; only digits have some."""
    if not arch.sparsity.weight_bits:
        return 0
    largest = arch.macro.compartments * LARGEST_WEIGHT
    return arch.sums * bits_for_range(-largest, largest)
