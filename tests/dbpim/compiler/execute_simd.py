"""SIMD: one operation on the words of position vectors."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from golden.ops.layer_norm import layer_norm
from golden.ops.requantize import requantize
from golden.ops.softmax import softmax
from hwgen.dbpim.facts.instructions import (
    FLOAT_ENTRIES,
    ROW_PASSES,
    TWO_MAPS,
    Opcode,
    Operation,
    of_core,
)
from hwgen.dbpim.facts.stream import FloatsPacket, Packet, TablePacket, TapsPacket
from tests.dbpim.compiler.bus import store, store_logits
from tests.dbpim.compiler.chip_state import ChipState, Words, tag_of
from tests.dbpim.compiler.execute_conv import ROUNDINGS
from tests.dbpim.compiler.positions import Positions, positions_of, read_taps, view

ELEMENTWISE = (*TWO_MAPS, Operation.TABLE)
SENT = {
    Operation.DEPTHWISE: Opcode.TAPS,
    Operation.TABLE: Opcode.TABLE,
    Operation.SOFTMAX: Opcode.FLOATS,
    Operation.NORM: Opcode.FLOATS,
}


def run_simd(chip: ChipState, packet: Packet, followers: Sequence[Packet]) -> None:
    """Execute a SIMD instruction with its taps or its table."""
    fields = dict(packet.fields)
    operation = Operation(fields["operation"])
    wanted = SENT.get(operation)
    for follower in followers:
        if follower.opcode is not wanted or follower.fields["cores"] & ~fields["active_cores"]:
            chip.refuse(f"{follower.opcode.name} of cores {follower.fields['cores']:#b} follows it")
    if not fields["active_cores"]:
        chip.refuse("no core is active")
    if operation in ELEMENTWISE and (fields["kernel_height"], fields["kernel_width"]) != (1, 1):
        chip.refuse("an operation on single elements has a window")
    for core in range(chip.arch.cores):
        if fields["active_cores"] >> core & 1:
            own = [each for each in followers if each.fields["cores"] >> core & 1]
            CoreRun(chip, fields, core).run(operation, own)


class CoreRun:
    """One core in one SIMD instruction; arrays are (positions, words, C)."""

    def __init__(self, chip: ChipState, fields: dict[str, int], core: int) -> None:
        self.chip, self.fields, self.core = chip, fields, core
        self.at = positions_of(chip, fields, core).flat()
        count = fields[of_core("word_count", core)]
        if not count:
            chip.refuse(f"core {core} is active without a channel word")
        self.words = fields[of_core("word_first", core)] + np.arange(count)
        self.unknown: np.ndarray | None = None

    def run(self, operation: Operation, followers: Sequence[Packet]) -> None:
        """Compute and send all results."""
        match operation:
            case Operation.MAXIMUM:
                self.send(self.maximum())
            case Operation.SUM if self.fields["sums"]:
                self.send_sums(self.total())
            case Operation.SUM:
                scale = {name: self.fields[name] for name in ("multiplier", "shift")}
                self.send(self.requantized(self.total(), **scale))
            case Operation.DEPTHWISE:
                self.send(self.depthwise(followers))
            case Operation.ADD | Operation.MULTIPLY | Operation.SQUARES:
                self.send(self.combined(operation))
            case Operation.TABLE:
                self.send(self.table(followers))
            case Operation.SCORES | Operation.VALUES:
                scale = {name: self.fields[name] for name in ("multiplier", "shift")}
                self.send(self.requantized(self.product(operation), **scale))
            case Operation.SOFTMAX | Operation.NORM:
                self.send(self.rows(operation, followers))

    def tap(self, ky: int, kx: int) -> np.ndarray:
        """Return the words of one tap: int64."""
        taps = (np.full(len(self.words), ky), np.full(len(self.words), kx))
        data, tags = read_taps(
            self.chip, self.fields, self.core, self.at, taps=taps, words=self.words
        )
        self.note(tags)
        return data.astype(np.int64)

    def note(self, tags: np.ndarray | None) -> None:
        """Remember unknown bytes: their lanes have unknown results."""
        if tags is not None:
            before = self.unknown
            self.unknown = tags if before is None else np.where(before, before, tags)

    def taps(self) -> list[tuple[int, int]]:
        """Return window rows and columns, in the order of the chip."""
        return list(np.ndindex(self.fields["kernel_height"], self.fields["kernel_width"]))

    def maximum(self) -> np.ndarray:
        """Return the clipped maximum of each window."""
        largest = np.max([self.tap(ky, kx) for ky, kx in self.taps()], axis=0)
        return largest.clip(self.fields["output_low"], self.fields["output_high"])

    def total(self) -> np.ndarray:
        """Return bias + sum of the window, or of its columns as digits of base 256."""
        bias = self.fields["bias"] - ((self.fields["bias"] >> 31) << 32)
        total = np.full((len(self.at), len(self.words), self.chip.arch.word), bias)
        for ky, kx in self.taps():
            total += self.tap(ky, kx) << (8 * kx if self.fields["planes"] else 0)
        return self.in_range(total)

    def in_range(self, total: np.ndarray) -> np.ndarray:
        """Refuse totals beyond the accumulator, in lanes that are known."""
        known = True if self.unknown is None else self.unknown == 0
        if ((total != total.astype(np.int32)) & known).any():
            self.chip.refuse(f"core {self.core} has a total beyond 32 bits")
        return total

    def requantized(self, total: np.ndarray, *, multiplier, shift) -> np.ndarray:
        """Return bytes of the output map."""
        if np.min(shift) < 1:
            self.chip.refuse("a shift is 0")
        return requantize(
            total,
            multiplier=multiplier,
            shift=shift,
            zero_point=self.fields["output_zero_point"],
            low=self.fields["output_low"],
            high=self.fields["output_high"],
            rounding=ROUNDINGS[self.fields["rounding"]],
        )

    def depthwise(self, followers: Sequence[Packet]) -> np.ndarray:
        """Return the convolution of each channel with its own window of weights."""
        packets = [each for each in followers if isinstance(each, TapsPacket)]
        if len(packets) != len(self.words):
            given = f"{len(packets)} packets of taps for {len(self.words)} words"
            self.chip.refuse(f"core {self.core} gets {given}")
        taps = self.taps()
        if (
            any(len(packet.weights) != len(taps) for packet in packets)
            or len(taps) > self.chip.arch.simd_taps
        ):
            self.chip.refuse(f"core {self.core} gets taps of another window than {len(taps)}")
        weights = np.array([packet.weights for packet in packets], np.int64)
        entries = np.array([packet.parameters for packet in packets], np.int64)
        total = np.zeros((len(self.at), *entries.shape[:2]), np.int64) + entries[:, :, 0]
        for number, (ky, kx) in enumerate(taps):
            total += self.tap(ky, kx) * weights[:, number]
        total = self.in_range(total)
        return self.requantized(total, multiplier=entries[:, :, 1], shift=entries[:, :, 2])

    def combined(self, operation: Operation) -> np.ndarray:
        """Return the sum, the product or the squared difference of two maps."""
        a = self.tap(0, 0) - self.fields["first_zero_point"]
        b = self.second() - self.fields["second_zero_point"]
        scale = {name: self.fields[name] for name in ("multiplier", "shift")}
        if operation is Operation.MULTIPLY:
            return self.requantized(a * b, **scale)
        if operation is Operation.SQUARES:
            d = self.operand(a, "first") - self.operand(b, "second")
            return self.requantized(self.in_range(d * d), **scale)
        total = a * scale["multiplier"] + b * self.fields["bias"]
        return self.requantized(total, multiplier=1, shift=scale["shift"])

    def operand(self, values: np.ndarray, name: str) -> np.ndarray:
        """Return values * 128 * M / 2**31, ties up, over 2**places, ties away from zero."""
        first = (values * 128 * self.fields[f"{name}_scale"] + (1 << 30)) // (1 << 31)
        unit = 1 << self.fields[f"{name}_places"]
        away = (2 * np.abs(first) + unit) // (2 * unit)
        return np.where(first < 0, -away, away)

    def second(self) -> np.ndarray:
        """Return the words of map b."""
        at = self.at
        if self.fields["second_broadcast"]:
            zero = np.zeros_like(at.y)
            at = replace(at, y=zero, x=zero)
        rows, columns = (each[:, np.newaxis] for each in at.stored(self.fields, "second"))
        if self.words[-1] >= self.fields["second_channel_words"]:
            self.chip.refuse(f"core {self.core} reads word {self.words[-1]} of map b")
        shape = np.broadcast_shapes(rows.shape, self.words.shape)
        rows, columns, words = (np.broadcast_to(x, shape) for x in (rows, columns, self.words))
        source = view(self.fields, "second", self.core)
        inside = np.ones(shape, bool)
        data, tags = self.chip.read(
            self.core, source, rows=rows, columns=columns, words=words, inside=inside, outside=0
        )
        self.note(tags)
        return data.astype(np.int64)

    def product(self, operation: Operation) -> np.ndarray:
        """Return the sums of a product of two maps: a result word after the other."""
        fields, size = self.fields, self.chip.arch.word
        together, scores = fields["kernel_width"] - 1, operation is Operation.SCORES
        fits = together == size if scores else 1 <= together <= size
        if not fits or not fields["second_broadcast"]:
            self.chip.refuse(f"core {self.core} has a product of other words or pixels")
        held, results = fields["kernel_height"], fields["stride_y"]
        total = np.zeros((len(self.at), len(self.words), size), np.int64)
        unknown = np.zeros_like(total)
        for place, word in enumerate(self.words.tolist()):
            group, number = divmod(word, results)
            for row in range(held):
                own = group * held + row
                a, tags = self.read_word("input", self.at, own)
                self.check_known(tags)
                a = a - fields["first_zero_point"]
                for column in range(together):
                    pixel = (number if scores else row) * together + column
                    b, tags = self.met(pixel, own if scores else word)
                    b = b - fields["second_zero_point"]
                    if scores:
                        self.check_known(tags)
                        total[:, place, column] += (a * b).sum(axis=1)
                    else:
                        unknown[:, place] |= tags
                        total[:, place] += a[:, [column]] * b
        self.note(unknown)
        return self.in_range(total)

    def check_known(self, tags: np.ndarray) -> None:
        """Refuse bytes of a product that no step has stored."""
        if tags.any():
            self.chip.refuse(f"core {self.core} multiplies unknown bytes")

    def met(self, pixel: int, word: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a channel word of a pixel of map b of each position's image, as `read_word`."""
        y, x = divmod(pixel, self.fields["input_width"])
        at = replace(self.at, y=np.full_like(self.at.y, y), x=np.full_like(self.at.x, x))
        return self.read_word("second", at, word)

    def read_word(self, name: str, at: Positions, word: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a channel word of map a (input) or b (second) at positions, (positions, C).

        The second array is not 0 where a byte is unknown.
        """
        if word >= self.fields[f"{name}_channel_words"]:
            self.chip.refuse(f"core {self.core} reads word {word} of map {name}")
        rows, columns = at.stored(self.fields, name)
        data, tags = self.chip.read(
            self.core,
            view(self.fields, name, self.core),
            rows=rows,
            columns=columns,
            words=np.full_like(rows, word),
            inside=np.ones(rows.shape, bool),
            outside=0,
        )
        return data.astype(np.int64), np.zeros_like(data, np.int64) if tags is None else tags

    def table(self, followers: Sequence[Packet]) -> np.ndarray:
        """Return the entry of each element."""
        tables = [each for each in followers if isinstance(each, TablePacket)]
        if len(tables) != 1:
            self.chip.refuse(f"core {self.core} gets {len(tables)} tables")
        return tables[0].entries[self.tap(0, 0)]

    def rows(self, operation: Operation, followers: Sequence[Packet]) -> np.ndarray:
        """Return what the row unit makes of groups of channels; behind a group it writes zeros."""
        fields, size = self.fields, self.chip.arch.word
        (floats,) = (each for each in followers if isinstance(each, FloatsPacket))
        count, words = fields["bias"], fields["kernel_width"]
        # The first word counts words, their number groups.
        begins = self.words[0] + words * np.arange(len(self.words))
        self.words = (begins[:, np.newaxis] + np.arange(words)).ravel()
        zeros = np.zeros(len(self.words), np.int64)
        data, tags = read_taps(
            self.chip, fields, self.core, self.at, taps=(zeros, zeros), words=self.words
        )
        grouped = data.reshape(len(self.at), -1, words * size)
        counted = grouped[..., :count]
        if tags is not None and tags.reshape(grouped.shape)[..., :count].any():
            self.chip.refuse(f"core {self.core} reads unknown bytes of a whole pixel")
        maps = counted.reshape(len(self.at), 1, 1, -1)
        if operation is Operation.SOFTMAX:
            factor = int(np.array(floats.fields["operand"], np.uint32).view(np.float32))
            table = floats.numbers[:FLOAT_ENTRIES]
            steps = softmax(maps, groups=counted.shape[1], exponentials=table, factor=factor)
        else:
            steps = self.normal(maps, floats)
        moved = steps + fields["output_zero_point"]
        found = np.zeros(grouped.shape, np.int64)
        found[..., :count] = moved.clip(fields["output_low"], fields["output_high"]).reshape(
            counted.shape
        )
        return found.reshape(len(self.at), -1, size)

    def normal(self, maps: np.ndarray, floats: FloatsPacket) -> np.ndarray:
        """Return the nearest integers of a norm; without a mean the words are read twice."""
        table, pairs = np.split(
            floats.numbers[: FLOAT_ENTRIES + 2 * maps.shape[3]], [FLOAT_ENTRIES]
        )
        eps, scale = (np.uint32(floats.fields[name]) for name in ("operand", "divisor"))
        return layer_norm(
            maps,
            values=table,
            gamma=pairs[::2].copy(),
            beta=pairs[1::2].copy(),
            eps=eps,
            scale=scale,
            centred=self.fields["kernel_height"] == ROW_PASSES,
        )

    def send(self, values: np.ndarray) -> None:
        """Send bytes to the slices, or to the logit buffer."""
        rows, columns = self.at.stored(self.fields, "output")
        self.send_at(rows, columns, values.astype(np.uint8))

    def send_sums(self, total: np.ndarray) -> None:
        """Send the three bytes of each total to neighbouring columns."""
        known = True if self.unknown is None else self.unknown == 0
        if (((total < 0) | (total >> 24 != 0)) & known).any():
            self.chip.refuse(f"core {self.core} has a sum beyond 24 bits")
        rows, columns = self.at.stored(self.fields, "output")
        for plane in range(3):
            self.send_at(rows, 3 * columns + plane, (total >> 8 * plane & 255).astype(np.uint8))

    def send_at(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
        """Send bytes (positions, words, C) of stored rows and columns."""
        fields, compartments = self.fields, values.shape[-1]
        lanes = np.arange(compartments)
        data = np.roll(values, fields["rotate"], axis=-1).reshape(-1, compartments)
        tags = self.unknown
        if tags is not None:
            tags = np.roll(tags, fields["rotate"], axis=-1).reshape(-1, compartments)
        enabled = (lanes >= fields["enable_first"]) & (lanes < fields["enable_end"])
        words = np.tile(fields["output_first_word"] + self.words, len(rows))
        if fields["to_memory"]:
            # Words are whole; above the last channel are zeros.
            above = (words == fields["output_channel_words"] - 1)[:, None] & ~enabled
            data, enabled = np.where(above, 0, data), np.ones_like(enabled)
            if tags is not None:
                tags = np.where(above, tag_of(self.chip.step, 0, 0, 0), tags)
        results = Words(
            rows=np.repeat(rows, len(self.words)),
            columns=np.repeat(columns, len(self.words)),
            words=words,
            data=data,
            enable=np.broadcast_to(enabled, data.shape),
            tags=tags,
        )
        if fields["to_memory"]:
            self.to_memory(results)
        else:
            store(self.chip, fields, self.core, results)

    def to_memory(self, results: Words) -> None:
        """Store words in the logit buffer."""
        fields, chip = self.fields, self.chip
        row = results.rows - fields[of_core("keep_first", self.core)]
        if row.min() < 0:
            chip.refuse(f"core {self.core} sends a row before its first one to memory")
        index = fields["output_base"] + row * fields["output_row_pitch"]
        index = index + results.columns * fields["output_channel_words"] + results.words
        at, byte = np.nonzero(results.enable)
        tags = np.full(results.data.shape, tag_of(chip.step, 0, 0, 0))
        if results.tags is not None:
            tags = np.where(results.tags, results.tags, tags)
        place = index[at] * results.data.shape[1] + byte
        store_logits(chip, place, results.data[at, byte], tags[at, byte])
