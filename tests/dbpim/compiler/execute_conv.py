"""CONV: each core walks its tiles in the order of the stream."""

from collections.abc import Iterator, Sequence

import numpy as np

from golden.dbpim.weight_decoder import decode, decode_dense, pair_values
from golden.ops.requantize import requantize
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import of_core
from hwgen.dbpim.facts.stream import Packet, TilePacket
from hwgen.network.quantization import ROUNDING_CODES
from tests.dbpim.compiler.bus import store, store_logits
from tests.dbpim.compiler.chip_state import ChipState, Words, tag_of
from tests.dbpim.compiler.positions import Positions, positions_of, read_taps, view

ROUNDINGS = tuple(ROUNDING_CODES)
"""By code."""

DENSE_PLACES = np.array([1, 2, 4, 8, 16, 32, 64, -128])


def tile_weights(tile: TilePacket, arch: Arch) -> np.ndarray:
    """Return the weights in the cells of a tile: float32, (rows * C, F), of a pair tile 2 * F."""
    enable = np.array([tile.fields["filter_enable"] >> n & 1 for n in range(2 * arch.filters)])
    shape = (*tile.codes.shape, -1)
    if tile.fields["double"]:
        values = (pair_values(tile.codes) * enable).reshape(-1, arch.filters, 2)
        return np.concatenate([values[..., 0], values[..., 1]], axis=1).astype(np.float32)
    if arch.sparsity.weight_bits:
        values = (decode(tile.codes).values * enable).reshape(shape).sum(axis=-1)
    else:
        values = decode_dense(tile.codes).reshape(shape) @ DENSE_PLACES * enable[::2]
    return values.reshape(-1, arch.filters).astype(np.float32)


def groups_of(tile: TilePacket) -> list[int]:
    """Return the filter groups whose weights a tile has."""
    names = ("group", "second_group") if tile.fields["double"] else ("group",)
    return [tile.fields[name] for name in names]


def run_conv(chip: ChipState, packet: Packet, followers: Sequence[Packet]) -> None:
    """Execute a CONV with its tiles."""
    tiles, fields = list(followers), dict(packet.fields)
    for tile in tiles:
        if not isinstance(tile, TilePacket):
            chip.refuse(f"{tile.opcode.name} follows a CONV")
        if tile.fields["cores"] & ~fields["active_cores"] or not tile.fields["cores"]:
            chip.refuse(f"a tile is for cores {tile.fields['cores']:#b}")
    if not fields["active_cores"]:
        chip.refuse("no core is active")
    if chip.arch.shares_stream:
        check_shared(chip, fields, tiles)
    weights = [tile_weights(tile, chip.arch) for tile in tiles]
    for core in range(chip.arch.cores):
        if fields["active_cores"] >> core & 1:
            own = [
                (tile, values)
                for tile, values in zip(tiles, weights, strict=True)
                if tile.fields["cores"] >> core & 1
            ]
            CoreWalk(chip, fields, core).run(own)


def check_shared(chip: ChipState, fields: dict[str, int], tiles: Sequence[TilePacket]) -> None:
    """Check that every core can compute with the words that core 0 reads, in their order."""
    cores = range(chip.arch.cores)
    names = ("first", "last", "kernel_y", "kernel_x", "channel_word", "mask_words")
    places = ("start_image", "start_y", "start_x", "vectors")
    walks = [
        [
            [each.fields[name] for name in names]
            for each in tiles
            if each.fields["cores"] >> core & 1
        ]
        for core in cores
    ]
    starts = [[fields[of_core(name, core)] for name in places] for core in cores]
    for core in cores:
        if not fields["active_cores"] >> core & 1:
            continue
        if starts[core] != starts[0] or walks[core] != walks[0][: len(walks[core])]:
            chip.refuse(f"core {core} meets other words than core 0 reads")


