"""How often each event happens in a run, from where blocks lie in rings and on links; its energy.

What has no event has no energy here: DACs, digital units and requantizers, whose work a search
counts, and whose static power is in `leakage_pj` as everyone's is.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.accesses import Access
from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.arch_fabric import Held, Travel
from hwgen.crossbar.facts.chip import Chip, ChipLayer, described
from hwgen.crossbar.facts.columns import Piece, pieces_of, whole_pieces
from hwgen.crossbar.facts.image_io import answer_beats, image_beats
from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.rules import STRICT

Ints = NDArray[np.int64]

COUNTED = (
    "crossbars, ADCs, scratchpads and what all parts take by time alone; no work of DACs, digital"
    " units and the network-on-chip"
)
"""What the energy of an image is of."""
PICO_OF_NANO, PICO_OF_MILLI, NS_IN_US = 1000, 1e9, 1000
EVENTS_OF_PART: Mapping[str, tuple[str, ...]] = {
    "crossbar": ("crossbar_reads",),
    "adc": ("conversions",),
    "scratchpad": ("port_reads", "port_writes"),
    "network_on_chip": ("flit_hops",),
}
"""Events by the part of a chip that takes their energy."""


def run_events(chip: Chip, images: int) -> dict[str, int]:
    """Return the events of a run by name."""
    return {
        "conversions": sum(images * samples(chip, layer) for layer in chip.layers),
        "crossbar_reads": sum(images * crossbar_reads(chip, layer) for layer in chip.layers),
        "port_reads": sum(layer_reads(chip, layer, images) for layer in chip.layers),
        "port_writes": sum(stored_words(chip, layer, images) for layer in chip.layers)
        + sum(received_words(chip, travel, images) for travel in chip.travels),
        "flit_hops": sum(images * hops(chip, travel) for travel in chip.travels),
    }


def samples(chip: Chip, layer: ChipLayer) -> int:
    """Return the samples of an image: all columns in use, in each bit step of each block."""
    return layer.blocks * chip.bit_steps * sum(held.conversions for held in layer.held)


def crossbar_reads(chip: Chip, layer: ChipLayer) -> int:
    """Return the crossbars that multiply in an image, in each bit step of each block."""
    return layer.blocks * chip.bit_steps * sum(held.crossbars for held in layer.held)


def stored_words(chip: Chip, layer: ChipLayer, images: int) -> int:
    """Return the words that the results of a layer touch, block after block."""
    each = -(-layer.output_bits // chip.activation_bits)
    channels = layer.layer.out_channels * each
    blocks = block_words(layer.layer.pixels, layer.copies, channels, chip.word_elements)
    return words_of_stream(blocks, images)


def layer_reads(chip: Chip, layer: ChipLayer, images: int) -> int:
    """Return the words that the engines of a layer read: loads, and what is sent."""
    shape = layer.layer
    sends = layer.operations[-1].name in ("send", "result")
    sent = stored_words(chip, layer, images) if sends else 0
    if shape.kind == "eltwise":
        own = block_words(shape.pixels, layer.copies, shape.out_channels, chip.word_elements)
        return sent + len(shape.providers) * words_of_stream(own, images)
    return sent + sum(
        loads(chip, layer, held, image) for image in range(images) for held in layer.held
    )


class Blocks(NamedTuple):
    """Runs of elements side by side that are read or written at a time, of one image.

    begin: of each run, from the first element of the image; length: of each; total: of an image
    word: elements of a word
    """

    begin: Ints
    length: Ints
    total: int
    word: int


def block_words(pixels: int, copies: int, channels: int, word: int) -> Blocks:
    """Return the blocks of a map of so many pixels; word: elements of a word."""
    begin = np.arange(0, pixels, copies, dtype=np.int64)
    length = np.minimum(copies, pixels - begin)
    return Blocks(begin * channels, length * channels, pixels * channels, word)


def words_of_stream(blocks: Blocks, images: int) -> int:
    """Return the words that blocks of some images touch, which lie one behind the other."""
    first = np.arange(images)[:, None] * blocks.total + blocks.begin
    return int(words(first, blocks.length, blocks.word).sum())


def words(begin: Ints, length: Ints, word: int) -> Ints:
    """Return the words that runs of elements touch, none of an empty one."""
    touched = (begin % word + length - 1) // word + 1
    return np.asarray(np.where(length > 0, touched, 0))


def loads(chip: Chip, layer: ChipLayer, held: Held, image: int) -> int:
    """Return the reads of the windows of an image by a macro.

    A read covers what lies in one word, one run of a window in a ring, and one set of input
    registers. It is made even where the window leaves the map.
    """
    shape, shares = layer.layer, chip.shares_of(layer.place)
    first, behind = held.copies if layer.cut else (0, layer.copies)
    pixels = np.arange(shape.pixels, dtype=np.int64)
    pixels = pixels[(pixels % layer.copies >= first) & (pixels % layer.copies < behind)]
    columns = 1 if shape.kind == "fc" else shape.in_sides[1]
    row, column = np.divmod(pixels, shape.out_sides[1])
    row = row * shape.strides[0] - shape.paddings[0]
    column = column * shape.strides[1] - shape.paddings[1]
    total = 0
    for piece in pieces(chip, layer, held):
        channels = shares[piece.ring] * (shape.in_channels // sum(shares))
        place = (row + piece.kernel_row) * columns + column
        start = (image * map_pixels(layer) + place) * channels + piece.begin
        total += int(words(start, np.full(start.shape, piece.length), chip.word_elements).sum())
    return total


def pieces(chip: Chip, layer: ChipLayer, held: Held) -> list[Piece]:
    """Return the runs of a window that a macro reads."""
    shares = chip.shares_of(layer.place)
    if layer.cut is None:
        return whole_pieces(layer.layer, shares)
    tiles = range(*held.row_tiles)
    return [one for one in pieces_of(layer.layer, layer.cut, shares) if one.row_tile in tiles]


def map_pixels(layer: ChipLayer) -> int:
    """Return the pixels of a map that come into a ring: of the image those that windows reach.

    A fully connected layer reads a map as one pixel.
    """
    shape = layer.layer
    if shape.kind == "fc":
        return 1
    if not shape.providers:
        return last_needed(shape, STRICT)[-1]
    return shape.in_sides[0] * shape.in_sides[1]


def received_words(chip: Chip, travel: Travel, images: int) -> int:
    """Return the words that receivers write of a travel into the rings of its readers."""
    if travel.kind not in ("image", "send"):
        return 0
    rings = sum(
        one.kind == "input" and one.provider == travel.layer and one.layer in travel.readers
        for one in chip.regions
    )
    blocks = sent_blocks(chip, travel)
    return rings * words_of_stream(blocks, images)


def sent_blocks(chip: Chip, travel: Travel) -> Blocks:
    """Return the packets of an image of a send, or of the image itself."""
    word, layer = chip.word_elements, chip.layers[travel.owner]
    if travel.kind != "image":
        return block_words(layer.layer.pixels, layer.copies, layer.layer.out_channels, word)
    pixels, channels = chip.image_sides[0] * chip.image_sides[1], chip.image_channels
    if layer.layer.kind == "fc":
        ends = np.array([pixels])
    else:
        last = last_needed(layer.layer, STRICT)
        shown = [min(layer.layer.pixels, (b + 1) * layer.copies) for b in range(layer.blocks)]
        ends = np.minimum([last[end - 1] for end in shown], pixels)
    begin = np.concatenate(([0], ends[:-1]))
    return Blocks(begin * channels, (ends - begin) * channels, int(ends[-1]) * channels, word)


def hops(chip: Chip, travel: Travel) -> int:
    """Return the flits of a travel on all links in an image, headers included."""
    return len(travel.tree) * packet_flits(chip, travel)


def packet_flits(chip: Chip, travel: Travel) -> int:
    """Return the flits of all packets of a travel in an image, headers included."""
    layer = chip.layers[travel.owner]
    if travel.kind in ("image", "send"):
        elements = sent_blocks(chip, travel).length
    elif travel.kind == "chain":
        elements = np.full(layer.blocks, travel.pixels * travel.channels, np.int64)
    else:
        pixels = np.full(layer.blocks, layer.copies, np.int64)
        pixels[-1] = layer.last_pixels
        if travel.kind == "gather":
            node = {one.node: one.macro for one in chip.macros}[travel.source]
            held = next(one for one in layer.held if one.macro == node)
            pixels = np.clip(pixels - held.copies[0], 0, held.copies[1] - held.copies[0])
        elements = pixels * travel.channels
    flits = -(-elements * travel.bits // chip.flit_bits)
    return int((flits + (elements > 0)).sum())


def energy_pj(events: Mapping[str, int], arch: Arch) -> dict[str, float]:
    """Return picojoules by event; the keys are those of `events`.

    A flit costs nothing of its own: the power of the network-on-chip is that of the whole chip.
    """
    each = event_nj(arch)
    return {name: count * each[name] * PICO_OF_NANO for name, count in events.items()}


def parts_pj(events: Mapping[str, int], arch: Arch) -> dict[str, float]:
    """Return picojoules by part of a chip, of parts with events alone."""
    spent = energy_pj(events, arch)
    return {part: sum(spent[name] for name in names) for part, names in EVENTS_OF_PART.items()}


def event_nj(arch: Arch) -> dict[str, float]:
    """Return the nanojoules of one event of each kind."""
    parts = fabric_of_chip(arch, arch.name).constants
    return {
        "conversions": parts.adc.latency_ns * parts.adc.dynamic_w,
        "crossbar_reads": parts.crossbar_latency_ns * parts.crossbar.dynamic_w,
        "port_reads": parts.scratchpad.read_nj,
        "port_writes": parts.scratchpad.write_nj,
        "flit_hops": 0.0,
    }


def accesses(arch: Arch) -> Iterator[Access]:
    """Yield the accesses to scratchpads; a bank has several crossbars, which are counted apart."""
    each = event_nj(arch)
    for event, write in (("port_reads", False), ("port_writes", True)):
        pj = each[event] * PICO_OF_NANO
        kind: Literal["read", "write"] = "write" if write else "read"
        yield Access(event=event, part="pad_memory", kind=kind, table_pj=pj)


def outside_bytes(events: Mapping[str, int], arch: Arch, program: Any, *, images: int) -> int:
    """Return the bytes that images and answers move over the memory port, in whole beats.

    The program, with all weights, comes in once before them and is not among them.
    """
    chip = described(arch)
    return images * (image_beats(chip) + answer_beats(chip)) * chip.flit_bits // 8


def leakage_pj(cycles: int, arch: Arch) -> float:
    """Return what all parts of a chip take in some cycles while they do nothing."""
    return static_w(arch) * cycles * NS_IN_US / arch.clock_mhz * PICO_OF_NANO


def static_w(arch: Arch) -> float:
    """Return the static power of all parts, and that of the network-on-chip."""
    parts = fabric_of_chip(arch, arch.name).constants
    units = parts.vector_units
    counts = [layer.counts for layer in arch.layers]
    return math.fsum(
        [
            parts.network_on_chip.power_w,
            arch.mesh.macros * parts.scratchpad.leakage_w,
            sum(layer.mapping.crossbars for layer in arch.layers) * parts.crossbar.static_w,
            sum(each.adc for each in counts) * parts.adc.static_w,
            sum(each.dac for each in counts) * parts.dac.static_w,
            *(
                sum(getattr(each, name) for each in counts) * getattr(units, name).static_w
                for name in ("shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")
            ),
        ]
    )
