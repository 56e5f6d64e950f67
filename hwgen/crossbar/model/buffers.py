"""How much a scratchpad must hold, from the times of loads and stores (sheet, section 6)."""

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.tables import (
    BUS_BITS,
    DATA_BITS,
    ELTWISE,
    FC,
    KILOBYTES,
    Floats,
    Ints,
    Tables,
)
from hwgen.crossbar.model.timing import Times
from hwgen.crossbar.model.traffic import ceil_div, image_pixels

PUBLISHED_FILL = 0.9
"""The published code counts this part of the bytes that it finds."""


NEVER = 1 << 60

Shape = tuple[int, int, int, int, int]
"""Kind, side of the map, kernel, stride and padding of a layer."""


@compiled
def shape_of(tables: Tables, i: int) -> Shape:
    """Return what decides on the windows of a layer."""
    shape = tables.kind[i], tables.side[i], tables.kernel[i], tables.stride[i], tables.padding[i]
    return shape


@compiled
def published_first(shape: Shape, in_side: int, pixel: int) -> int:
    """Return the first pixel of a provider that a layer still needs behind output pixel `pixel`.

    The published code looks at the window of the pixel before a block, and at the beginning at that
    of the last pixel of the first row.
    """
    kind, side, _, stride, padding = shape
    if kind == FC:
        return 0
    if kind == ELTWISE:
        return pixel
    before = pixel - 1 if pixel > 0 else side - 1
    row = before // side * stride + 1 - padding
    column = before % side * stride + 1 - padding
    return int((row - 1) * in_side + max(0, column)) if row > 0 else 0


