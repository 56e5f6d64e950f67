"""Random steps of one core: instruction, packets, and golden's results of its positions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from golden.ops.requantize import requantize
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import TABLE_BYTES, Opcode, Operation
from hwgen.dbpim.facts.program import Placement
from hwgen.dbpim.facts.stream import FilterParameters, TilePacket
from verif.dbpim.core_sums import Addend, draw_addend
from verif.dbpim.walk_plan import Bytes, Conv, Position, Step, StoredMap
from verif.dbpim.walk_simd import Simd
from verif.dbpim.walk_steps import draw_shape, step_of
from verif.dbpim.weight_rows import random_codes
from verif.reference.dbpim import simd as golden
from verif.reference.dbpim.macro import dense_macro, macro, pair_macro
from verif.reference.dbpim.switch import switch

Fields = dict[str, int]
Entry = tuple[Any, ...]
"""A write: ("banks" or "bus", row, column, word, enable, bytes), or ("raw", index, values), or
("memory", index, bytes)."""

PARAMETERS = ([-99, 1 << 15, 18], [100, 1 << 16, 24])


@dataclass(kw_only=True)
class CoreStep:
    """A step as the core sees it.

    output: the slice of the output that the core keeps; private: rows that no other core keeps
    numbers: of the filter groups of each tile of a convolution: one, or two that share its rows
    addend: the map that a convolution adds to its results
    tiles, taps, table: packets that the loader sends; expected: the writes, each once
    """

    step: Step
    fields: Fields
    work: Fields
    output: Placement
    private: range
    numbers: list[tuple[int, ...]] = field(default_factory=list)
    addend: Addend | None = None
    tiles: list[TilePacket] = field(default_factory=list)
    taps: list[tuple[list[FilterParameters], np.ndarray[Any, Any]]] = field(default_factory=list)
    table: Bytes | None = None
    expected: Counter[Entry] = field(default_factory=Counter)

    @property
    def opcode(self) -> Opcode:
        """CONV or SIMD."""
        return Opcode.CONV if isinstance(self.step, Conv) else Opcode.SIMD

    def way(self, rows: list[int]) -> str:
        """Return where a result in these stored rows goes."""
        return "banks" if all(row in self.private for row in rows) else "bus"


def draw_core_step(rng: np.random.Generator, arch: Arch) -> CoreStep:
    """Return a step whose maps fit into the banks."""
    while True:
        step = step_of(draw_shape(rng, arch), arch, rng)
        made = conv_step(step, rng) if isinstance(step, Conv) else simd_step(step, rng)
        if lay_out(made):
            break
    if isinstance(step, Conv):
        add_tiles(made, step, rng)
    elif isinstance(step, Simd):
        add_results(made, step, rng)
    return made


def conv_step(step: Conv, rng: np.random.Generator) -> CoreStep:
    """Return the instruction of a convolution; its filter groups are neighbours."""
    arch = step.arch
    numbers = draw_numbers(rng, len(step.groups), arch)
    count = sum(map(len, numbers))
    words = -(-count * arch.filters // arch.word)
    if any(len(group) > 1 for group in step.groups):
        most = arch.psum_vectors >> int(count > len(numbers))
        step.chunk_vectors = min(step.chunk_vectors, most)
    fields = step.fields() | clip_fields(rng) | {"raw": int(rng.random() < 0.2)}
    made = with_output(step, fields, words, rng)
    made.numbers = numbers
    if not fields["raw"] and rng.random() < 0.5:
        made.addend = draw_addend(rng, made.output, arch)
        made.fields |= made.addend.fields
        made.work["second_first"] = made.output.first[0]
    return made


def draw_numbers(rng: np.random.Generator, walked: int, arch: Arch) -> list[tuple[int, ...]]:
    """Return numbers of filter groups for groups of tiles, in any order where some are pairs."""
    if not arch.pairs:
        return [(number,) for number in range(walked)]
    sizes = rng.integers(1, 3, walked)
    order = iter(rng.permutation(int(sizes.sum())).tolist())
    return [tuple(islice(order, size)) for size in sizes.tolist()]


def simd_step(step: Step, rng: np.random.Generator) -> CoreStep:
    """Return the instruction of a SIMD step; each channel word goes to the one of its number."""
    assert isinstance(step, Simd)
    fields = step.fields() | clip_fields(rng)
    if step.operation is Operation.DEPTHWISE:
        step.words = (step.words[0], min(step.words[1], 3))
    fields |= {
        "bias": int(rng.integers(0, 100)),
        "multiplier": int(rng.integers(1 << 15, 1 << 16)),
        "shift": 15 + int(rng.integers(8)),
        "first_zero_point": int(rng.integers(256)),
        "second_zero_point": int(rng.integers(256)),
        "enable_end": step.arch.word,
        "to_memory": int(rng.random() < 0.2),
    }
    if fields["to_memory"]:
        fields["enable_end"] = int(rng.integers(1, step.arch.word + 1))
    return with_output(step, fields, sum(step.words), rng)


def clip_fields(rng: np.random.Generator) -> Fields:
    """Return the common fields of the arithmetic."""
    low, high = sorted(rng.integers(0, 256, 2).tolist())
    zero_point = int(rng.integers(256))
    return {"output_zero_point": zero_point, "output_low": low, "output_high": high}


def with_output(step: Step, fields: Fields, words: int, rng: np.random.Generator) -> CoreStep:
    """Return the step with a slice of the output that holds all its rows, some of them private."""
    stored = [step.stored_at(at) for at in active_positions(step)]
    rows, columns = [row for row, _ in stored], max(column for _, column in stored) + 1
    first_word = int(rng.integers(2))
    first = max(0, min(rows) - int(rng.integers(2)))
    count = max(rows) + 1 - first
    low, high = np.sort(rng.integers(0, count + 1, 2)).tolist()
    if rng.random() < 0.3:
        low, high = 0, count
    output = Placement(
        base=0,
        row_pitch=-(-columns // step.arch.banks) * (first_word + words),
        channel_words=first_word + words,
        image_rows=0,
        image_columns=0,
        first=[first],
        rows=[count],
    )
    work = {
        "private_first": first + low,
        "private_rows": high - low,
        "keep_first": first,
        "keep_rows": count,
    }
    fields = {**fields, "output_first_word": first_word}
    return CoreStep(
        step=step,
        fields=fields,
        work=step.work() | work,
        output=output,
        private=range(first + low, first + high),
    )


def active_positions(step: Step) -> list[Position]:
    """Return the output positions of the core in the order of its vectors."""
    return [at for vector in step.vectors for at in step.positions(vector, 0) if at.active]


def lay_out(made: CoreStep) -> bool:
    """Put inputs and output side by side; return whether they fit."""
    step = made.step
    base = 0
    inputs = {"input": step.source}
    if isinstance(step, Simd) and step.second is not None:
        inputs["second"] = step.second
    if made.addend is not None:
        inputs["second"] = made.addend.stored
    for prefix, stored in inputs.items():
        stored.placement = replace(stored.placement, base=base)
        made.fields[f"{prefix}_base"] = base
        base += stored.placement.words
    made.output = replace(made.output, base=base)
    made.fields["output_base"] = base
    made.fields["output_row_pitch"] = made.output.row_pitch
    made.fields["output_channel_words"] = made.output.channel_words
    return base + made.output.words <= step.arch.bank_words


def sources(made: CoreStep) -> Iterator[StoredMap]:
    """Yield the maps that the step reads."""
    yield made.step.source
    if isinstance(made.step, Simd) and made.step.second is not None:
        yield made.step.second
    if made.addend is not None:
        yield made.addend.stored


def draw_parameters(rng: np.random.Generator, count: int) -> list[FilterParameters]:
    """Return parameters of some filters."""
    return [FilterParameters(*row) for row in rng.integers(*PARAMETERS, (count, 3)).tolist()]


def second_group(numbers: Sequence[int], arch: Arch) -> dict[str, int]:
    """Return the fields of a tile for its second filter group, on chips that may have one."""
    if "double" not in {each.name for each in arch.packets[Opcode.TILE]}:
        return {}
    return {"second_group": numbers[-1] if len(numbers) > 1 else 0, "double": len(numbers) > 1}


def add_tiles(made: CoreStep, step: Conv, rng: np.random.Generator) -> None:
    """Draw the weights of every tile, and add golden's results of every group."""
    arch = step.arch
    tiles = iter(step.tiles())
    for number, group in enumerate(step.groups):
        numbers = made.numbers[number]
        parameters = draw_parameters(rng, arch.filters * len(numbers))
        drawn = [draw_weights(rng, arch, cut.words) for cut in group]
        for chunk in range(len(step.chunks)):
            for index, cut in enumerate(group):
                tile = next(tiles)
                pixel, channel_word = divmod(cut.first, step.source.placement.channel_words)
                ky, kx = divmod(pixel, step.kernel[1])
                masks, codes, enable = drawn[index]
                with_parameters = index == 0 and chunk == 0
                fields = dict.fromkeys((each.name for each in arch.packets[Opcode.TILE]), 0) | {
                    "opcode": Opcode.TILE,
                    "cores": (1 << arch.cores) - 1,
                    "group": numbers[0],
                    **second_group(numbers, arch),
                    "rows": len(codes),
                    "mask_words": cut.words,
                    "kernel_y": ky,
                    "kernel_x": kx,
                    "channel_word": channel_word,
                    "turn": tile.turn,
                    "first": int(tile.first),
                    "last": int(tile.last),
                    "last_group": int(tile.last_group),
                    "parameters": int(with_parameters),
                    "filter_enable": enable,
                }
                packet = TilePacket(
                    opcode=Opcode.TILE,
                    offset=0,
                    beats=0,
                    fields=fields,
                    masks=masks,
                    parameters=tuple(parameters) if with_parameters else (),
                    codes=codes,
                )
                made.tiles.append(packet)
        group_results(made, step, number, drawn, np.array(parameters))