class CoreWalk:
    """One core in one CONV; on a chip with one stream of words core 0 reads for it."""

    def __init__(self, chip: ChipState, fields: dict[str, int], core: int) -> None:
        self.chip, self.fields, self.core = chip, fields, core
        self.arch = chip.arch
        self.reader = 0 if chip.arch.shares_stream else core
        self.at = positions_of(chip, fields, core)
        self.patches: tuple[int, np.ndarray, np.ndarray | None] | None = None
        self.sums = np.zeros(0)
        self.turn = 0
        self.parameters: tuple = ()
        self.results: list[Words] = []

    def run(self, tiles: list[tuple[TilePacket, np.ndarray]]) -> None:
        """Walk groups, chunks and tiles until the last one of the last group."""
        todo = iter(tiles)
        while True:
            group = None
            for start in range(0, len(self.at), self.fields["chunk_vectors"]):
                group = self.chunk(todo, start, group)
            if group.fields["last_group"]:
                break
        if next(todo, None) is not None:
            self.chip.refuse(f"core {self.core} gets a tile after its last group")
        if self.results:
            # Nobody reads a result in its own step: they are stored together.
            names: tuple[str, ...] = ("rows", "columns", "words", "data", "enable")
            if self.fields["adds"]:
                names += ("tags",)
            columns = {
                name: np.concatenate([getattr(each, name) for each in self.results])
                for name in names
            }
            store(self.chip, self.fields, self.core, Words(**columns))

    def chunk(
        self, todo: Iterator[tuple[TilePacket, np.ndarray]], start: int, before: TilePacket | None
    ) -> TilePacket:
        """Walk the tiles of one chunk of a group; return the last one."""
        at = self.at.part(start, self.fields["chunk_vectors"])
        expected = 1
        while True:
            if (entry := next(todo, None)) is None:
                self.chip.refuse(f"core {self.core} waits for a tile that never comes")
            tile, weights = entry
            self.check_tile(tile, before, expected, len(at))
            self.accumulate(tile, weights, at, start)
            before, expected = tile, 0
            if tile.fields["last"]:
                self.emit(tile, at)
                return tile

    def check_tile(
        self, tile: TilePacket, before: TilePacket | None, first: int, vectors: int
    ) -> None:
        """Check the rules of a valid program."""
        fields, arch = tile.fields, self.arch
        new_group, ends = before is None, tile.masks[-1].any()
        # A vector ends with a group, of zeros if its last word selects nothing for one begun.
        full, rest = divmod(tile.masks.sum(), arch.macro.compartments)
        rules = {
            "first": fields["first"] == first,
            "parameters": fields["parameters"] == int(new_group),
            "group": new_group or groups_of(tile) == groups_of(before),
            "two groups": not fields["double"] or fields["group"] != fields["second_group"],
            "second group": fields["double"] or not fields["second_group"],
            "last_group": new_group or fields["last_group"] == before.fields["last_group"],
            "turn": first or fields["turn"] == self.turn,
            "turn below M": fields["turn"] < arch.macros_per_core,
            "rows": 1 <= fields["rows"] <= min(arch.tile_rows, arch.macro.rows // 2),
            "mask_words": 1 <= fields["mask_words"] <= arch.mask_words // 2
            or fields["mask_words"] == fields["rows"] > 0 == arch.sparse_parts,
            "first and last mask": arch.shares_stream or (tile.masks[0].any() and ends),
            "selected inputs": full + (rest > 0 or not ends) == fields["rows"],
            "partial sums": fields["first"] & fields["last"]
            or vectors <= arch.psum_vectors >> fields["double"],
        }
        for name, holds in rules.items():
            if not holds:
                self.chip.refuse(f"core {self.core}, group {fields['group']}: {name} of a tile")
        self.turn = fields["turn"]
        self.parameters = tile.parameters or self.parameters

    def patch(self, at: Positions, start: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Return all input words that the chunk sees: (positions, words, C), and unknown bytes."""
        if self.patches is None or self.patches[0] != start:
            sizes = (
                self.fields["kernel_height"],
                self.fields["kernel_width"],
                self.fields["input_channel_words"],
            )
            ky, kx, word = (axis.ravel() for axis in np.indices(sizes))
            seen = read_taps(
                self.chip, self.fields, self.reader, at.flat(), taps=(ky, kx), words=word
            )
            self.patches = (start, *seen)
        return self.patches[1:]

    def accumulate(self, tile: TilePacket, weights: np.ndarray, at: Positions, start: int) -> None:
        """Add the products of a tile to the sums of the chunk: (active positions, F)."""
        ky, kx, word = (tile.fields[name] for name in ("kernel_y", "kernel_x", "channel_word"))
        if kx >= self.fields["kernel_width"] or word >= self.fields["input_channel_words"]:
            self.chip.refuse(f"core {self.core}: a tile starts outside of the window")
        number = (ky * self.fields["kernel_width"] + kx) * self.fields["input_channel_words"] + word
        data, tags = self.patch(at, start)
        walked = slice(number, number + len(tile.masks))
        if walked.stop > data.shape[1]:
            self.chip.refuse(f"core {self.core}: a tile walks beyond the window")
        if tags is not None:
            used = tags[:, walked][:, tile.masks]
            if not self.arch.sparse_parts:
                # What fills up a word may be anything: its weights are zero.
                used = used[:, weights[: used.shape[1]].any(axis=1)]
            self.chip.use(self.reader, used)
        selected = data[:, walked][:, tile.masks].astype(np.float32)
        # Sums of one tile are below 2**24: float32 adds them exactly in any order.
        sums = (selected @ weights[: selected.shape[1]]).astype(np.int64)
        self.sums = sums if tile.fields["first"] else self.sums + sums

    def emit(self, tile: TilePacket, at: Positions) -> None:
        """Send the sums of a chunk through the output stage, one group after the other."""
        filters = self.arch.filters
        for number, group in enumerate(groups_of(tile)):
            own = slice(number * filters, (number + 1) * filters)
            self.emit_group(group, self.sums[:, own], self.parameters[own], at)

    def emit_group(self, group: int, sums: np.ndarray, parameters: tuple, at: Positions) -> None:
        """Send the sums of a filter group through the output stage."""
        fields, chip, filters = self.fields, self.chip, self.arch.filters
        bias, multiplier, shift = (np.array(each) for each in zip(*parameters, strict=True))
        # The accumulator wraps, so that the bias can bring a sum back into range.
        total = (sums + bias).astype(np.int32).astype(np.int64)
        flat, first = at.flat(), group * filters
        rows, columns = flat.stored(fields, "output")
        if fields["raw"]:
            entry = fields["output_base"] + columns * fields["output_row_pitch"] + first
            index = 4 * (entry[:, np.newaxis] + np.arange(filters))
            index = (index[:, :, np.newaxis] + np.arange(4)).ravel()
            data = total.astype("<i4").view(np.uint8).ravel()
            store_logits(chip, index, data, np.full(len(index), tag_of(chip.step, 0, 0, 0)))
            return
        if (shift < 1).any():
            chip.refuse(f"group {group} has a shift of 0")
        values = requantize(
            total,
            multiplier=multiplier,
            shift=shift,
            zero_point=fields["output_zero_point"],
            low=fields["output_low"],
            high=fields["output_high"],
            rounding=ROUNDINGS[fields["rounding"]],
        )
        word, byte = divmod(first, self.arch.word)
        data = np.zeros((len(rows), self.arch.word), np.uint8)
        data[:, byte : byte + filters] = values
        enable = np.zeros(data.shape, bool)
        enable[:, byte : byte + filters] = True
        words = np.full(len(rows), fields["output_first_word"] + word)
        tags = None
        if fields["adds"]:
            data, tags = self.sums_with_second(data, rows=rows, columns=columns, words=words)
        self.results.append(
            Words(rows=rows, columns=columns, words=words, data=data, enable=enable, tags=tags)
        )

    def sums_with_second(self, data: np.ndarray, *, rows, columns, words):
        """Return the results plus map b, and the tags of bytes that are unknown."""
        fields, chip = self.fields, self.chip
        if fields["raw"]:
            chip.refuse("a map is added to int32")
        if self.arch.shares_stream:
            chip.refuse("a map is added on a chip without residual adders")
        if words.max() >= fields["second_channel_words"]:
            chip.refuse(f"core {self.core} reads word {words.max()} of map b")
        other, tags = chip.read(
            self.core,
            view(fields, "second", self.core),
            rows=rows,
            columns=columns + fields["second_column"],
            words=words,
            inside=np.ones(len(rows), bool),
            outside=0,
        )
        total = (data.astype(np.int64) - fields["output_zero_point"]) * fields["result_multiplier"]
        total += (other.astype(np.int64) - fields["second_zero_point"]) * fields[
            "second_multiplier"
        ]
        sums = requantize(
            total,
            multiplier=1,
            shift=fields["sum_shift"],
            zero_point=fields["sum_zero_point"],
            low=fields["sum_low"],
            high=fields["sum_high"],
            rounding=ROUNDINGS[fields["sum_rounding"]],
        )
        return sums, np.zeros(data.shape, np.int64) if tags is None else tags