@compiled
def published_last(shape: Shape, in_side: int, pixel: int) -> int:
    """Return the last pixel of a provider that output pixel `pixel` (from 1) needs.

    The published code goes on counting behind the last output pixel.
    """
    kind, side, kernel, stride, padding = shape
    if kind == ELTWISE:
        return pixel
    row = min(in_side, (pixel - 1) // side * stride + kernel - padding)
    column = min(in_side, (pixel - 1) % side * stride + kernel - padding)
    return int((row - 1) * in_side + column)


@compiled
def is_read_in_place(layout: Layout, i: int, provider: int) -> bool:
    """Return whether the only macro of layer i is that in which a provider's outputs wait."""
    return bool(
        layout.shared_macros[i] == 1 and layout.first_macro[i] == layout.merge_macro[provider]
    )


@compiled
def inputs_held(tables: Tables, layout: Layout, times: Times, i: int) -> float:
    """Return the most input elements that wait in each macro of layer i at a time.

    Where pixels are sent once, a ring of whole words for each provider, in each macro, has room for
    a block from when its store begins until the layer needs it no more.
    """
    if not tables.rules.send_once:
        return published_input_need(tables, layout, i)
    elements = image_ring(tables, layout, i)
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        if not is_read_in_place(layout, i, p):
            elements += ring_of(tables, layout, times, i, p)
    return elements


@compiled
def ring_of(tables: Tables, layout: Layout, times: Times, i: int, provider: int) -> float:
    """Return the most elements of a provider that wait in each macro of layer i, in whole words."""
    blocks = times.block_start[provider + 1] - times.block_start[provider]
    oldest = np.full(blocks, NEVER)
    read_on(tables, layout, times, provider, i, oldest)
    pixels = most_pixels(tables, layout, provider, oldest)
    return in_whole_words(tables, float(pixels * tables.cout[provider]), tables.word)


@compiled
def image_ring(tables: Tables, layout: Layout, i: int) -> float:
    """Return the elements of the image in each macro of layer i: a window, and what comes next."""
    if tables.image[i] == 0:
        return 0.0
    pixels = image_pixels(tables, i, layout.copies[i])
    is_fc = tables.kind[i] == FC
    pixels += 1 if is_fc else widest_window(tables, i, layout.copies[i], layout.blocks[i])
    return in_whole_words(tables, float(pixels * tables.cin[i]), tables.word)


@compiled
def most_pixels(tables: Tables, layout: Layout, i: int, oldest: Ints) -> int:
    """Return the most pixels of layer i that wait; oldest: needed at the store of each block."""
    most, place = 0, 0
    for before in range(0, len(oldest) // layout.blocks[i] * tables.pixels[i], tables.pixels[i]):
        for block in range(layout.blocks[i]):
            stored = before + min(tables.pixels[i], (block + 1) * layout.copies[i])
            most = max(most, stored - oldest[place] + 1)
            place += 1
    return int(most)


@compiled
def send_on(tables: Tables, layout: Layout, times: Times, i: int, oldest: Ints) -> None:
    """Lower the oldest pixel of layer i that waits at each of its stores to the first unsent."""
    store = times.store[times.block_start[i] : times.block_start[i + 1]]
    done = times.done[times.block_start[i] : times.block_start[i + 1]]
    sent = 0
    for place in range(len(store)):
        while done[sent] <= store[place]:
            sent += 1
        image, block = divmod(sent, layout.blocks[i])
        first = image * tables.pixels[i] + min(tables.pixels[i], block * layout.copies[i]) + 1
        oldest[place] = min(oldest[place], first)


@compiled
def widest_window(tables: Tables, i: int, copies: int, blocks: int) -> int:
    """Return the most pixels of a provider that a block of a layer needs; blocks may be empty."""
    start, end, most = tables.window_start[i], tables.window_start[i + 1], 0
    first, last = tables.first_pixel[start:end], tables.last_pixel[start:end]
    pixels = len(first)
    for block in range(blocks):
        begin = block * copies
        window = last[min(pixels, begin + copies) - 1] - first[min(pixels - 1, begin)] + 1
        most = max(most, window)
    return int(most)


@compiled
def published_input_need(tables: Tables, layout: Layout, i: int) -> float:
    """Return the most input elements of layer i at a time, as the published code has it.

    It looks at the copies of one macro, and takes the difference of the first and the last pixel,
    not the count.
    """
    most = 0.0
    shape = shape_of(tables, i)
    copies = layout.copies[i]
    share = ceil_div(copies, layout.copy_shares[i])
    for block in range(layout.blocks[i]):
        held = 0.0
        begin = block * copies
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            side = tables.side[p]
            if shape[0] == FC:
                pixels = tables.pixels[p]
            else:
                pixels = published_last(shape, side, begin + share)
                pixels -= published_first(shape, side, begin)
            held += pixels * tables.cout[p] / layout.row_shares[i]
        most = max(most, held)
    return most


@compiled
def output_need(tables: Tables, layout: Layout, times: Times, i: int) -> float:
    """Return the most output elements of layer i that wait for its readers at a time.

    By strict rules those of whole words, and what nobody reads waits until it is off the chip.
    In a stream the map of the next image follows behind the last pixel. Of an image's last pixels
    those that are needed wait until the reader begins with the next image, or is done with this.
    """
    if not tables.rules.send_once:
        return published_output_need(tables, layout, times, i)
    first_reader, end_reader = tables.reader_start[i], tables.reader_start[i + 1]
    oldest = np.full(times.block_start[i + 1] - times.block_start[i], NEVER)
    for r in range(first_reader, end_reader):
        j = tables.reader[r]
        if is_read_in_place(layout, j, i):
            read_on(tables, layout, times, i, j, oldest)
    if layout.transfer[i] > 0:
        send_on(tables, layout, times, i, oldest)
    elements = float(most_pixels(tables, layout, i, oldest) * tables.cout[i])
    return in_whole_words(tables, elements, tables.out_word[i])


@compiled
def read_on(tables: Tables, layout: Layout, times: Times, i: int, j: int, oldest: Ints) -> None:
    """Lower the oldest pixel of layer i that is needed at each of its stores to what j needs.

    Pixels count from 1, on through all images.
    """
    store = times.store[times.block_start[i] : times.block_start[i + 1]]
    load = times.load[times.block_start[j] : times.block_start[j + 1]]
    done = times.done[times.block_start[j] : times.block_start[j + 1]]
    first_pixel = tables.first_pixel[tables.window_start[j] : tables.window_start[j + 1]]
    blocks, copies, pixels = layout.blocks[j], layout.copies[j], tables.pixels[j]
    whole, is_fc = tables.pixels[i], tables.kind[j] == FC
    begun, block, before, needed = 0, 0, 0, 1
    for place in range(len(store)):
        now = store[place]
        while begun < len(load) and load[begun] <= now:
            if block == blocks:
                block, before = 0, before + whole
            first = 1 if is_fc else first_pixel[min(pixels - 1, block * copies)]
            needed = before + min(first, whole)
            begun += 1
            block += 1
        if block == blocks and begun < len(load) and done[begun - 1] <= now:
            needed = before + whole + 1
        oldest[place] = min(oldest[place], needed)


@compiled
def published_output_need(tables: Tables, layout: Layout, times: Times, i: int) -> float:
    """Return the most output elements that wait, as the published code has it.

    Whoever loads or stores says what is still needed of its providers, whatever others said, and
    stores come after the loads of later blocks; pixels behind the last one count; what nobody reads
    stays.
    """
    readers = tables.reader[tables.reader_start[i] : tables.reader_start[i + 1]]
    shapes = [shape_of(tables, j) for j in readers]
    own = 2 * len(readers)
    place, end, copies, count = np.zeros((4, own + 1), np.int64)
    for event in range(own + 1):
        j = i if event == own else readers[event // 2]
        stores = event == own or event % 2 == 1
        place[event] = times.block_start[j] + (len(times.load) if stores else 0)
        end[event] = place[event] + layout.blocks[j]
        copies[event] = layout.copies[j]
    coming = times.order[place]
    stored, needed, most = 0, 0, 0
    while True:
        event = own
        for r in range(own):
            if coming[r] < coming[event]:
                event = r
        if coming[event] == NEVER:
            return float(most * tables.cout[i])
        pixel = count[event] * copies[event]
        if event == own:
            stored = pixel + copies[own]
        else:
            needed = published_first(shapes[event // 2], tables.side[i], pixel)
        most = max(most, stored - needed)
        count[event] += 1
        place[event] += 1
        coming[event] = times.order[place[event]] if place[event] < end[event] else NEVER


@compiled
def kilobytes_above(tables: Tables, layout: Layout, times: Times, enough: float) -> float:
    """Return what the fullest scratchpad holds if that is more than `enough`, else no more.

    Each layer has a place of its own in a scratchpad; the published code takes the layer that needs
    most. Layers are not looked at where whole maps are no more than enough.
    """
    size = tables.scalars[DATA_BITS] / 8 / 1024 * PUBLISHED_FILL
    if tables.rules.send_once:
        size = tables.scalars[BUS_BITS] / tables.word / 8 / 1024
    whole = whole_maps(tables, layout)
    held = np.zeros(len(whole))
    for i in range(len(tables.kind)):
        own, last = places_of(tables, layout, i)
        if max(whole[own].max(), whole[last]) * size > enough:
            held[own] += inputs_held(tables, layout, times, i)
            held[last] += output_need(tables, layout, times, i)
    return float(held.max() * size)


@compiled
def all_waiting(tables: Tables, layout: Layout, times: Times) -> Floats:
    """Return the most elements that wait, in whole words (strict rules).

    First of each provider of each layer, in the order of `Tables.provider`, in each macro of that
    layer, 0 where they are read in place; then of the outputs of each layer.
    """
    edges = tables.provider_start[-1]
    found = np.zeros(edges + len(tables.kind))
    for i in range(len(tables.kind)):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            if not is_read_in_place(layout, i, tables.provider[e]):
                found[e] = ring_of(tables, layout, times, i, tables.provider[e])
        found[edges + i] = output_need(tables, layout, times, i)
    return found


@compiled
def kilobytes_of(tables: Tables, layout: Layout, waiting: Floats) -> float:
    """Return what the fullest scratchpad holds; waiting: see `all_waiting`."""
    return float(held_of(tables, layout, waiting).max())


@compiled
def held_of(tables: Tables, layout: Layout, waiting: Floats) -> Floats:
    """Return the kilobytes that the scratchpad of each macro holds; waiting: see `all_waiting`."""
    edges = tables.provider_start[-1]
    held = np.zeros(layout.total_macros)
    for i in range(len(tables.kind)):
        own, last = places_of(tables, layout, i)
        inputs = waiting[tables.provider_start[i] : tables.provider_start[i + 1]]
        held[own] += image_ring(tables, layout, i) + inputs.sum()
        held[last] += waiting[edges + i]
    held *= tables.scalars[BUS_BITS] / tables.word / 8 / 1024
    return held


@compiled
def in_whole_words(tables: Tables, elements: float, in_a_word: int) -> float:
    """Return the inputs that as many words hold as some elements take; published: elements."""
    if not tables.rules.send_once:
        return elements
    return float(np.ceil(elements / in_a_word) * tables.word)


@compiled
def whole_maps(tables: Tables, layout: Layout) -> Floats:
    """Return the elements of all that might ever be in each place, see `places_of`."""
    whole = np.zeros(layout.total_macros if tables.rules.send_once else len(tables.kind))
    for i in range(len(tables.kind)):
        own, last = places_of(tables, layout, i)
        whole[own] += in_whole_words(tables, float(2 * tables.image[i]), tables.word)
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            shares = 1 if tables.rules.send_once else layout.row_shares[i]
            elements = tables.pixels[p] * tables.cout[p] / shares
            whole[own] += in_whole_words(tables, elements, tables.word)
        elements = float(layout.blocks[i] * layout.copies[i] * tables.cout[i])
        whole[last] += in_whole_words(tables, elements, tables.out_word[i])
    return whole


@compiled
def places_of(tables: Tables, layout: Layout, i: int) -> tuple[slice, int]:
    """Return where inputs and outputs of layer i lie: in which macros; published: by itself."""
    if not tables.rules.send_once:
        return slice(i, i + 1), i
    first = layout.first_macro[i]
    return slice(first, first + layout.shared_macros[i]), int(layout.merge_macro[i])


def memory_class(tables: Tables, layout: Layout, times: Times) -> int:
    """Return the row of the smallest scratchpad that is large enough; one past the last: none."""
    kilobytes = kilobytes_above(tables, layout, times, 0.0)
    return int(np.searchsorted(tables.memories[:, KILOBYTES], kilobytes))
