"""Random convolutions of one record: map, cells, record, and the sums that must come out."""

from dataclasses import dataclass

import numpy as np

from hwgen.mram.facts.arch import WINDOW, Arch
from hwgen.mram.facts.records import Kind, encode_record, entry_name
from verif.reference.mram.segments import Elements, Entry
from verif.reference.mram.walks import places, taps_of
from verif.reference.mram.windows import windows

STRIDES = (1, 1, 2, 3, 7)
WALKS = 0.7
"""Of convolutions on a chip of any kernels those that fill their segments."""
KERNEL_SIDES = (1, 1, 2, 4, 5)
WIDE_PIXELS = 0.4
"""Of those the ones whose pixels may take several rows of the bank."""
MOST_ROWS = 4
"""Rows of a pixel at most."""
DEPTHWISE = 0.25
"""Of convolutions on a chip of any kernels the depthwise ones."""
DEPTHWISE_KERNELS = ((3, 3), (3, 3), (2, 3), (1, 1), (4, 2), (1, 9))


@dataclass(frozen=True)
class Shape:
    """Sizes of a convolution; output size follows from input, window, stride and padding.

    channels: from `first_row` of a pixel on
    tap_places: of a tap, where the kernel fills the places of its segments; 0: it is a window
    depthwise: kernel k reads channel k from block `first_block` of row `first_row` on
    """

    height: int
    width: int
    channels: int
    pixel_blocks: int
    out_height: int
    out_width: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    outside: int
    kernels: int
    input_planes: int
    weight_planes: int
    tap_places: int = 0
    depthwise: bool = False
    first_row: int = 0
    first_block: int = 0

    @property
    def taps(self) -> int:
        """Taps of the kernel."""
        return self.kernel[0] * self.kernel[1]

    def segments(self, block: int) -> int:
        """Segments of a kernel."""
        return -(-self.taps * self.tap_places // 9) if self.walks else -(-self.channels // block)

    @property
    def walks(self) -> bool:
        """Whether the kernel fills the places of its segments."""
        return self.tap_places > 0

    @property
    def outputs(self) -> int:
        """Positions of the output map."""
        return self.out_height * self.out_width


@dataclass(frozen=True)
class Placement:
    """Where the kernels stand.

    entries: of each row set, one a segment; ends: segment with the sum of each position, and of
        each chain of it: kernels that a sub-array has side by side
    """

    octets_log: int
    groups: int
    positions: int
    weight_rows: tuple[int, ...]
    entries: list[list[Entry | None]]
    join: list[int]
    ends: list[int]

    @property
    def row_sets(self) -> int:
        """One or two."""
        return len(self.entries)

    @property
    def chains(self) -> int:
        """Kernels of a position that a sub-array has."""
        return len(self.ends) // self.positions

    def chain_of(self, segment: int) -> int:
        """Return which kernel of a position a segment has a part of."""
        while self.join[segment]:
            segment += 1
        return self.ends.index(segment) % self.chains if segment in self.ends else 0


@dataclass(frozen=True)
class ConvCase:
    """A convolution.

    bank: rows of the input map's bank as integers; fields: of the record
    stored: the map from `first_row` on, (height, width, channels), garbage past `channels`
    weights: (kernels, 3, 3, channels), zeros outside the kernel
    taps: weights of a kernel that fills its segments, (kernels, taps, channels)
    """

    arch: Arch
    shape: Shape
    placement: Placement
    fields: dict[str, int]
    bank: list[int]
    stored: Elements
    weights: Elements
    taps: Elements | None = None

    @property
    def width(self) -> int:
        """Channels of `windows` and `weights` that count."""
        return int(self.weights.shape[3])

    @property
    def record(self) -> int:
        """The encoded record."""
        return encode_record(self.fields, self.arch)

    @property
    def windows(self) -> Elements:
        """All windows, (positions, 3, 3, channels of all blocks)."""
        shape = self.shape
        if shape.walks and shape.depthwise:
            seen = np.pad(self.seen, ((0, 0), (0, 9 - shape.taps), (0, 0)))
            return seen.reshape(-1, WINDOW, WINDOW, shape.channels)
        if self.taps is not None:
            return places(self.seen, tap_places=shape.tap_places, block=self.arch.block)
        return windows(
            self.stored,
            outputs=(shape.out_height, shape.out_width),
            stride=shape.stride,
            padding=shape.padding,
            outside=shape.outside,
        )

    @property
    def seen(self) -> Elements:
        """What a kernel that fills its segments sees, (positions, taps, channels)."""
        shape = self.shape
        return taps_of(
            self.stored[..., : shape.channels],
            kernel=shape.kernel,
            outputs=(shape.out_height, shape.out_width),
            stride=shape.stride,
            padding=shape.padding,
            outside=shape.outside,
        )

    def sums(self) -> Elements:
        """Return the integer convolution, (positions, kernels)."""
        if self.taps is not None:
            return np.tensordot(self.seen, self.taps, axes=([1, 2], [1, 2]))
        seen = self.windows[..., : self.shape.channels]
        return np.tensordot(seen, self.weights, axes=([1, 2, 3], [1, 2, 3]))


def random_case(rng: np.random.Generator, arch: Arch) -> ConvCase:
    """Return a random convolution that fits the architecture."""
    if arch.any_kernel and rng.random() < DEPTHWISE:
        return depthwise_case(rng, arch)
    shape = random_shape(rng, arch)
    while shape is None:
        shape = random_shape(rng, arch)
    placement = random_placement(rng, arch, shape)
    stored_channels = shape.pixel_blocks * arch.block
    size = (shape.height, shape.width, stored_channels)
    stored = rng.integers(0, 1 << shape.input_planes, size)
    garbage = rng.integers(0, 1 << arch.element_bits, size)
    stored[..., shape.channels :] = garbage[..., shape.channels :]
    drawn, taps = random_weights(rng, shape), None
    if shape.walks:
        taps = drawn.reshape(shape.kernels, shape.taps, shape.channels)
        weights = places(taps, tap_places=shape.tap_places, block=arch.block)
    else:
        weights = np.zeros((shape.kernels, WINDOW, WINDOW, shape.channels), np.int64)
        weights[:, : shape.kernel[0], : shape.kernel[1]] = drawn
    return ConvCase(
        arch=arch,
        shape=shape,
        placement=placement,
        fields=record_of(arch, shape, placement),
        bank=bank_of(arch, stored),
        stored=stored,
        weights=weights,
        taps=taps,
    )


def depthwise_case(rng: np.random.Generator, arch: Arch) -> ConvCase:
    """Return a random record of a depthwise layer: a few blocks of one row of a pixel."""
    shape = None
    while shape is None:
        shape = depthwise_shape(rng, arch)
    blocks = -(-shape.kernels // arch.block)
    positions = int(rng.integers(1, arch.segments // blocks + 1))
    chosen = rng.permutation(arch.segments)[: positions * blocks].tolist()
    entries: list[Entry | None] = [None] * arch.segments
    for number, segment in enumerate(chosen):
        position, block = divmod(number, blocks)
        entries[segment] = Entry(position, shape.first_block + block)
    loads = -(-shape.outputs // positions)
    start = rng.integers(arch.weight_rows // shape.weight_planes)
    placement = Placement(
        octets_log=0,
        groups=int(rng.integers(1, min(arch.octets, loads) + 1)),
        positions=positions,
        weight_rows=(int(start) * shape.weight_planes,),
        entries=[entries],
        join=[0] * arch.segments,
        ends=chosen,
    )
    size = (shape.height, shape.width, shape.pixel_blocks * arch.block)
    stored = rng.integers(0, 1 << arch.element_bits, size)
    first = shape.first_row * arch.row_blocks * arch.block
    inside = slice(first, first + shape.channels)
    stored[..., inside] &= (1 << shape.input_planes) - 1
    weights = np.zeros((shape.kernels, WINDOW, WINDOW, shape.channels), np.int64)
    drawn = random_weights(rng, shape)[..., 0]
    for kernel, taps in enumerate(drawn):
        channel = shape.first_block * arch.block + kernel
        if shape.walks:
            weights[kernel, :, :, channel] = np.pad(taps.ravel(), (0, 9 - taps.size)).reshape(3, 3)
        else:
            weights[kernel, : taps.shape[0], : taps.shape[1], channel] = taps
    return ConvCase(
        arch=arch,
        shape=shape,
        placement=placement,
        fields=record_of(arch, shape, placement),
        bank=bank_of(arch, stored),
        stored=stored[..., first:],
        weights=weights,
    )


def depthwise_shape(rng: np.random.Generator, arch: Arch) -> Shape | None:
    """Return random sizes of a depthwise layer, or None if they fit no bank or give no output."""
    pixel_blocks = 1 << int(rng.integers(arch.row_blocks.bit_length() + 2))
    row_pixels = max(1, arch.row_blocks // pixel_blocks)
    kernel = DEPTHWISE_KERNELS[rng.integers(len(DEPTHWISE_KERNELS))]
    height, width = int(rng.integers(1, 6)), int(rng.integers(1, 10))
    aligned = height == 1 or width % row_pixels == 0
    window = max(kernel) <= WINDOW and aligned and pixel_blocks <= arch.row_blocks
    walks = not window or rng.random() < 0.3
    padding = (int(rng.integers(0, 3)), int(rng.integers(0, 3))) if walks else (1, 1)
    padding = padding if padding[0] < kernel[0] and padding[1] < kernel[1] else (0, 0)
    stride = int(rng.choice(STRIDES)), int(rng.choice(STRIDES))
    outputs = [
        (size + pad - taps) // step + 1
        for size, pad, taps, step in zip((height, width), padding, kernel, stride, strict=True)
    ]
    rows = -(-height * width * pixel_blocks // arch.row_blocks)
    if min(outputs) < 1 or rows > arch.array.rows:
        return None
    first_row = int(rng.integers(max(1, pixel_blocks // arch.row_blocks)))
    in_row = min(pixel_blocks, arch.row_blocks)
    first_block = int(rng.integers(in_row))
    most = min(in_row - first_block, arch.segments) * arch.block
    kernels = int(rng.integers(1, most + 1))
    end = (pixel_blocks - first_row * arch.row_blocks) * arch.block
    return Shape(
        height=height,
        width=width,
        channels=int(rng.integers(first_block * arch.block + kernels, end + 1)),
        pixel_blocks=pixel_blocks,
        out_height=outputs[0],
        out_width=outputs[1],
        kernel=kernel,
        stride=stride,
        padding=padding,
        outside=int(rng.integers(256)),
        kernels=kernels,
        input_planes=8,
        weight_planes=int(rng.integers(1, min(9, arch.weight_rows + 1))),
        tap_places=int(walks),
        depthwise=True,
        first_row=first_row,
        first_block=first_block,
    )


def random_shape(rng: np.random.Generator, arch: Arch) -> Shape | None:
    """Return random sizes, or None if they fit no bank or give no output."""
    pixel_blocks = 1 << int(rng.integers(arch.row_blocks.bit_length()))
    row_pixels = arch.row_blocks // pixel_blocks
    height = int(rng.integers(1, 6))
    width = int(rng.integers(1, 4)) * row_pixels if height > 1 else int(rng.integers(1, 10))
    most = min(pixel_blocks, 2 * arch.segments) * arch.block
    walks = arch.any_kernel and rng.random() < WALKS
    sides = KERNEL_SIDES if walks else (1, 2, 3)
    kernel = sides[rng.integers(len(sides))], sides[rng.integers(len(sides))]
    if walks:
        if rng.random() < WIDE_PIXELS:
            rows_log = int(rng.integers(1, MOST_ROWS.bit_length()))
            pixel_blocks = arch.row_blocks << rows_log
        most, width = pixel_blocks * arch.block, int(rng.integers(1, 10))
    padding = int(rng.integers(0, 3)), int(rng.integers(0, 3))
    stride = int(rng.choice(STRIDES)), int(rng.choice(STRIDES))
    outputs = [
        (size + int(rng.integers(0, 2)) + pad - taps) // step + 1
        for size, pad, taps, step in zip((height, width), padding, kernel, stride, strict=True)
    ]
    rows = -(-height * width * pixel_blocks // arch.row_blocks)
    if min(outputs) < 1 or rows > arch.array.rows or padding[0] >= 3 or padding[1] >= 3:
        return None
    channels = int(rng.integers(1, most + 1))
    segments, tap_places = -(-channels // arch.block), 0
    if walks:
        # Kernels may stand as those of a mode with more channels.
        tap_places = int(rng.integers(segments, pixel_blocks + 1))
        filled = kernel[0] * kernel[1] * tap_places
        segments = -(-filled // 9)
        if filled > arch.most_places:
            return None
    row_sets = 2 if segments > arch.segments else 1
    input_planes = int(rng.integers(1, arch.element_bits + 1))
    if input_planes * row_sets > arch.input_rows:
        return None
    return Shape(
        height=height,
        width=width,
        channels=channels,
        pixel_blocks=pixel_blocks,
        out_height=outputs[0],
        out_width=outputs[1],
        kernel=kernel,
        stride=stride,
        padding=padding,
        outside=int(rng.integers(1 << input_planes)),
        kernels=int(rng.integers(1, arch.sub_arrays + 1)),
        input_planes=input_planes,
        weight_planes=int(rng.integers(1, min(9, arch.weight_rows // 2 + 1))),
        tap_places=tap_places,
    )


def random_placement(rng: np.random.Generator, arch: Arch, shape: Shape) -> Placement:
    """Return random places: free segments anywhere, positions in any order, or two row sets."""
    blocks = shape.segments(arch.block)
    octets_log, chains = (-(-shape.kernels // arch.block) - 1).bit_length(), 1
    two = blocks > arch.segments or (blocks > 1 and rng.random() < 0.2)
    if two and shape.input_planes * 2 > arch.input_rows:
        two = False
    if two:
        positions, entries, join, ends = two_row_sets(rng, arch, blocks)
        if arch.twins and rng.random() < 0.7:
            join, ends = add_twins(rng, entries, join, ends)
    else:
        if arch.any_kernel:
            octets_log, chains = side_by_side(rng, arch, shape, blocks)
        positions, entries, join, ends = one_row_set(rng, arch, blocks, chains)
    loads = -(-shape.outputs // positions)
    most = min(arch.octets >> octets_log, loads)
    starts = rng.permutation(arch.weight_rows // shape.weight_planes)[: len(entries)]
    return Placement(
        octets_log=octets_log,
        groups=int(rng.integers(1, most + 1)),
        positions=positions,
        weight_rows=tuple(int(start) * shape.weight_planes for start in starts),
        entries=entries,
        join=join,
        ends=ends,
    )


Segments = tuple[int, list[list[Entry | None]], list[int], list[int]]


def side_by_side(
    rng: np.random.Generator, arch: Arch, shape: Shape, blocks: int
) -> tuple[int, int]:
    """Return the log of the octets of a group, and the kernels that a sub-array has for them."""
    octets = -(-shape.kernels // arch.block)
    most = (octets - 1).bit_length()
    ways = [(log, -(-octets // (1 << log))) for log in range(most + 1)]
    fitting = [way for way in ways if way[1] * blocks <= arch.segments]
    return fitting[rng.integers(len(fitting))]


def one_row_set(rng: np.random.Generator, arch: Arch, blocks: int, chains: int) -> Segments:
    """Return positions, entries, joins and ends of chains beside each other.

    chains: of each position
    """
    positions = int(rng.integers(1, arch.segments // (blocks * chains) + 1))
    count = positions * chains
    free = arch.segments - count * blocks
    starts = np.sort(rng.integers(0, free + 1, count)) + np.arange(count) * blocks
    entries: list[Entry | None] = [None] * arch.segments
    join, ends = [0] * arch.segments, [0] * count
    for number, start in zip(rng.permutation(count).tolist(), starts.tolist(), strict=True):
        for block in range(blocks):
            entries[start + block] = Entry(number // chains, block)
            join[start + block] = int(block < blocks - 1)
        ends[number] = start + blocks - 1
    return positions, [entries], join, ends


def two_row_sets(rng: np.random.Generator, arch: Arch, blocks: int) -> Segments:
    """Return one position whose blocks stand in two rows, below one chain."""
    least = max(1, blocks - arch.segments)
    first = int(rng.integers(least, min(arch.segments, blocks - 1) + 1))
    length = max(first, blocks - first)
    start = int(rng.integers(0, arch.segments - length + 1))
    entries: list[list[Entry | None]] = [[None] * arch.segments for _ in range(2)]
    for block in range(blocks):
        row, place = (0, block) if block < first else (1, block - first)
        entries[row][start + place] = Entry(0, block)
    join = [int(start <= j < start + length - 1) for j in range(arch.segments)]
    return 1, entries, join, [start + length - 1]


def add_twins(
    rng: np.random.Generator, entries: list[list[Entry | None]], join: list[int], ends: list[int]
) -> tuple[list[int], list[int]]:
    """Put the blocks of the second row a second time into free segments; return join and ends.

    Nothing changes where there is no room: either all blocks have a twin or none.
    """
    second = entries[1]
    free = [j for j, entry in enumerate(second) if entry is None]
    blocks = [entry.block for entry in second if entry is not None]
    if len(free) < len(blocks):
        return join, ends
    chosen = rng.permutation(free)[: len(blocks)].tolist()
    for segment, block in zip(chosen, blocks, strict=True):
        second[segment] = Entry(0, block, twin=True)
    used = [j for row in entries for j, entry in enumerate(row) if entry is not None]
    return [int(min(used) <= j < max(used)) for j in range(len(join))], [max(used)]


def random_weights(rng: np.random.Generator, shape: Shape) -> Elements:
    """Return weights in two's complement of the planes; sometimes only the extremes."""
    half = 1 << (shape.weight_planes - 1)
    size = (shape.kernels, *shape.kernel, shape.channels)
    if rng.random() < 0.3:
        return rng.choice([-half, half - 1], size)
    return rng.integers(-half, half, size)


def record_of(arch: Arch, shape: Shape, placement: Placement) -> dict[str, int]:
    """Return the fields of the record that are not 0."""
    loads = -(-shape.outputs // placement.positions)
    last_column = (shape.out_width - 1) * shape.stride[1] - shape.padding[1] + WINDOW - 1
    fields = {
        "kind": Kind.CONV,
        "in_blocks_log": shape.pixel_blocks.bit_length() - 1,
        "in_height": shape.height,
        "in_width": shape.width,
        "channels": shape.channels,
        "outside": shape.outside,
        "out_height": shape.out_height,
        "out_width": shape.out_width,
        "kernels": shape.kernels,
        "blocks": -(-shape.kernels // arch.block),
        "stride_y": shape.stride[0],
        "stride_x": shape.stride[1],
        "pad_top": shape.padding[0],
        "pad_left": shape.padding[1],
        "last_column": 0 if shape.walks else min(shape.width - 1, last_column),
        "input_planes": shape.input_planes,
        "weight_planes": shape.weight_planes,
        "two_rows": placement.row_sets - 1,
        "octets_log": placement.octets_log,
        "groups": placement.groups,
        "positions": placement.positions,
        "last_positions": shape.outputs - (loads - 1) * placement.positions,
        "loads": loads,
        "join": sum(bit << j for j, bit in enumerate(placement.join)),
        "accumulate": sum(1 << end for end in placement.ends),
    }
    for row_set, row in enumerate(placement.weight_rows):
        fields[f"weight_row_{row_set}"] = row
    for position, end in enumerate(placement.ends):
        fields[f"sum_segment_{position}"] = end
    if arch.twins:
        fields["twins"] = 0
    if shape.depthwise:
        fields["depthwise"] = 1
    if shape.walks:
        row = arch.row_blocks * arch.block
        fields |= {"walk": 1, "tap_places": shape.tap_places}
        fields |= {"tap_rows": 1 if shape.depthwise else -(-shape.channels // row)}
        fields |= {"first_row": shape.first_row}
        fields |= {"kernel_height": shape.kernel[0], "kernel_width": shape.kernel[1]}
    for row_set, entries in enumerate(placement.entries):
        for j, entry in enumerate(entries):
            if entry is not None:
                fields[entry_name("active", row_set, j)] = 1
                fields[entry_name("position", row_set, j)] = entry.position
                fields[entry_name("block", row_set, j)] = entry.block
            if entry is not None and entry.twin:
                fields["twins"] |= 1 << j
    return fields


def bank_of(arch: Arch, stored: Elements) -> list[int]:
    """Return the rows of the bank; behind the map the bank holds ones."""
    elements = np.full(arch.array.rows * arch.row_bytes // arch.element_bytes, -1, np.int64)
    elements[: stored.size] = stored.ravel()
    kind = "<u2" if arch.element_bits == 16 else "<u1"
    packed = elements.astype(kind).view(np.uint8).reshape(arch.array.rows, -1)
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