def draw_weights(
    rng: np.random.Generator, arch: Arch, words: int
) -> tuple[np.ndarray[Any, Any], Bytes, int]:
    """Return masks, codes and enabled cell columns of a tile; its first and last word count.

    Without a switch all inputs of all words count.
    """
    channels = arch.word
    enable = int(rng.integers(1 << 2 * arch.filters))
    if not arch.sparse_parts:
        codes = random_codes(rng, (words, channels, arch.filters), arch)
        return np.ones((words, channels), np.bool_), codes, enable
    most = arch.tile_rows * arch.macro.compartments
    selected = rng.permutation(words * channels)[: int(rng.integers(1, most - 1))]
    masks = np.zeros(words * channels, np.bool_)
    masks[selected] = True
    masks[int(rng.integers(channels))] = True
    masks[-1 - int(rng.integers(channels))] = True
    inputs = arch.macro.compartments
    rows = -(-int(masks.sum()) // inputs)
    codes = random_codes(rng, (rows, inputs, arch.filters), arch)
    return masks.reshape(words, channels), codes, enable


def group_results(
    made: CoreStep, step: Conv, number: int, drawn: list[Any], scales: np.ndarray[Any, Any]
) -> None:
    """Add golden's results of the filter groups of some tiles; number: of the group of tiles."""
    arch, numbers = step.arch, made.numbers[number]
    product = macro if arch.sparsity.weight_bits else dense_macro
    if len(numbers) > 1:
        product = pair_macro
    for at in active_positions(step):
        sums = scales[:, 0].copy()
        for cut, (masks, codes, bits) in zip(step.groups[number], drawn, strict=True):
            seen = [step.content(at, cut.first + n) or b"" for n in range(cut.words)]
            words = np.array([list(each) for each in seen], np.uint8)
            enable = np.array([bits >> n & 1 for n in range(2 * arch.filters)], np.bool_)
            groups = switch(words, masks, group=arch.macro.compartments)
            sums += product(codes, groups, filter_enable=enable.reshape(-1, 2))
        for place, own in enumerate(numbers):
            part = slice(place * arch.filters, (place + 1) * arch.filters)
            add_result(made, at, own, sums=sums[part], scales=scales[part])


def add_result(
    made: CoreStep,
    at: Position,
    number: int,
    *,
    sums: np.ndarray[Any, Any],
    scales: np.ndarray[Any, Any],
) -> None:
    """Add golden's result of one filter group at one position."""
    arch, fields = made.step.arch, made.fields
    word, part = divmod(number, arch.word // arch.filters)
    row, column = made.step.stored_at(at)
    if fields["raw"]:
        index = made.output.base + column * made.output.row_pitch + number * arch.filters
        made.expected["raw", index % arch.logit_entries, tuple(sums.tolist())] += 1
        return
    values = requantize(sums, multiplier=scales[:, 1], shift=scales[:, 2], **clip_of(fields))
    enabled = ((1 << arch.filters) - 1) << part * arch.filters
    place = (row, column, fields["output_first_word"] + word)
    if made.addend is not None:
        channel = place[2] * arch.word + part * arch.filters
        zero_point = fields["output_zero_point"]
        values = made.addend.sums(values, zero_point, (row, column, channel))
    made.expected[made.way([row]), *place, enabled, tuple(values.tolist())] += 1


def clip_of(fields: Fields) -> dict[str, Any]:
    """Return zero point and clip of the output."""
    return {name: fields[f"output_{name}"] for name in ("zero_point", "low", "high")}


def add_results(made: CoreStep, step: Simd, rng: np.random.Generator) -> None:
    """Draw taps or a table, and add golden's results of a SIMD step."""
    arch, fields = step.arch, made.fields
    if step.operation is Operation.DEPTHWISE:
        for _ in range(step.words[1]):
            weights = rng.integers(-128, 128, (len(step.taps), arch.word))
            parameters = draw_parameters(rng, arch.word)
            made.taps.append((parameters, weights.astype(np.int8)))
    if step.operation is Operation.TABLE:
        made.table = rng.integers(0, 256, TABLE_BYTES).astype(np.uint8)
    every = (1 << arch.word) - 1
    for vector in step.vectors:
        positions = [at for at in step.positions(vector, 0) if at.active]
        places = [step.stored_at(at) for at in positions]
        way = made.way([row for row, _ in places])
        for index, word in enumerate(range(step.words[0], sum(step.words))):
            out = fields["output_first_word"] + word
            for at, (row, column) in zip(positions, places, strict=True):
                taps = [list(step.content(at, word, tap)) for tap in range(len(step.taps))]
                values = tuple(compute(made, step, np.array(taps, np.uint8), index).tolist())
                if not fields["to_memory"]:
                    made.expected[way, row, column, out, every, values] += 1
                    continue
                if out == made.output.channel_words - 1:
                    count = fields["enable_end"]
                    values = (*values[:count], *[0] * (len(values) - count))
                place = made.output.base + (row - made.output.first[0]) * made.output.row_pitch
                place += column * made.output.channel_words + out
                place = place * arch.word // 4 % arch.logit_entries
                made.expected["memory", place, values] += 1


def compute(made: CoreStep, step: Simd, taps: Bytes, index: int) -> Bytes:
    """Return golden's bytes of one position and channel word; index: of the TAPS."""
    fields, clip = made.fields, clip_of(made.fields)
    scale = {"shift": fields["shift"], **clip}
    zero_points = fields["first_zero_point"], fields["second_zero_point"]
    match step.operation:
        case Operation.MAXIMUM:
            return golden.maximum(taps, low=clip["low"], high=clip["high"])
        case Operation.SUM:
            total = golden.total(taps, bias=fields["bias"])
            return requantize(total, multiplier=fields["multiplier"], **scale)
        case Operation.DEPTHWISE:
            parameters, weights = made.taps[index]
            scales = np.array(parameters)
            total = golden.total(taps, bias=scales[:, 0], weights=weights)
            return requantize(total, multiplier=scales[:, 1], shift=scales[:, 2], **clip)
        case Operation.ADD:
            multipliers = fields["multiplier"], fields["bias"]
            return golden.add(taps, zero_points=zero_points, multipliers=multipliers, **scale)
        case Operation.MULTIPLY:
            multiplier = fields["multiplier"]
            return golden.multiply(taps, zero_points=zero_points, multiplier=multiplier, **scale)
    assert made.table is not None
    found: Bytes = made.table[taps[0]]
    return found
