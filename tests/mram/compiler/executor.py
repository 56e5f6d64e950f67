"""Runs a program record by record on integers: cells, banks and tables as the loader fills them.

It knows the contract of records alone. Cells outside the program and banks begin as garbage. A
position's sum is the dot product of its packet and the numbers that the cells hold.
"""

from dataclasses import dataclass

import numpy as np

from hwgen.mram.facts import Arch, Program
from hwgen.mram.facts.image import element_type, pack_image, unpack_answer
from hwgen.mram.facts.records import Kind, entry_name
from hwgen.mram.facts.stream import Content, decode_program

Fields = dict[str, int]
WINDOW = 3


@dataclass
class Answered:
    """Maps of one image by layer, and the outputs by theirs."""

    maps: dict[str, np.ndarray]
    answers: dict[str, np.ndarray]


class Chip:
    """A chip with one loaded program."""

    def __init__(self, program: Program, arch: Arch, *, seed: int = 1) -> None:
        self.arch, self.rng = arch, np.random.default_rng(seed)
        shape = (arch.weight_rows, arch.sub_arrays, arch.array.columns)
        self.cells = self.rng.integers(0, 2, shape).astype(np.bool_)
        self.content: Content = decode_program(program.image, arch, source="test")
        self.load(program)

    def load(self, program: Program) -> None:
        """Take the tables, and the weight rows if there are any."""
        self.program = program
        self.content = decode_program(program.image, self.arch, source="test")
        self.cells[: len(self.content.weights)] = self.content.weights
        assert program.facts.weight_rows == len(self.content.weights)

    def run(self, image: np.ndarray, mode: int) -> Answered:
        """Run one image from garbage in the banks."""
        arch, facts = self.arch, self.program.facts
        elements = arch.bank_bytes // arch.element_bytes
        self.banks = self.rng.integers(0, 1 << arch.element_bits, (4, elements))
        self.answers = self.rng.integers(-99, 99, arch.answer_entries)
        self.memory = np.zeros(self.content.answer_stride // (arch.answer_bits // 8), np.int64)
        self.image = pack_image(image, facts.image, arch)
        maps, number = {}, self.content.first_records[mode]
        steps = facts.modes[mode].steps
        for step in steps:
            assert step.record == number, step.name
            record = self.content.records[number]
            assert step.kind == Kind(record["kind"]).name.lower()
            self.execute(record)
            if step.output is not None:
                place = step.output
                height, width, channels = place.shape
                whole = self.banks[place.bank][: height * width * place.pixel_blocks * arch.block]
                whole = whole.reshape(height, width, -1)
                maps[step.layer] = whole[:, :, :channels].copy()
            number += 1
            assert bool(record["last"]) == (step is steps[-1])
        content = self.memory.astype(f"<i{arch.answer_bits // 8}").tobytes()
        answers = {
            plan.layer: unpack_answer(content[plan.offset :], plan, arch) for plan in facts.answers
        }
        return Answered(maps=maps, answers=answers)

    def execute(self, record: Fields) -> None:
        """Execute one record."""
        match record["kind"]:
            case Kind.IMAGE:
                size = record["loads"] * self.arch.port_bytes
                assert size == len(self.image)
                values = np.frombuffer(self.image, element_type(self.arch))
                self.banks[record["out_bank"], : len(values)] = values
            case Kind.CONV:
                self.results(record, self.conv(record))
            case Kind.POOL:
                self.results(record, self.pool(record))
            case Kind.ANSWER:
                pixels = np.arange(record["loads"]) % (self.arch.block << record["out_blocks_log"])
                kept = np.flatnonzero(pixels < record["channels"])
                first = record["outside"] * 64 // (self.arch.answer_bits // 8)
                self.memory[first + kept] = self.answers[kept]
                # Whatever an output leaves in the buffer is garbage to the next one.
                self.answers = self.rng.integers(-99, 99, self.arch.answer_entries)

    def pixel(self, record: Fields, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return all elements of pixels of the input map, `outside` outside: (..., elements)."""
        each = (1 << record["in_blocks_log"]) * self.arch.block
        inside = (y >= 0) & (y < record["in_height"]) & (x >= 0) & (x < record["in_width"])
        place = np.where(inside, y * record["in_width"] + x, 0)[..., None] * each + np.arange(each)
        found = self.banks[record["in_bank"]][place]
        return np.where(inside[..., None], found, record["outside"])

    def corners(self, record: Fields) -> tuple[np.ndarray, np.ndarray]:
        """Return the input row and column at the top left of each output position's window."""
        position = np.arange(record["out_height"] * record["out_width"])
        y, x = position // record["out_width"], position % record["out_width"]
        top = y * record["stride_y"] - record["pad_top"]
        return top, x * record["stride_x"] - record["pad_left"]

    def conv(self, record: Fields) -> np.ndarray:
        """Return the sum of each position and kernel: (positions, blocks * block)."""
        arch = self.arch
        if record.get("walk", 0):
            return self.loads(record, self.walked(record))
        lines = arch.row_blocks >> record["in_blocks_log"]
        assert record["in_height"] == 1 or record["in_width"] % lines == 0
        top, left = self.corners(record)
        last = (record["out_width"] - 1) * record["stride_x"] - record["pad_left"] + 2
        assert record["last_column"] == min(record["in_width"] - 1, last)
        steps = np.arange(WINDOW)
        y, x = top[:, None, None] + steps[:, None], left[:, None, None] + steps
        windows = self.pixel(record, y, np.broadcast_to(x, np.broadcast(y, x).shape))
        windows &= (1 << record["input_planes"]) - 1
        windows[..., record["channels"] :] = 0
        return self.loads(record, windows)

    def walked(self, record: Fields) -> np.ndarray:
        """Return nine blocks for each segment of a kernel: (positions, 3, 3, channels).

        The taps follow each other, each with its blocks; the rest of the last segment is empty.
        """
        top, left = self.corners(record)
        height, width = record["kernel_height"], record["kernel_width"]
        assert record["last_column"] == 0
        tap = np.arange(height * width)
        taps = self.pixel(record, top[:, None] + tap // width, left[:, None] + tap % width)
        taps &= (1 << record["input_planes"]) - 1
        row = self.arch.row_blocks * self.arch.block
        taps = taps[..., record["first_row"] * row :]
        taps[..., record["channels"] :] = 0
        if record["depthwise"]:
            # A row of the bank alone is read, and a tap is a place.
            assert (record["tap_rows"], record["tap_places"]) == (1, 1)
            places = np.zeros((len(top), WINDOW * WINDOW, row), np.int64)
            places[:, : taps.shape[1], : taps.shape[2]] = taps[..., :row]
            return places.reshape(len(top), WINDOW, WINDOW, -1)
        wide = record["tap_places"] * self.arch.block
        assert record["channels"] <= wide
        assert record["tap_rows"] == -(-record["channels"] // row)
        taps = taps[..., : min(wide, taps.shape[2])]
        taps = np.pad(taps, ((0, 0), (0, 0), (0, wide - taps.shape[2])))
        flat = taps.reshape(len(top), -1)
        each = WINDOW * WINDOW * self.arch.block
        flat = np.pad(flat, ((0, 0), (0, -flat.shape[1] % each)))
        cut = flat.reshape(len(top), -1, WINDOW, WINDOW, self.arch.block)
        return np.moveaxis(cut, 1, 3).reshape(len(top), WINDOW, WINDOW, -1)

    def loads(self, record: Fields, windows: np.ndarray) -> np.ndarray:
        """Return the sum of each position and kernel, load by load."""
        arch = self.arch
        size, count = record["positions"], len(windows)
        assert record["loads"] == -(-count // size)
        assert record["last_positions"] == count - (record["loads"] - 1) * size
        sums = np.zeros((count, record["blocks"] * arch.block), np.int64)
        for load in range(record["loads"]):
            part = windows[load * size : (load + 1) * size]
            found = self.load_sums(record, part, load % record["groups"])
            sums[load * size : load * size + len(part)] = found
        return sums

    def load_sums(self, record: Fields, windows: np.ndarray, group: int) -> np.ndarray:
        """Return the sums of one load's positions in a group of octets."""
        arch, rows = self.arch, 1 + record["two_rows"]
        assert rows * record["input_planes"] <= arch.input_rows
        counts = np.zeros((arch.segments, arch.sub_arrays), np.int64)
        for row in range(rows):
            first = record[f"weight_row_{row}"]
            numbers = self.numbers(first, record["weight_planes"])
            for segment in range(arch.segments):
                if not record[entry_name("active", row, segment)]:
                    continue
                if row and record.get("twins", 0) >> segment & 1:
                    self.check_twin(record, segment)
                    continue
                position = record[entry_name("position", row, segment)]
                if position >= len(windows):
                    continue
                block = record[entry_name("block", row, segment)] * arch.block
                pixels = windows[position, :, :, block : block + arch.block]
                packet = np.moveaxis(pixels, 2, 0).reshape(-1)
                at = segment * arch.segment_columns
                counts[segment] += numbers[:, at : at + len(packet)] @ packet
        chain = self.chained(record, counts)
        octets = 1 << record["octets_log"]
        assert octets * record["groups"] <= arch.octets
        if record.get("depthwise", 0):
            return self.of_segments(record, chain, len(windows), group)
        side_by_side = -(-record["kernels"] // (octets * arch.block))
        assert side_by_side == 1 or arch.any_kernel
        ends = [record[f"sum_segment_{each}"] for each in range(record["positions"] * side_by_side)]
        assert len(set(ends)) == len(ends)
        begin = group * octets * arch.block
        sums = chain[ends, begin : begin + octets * arch.block]
        each = sums.reshape(record["positions"], -1)[: len(windows), : record["kernels"]]
        return np.pad(each, ((0, 0), (0, -each.shape[1] % arch.block)))

    def of_segments(
        self, record: Fields, chain: np.ndarray, positions: int, group: int
    ) -> np.ndarray:
        """Return the sums of a depthwise load: a block of a position has a segment of its own."""
        assert (record["octets_log"], record["join"], record["two_rows"]) == (0, 0, 0)
        blocks, begin = record["blocks"], group * self.arch.block
        ends = [record[f"sum_segment_{each}"] for each in range(record["positions"] * blocks)]
        assert len(set(ends)) == len(ends)
        segments = ends[: positions * blocks]
        return chain[segments, begin : begin + self.arch.block].reshape(positions, -1)

    def check_twin(self, record: Fields, segment: int) -> None:
        """Check that a segment has the plane above of the segment that it is the twin of.

        Its ANDs take the place of some of that segment's, which is counted whole. The highest
        plane counts negative, and has no twin.
        """
        first, columns = record["weight_row_1"], self.arch.segment_columns
        block = record[entry_name("block", 1, segment)]
        (other,) = (
            each
            for each in range(self.arch.segments)
            if record[entry_name("active", 1, each)]
            and record[entry_name("block", 1, each)] == block
            and not record["twins"] >> each & 1
        )
        planes = self.cells[first : first + record["weight_planes"]]
        twin, whole = (planes[:, :, at * columns :][:, :, :columns] for at in (segment, other))
        np.testing.assert_array_equal(twin[:-2], whole[1:-1])
        assert not twin[-2:].any()

    def chained(self, record: Fields, counts: np.ndarray) -> np.ndarray:
        """Return the accumulators; those that do not work hold garbage."""
        chain = np.zeros_like(counts)
        for segment in range(len(counts)):
            joined = segment and record["join"] >> (segment - 1) & 1
            chain[segment] = counts[segment] + (chain[segment - 1] if joined else 0)
        half = 1 << (self.arch.accumulator_bits - 1)
        assert np.abs(chain).max() < half
        works = record["accumulate"] >> np.arange(len(counts)) & 1
        garbage = self.rng.integers(-1000, 1000, chain.shape)
        return np.where(works[:, None] == 1, chain, garbage)

    def numbers(self, row: int, planes: int) -> np.ndarray:
        """Return the numbers in the cells of some rows: (sub_arrays, columns)."""
        bits = self.cells[row : row + planes].astype(np.int64)
        weights = 1 << np.arange(planes, dtype=np.int64)
        weights[-1] *= -1
        found: np.ndarray = np.tensordot(weights, bits, 1)
        return found

    def pool(self, record: Fields) -> np.ndarray:
        """Return the total of each position and channel."""
        top, left = self.corners(record)
        y = np.arange(record["kernel_height"])[:, None] + top[:, None, None]
        x = np.arange(record["kernel_width"]) + left[:, None, None]
        y, x = np.broadcast_arrays(y, x)
        taps = self.pixel(record, y, x)[..., : record["blocks"] * self.arch.block]
        found: np.ndarray = taps.max((1, 2)) if record["maximum"] else taps.sum((1, 2))
        return found

    def results(self, record: Fields, sums: np.ndarray) -> None:
        """Requantize sums, add the skip map, write the lanes that have a kernel."""
        arch, kernels = self.arch, record["kernels"]
        assert record["blocks"] == -(-kernels // arch.block)
        words = self.content.parameters[record["parameter"] :][: record["blocks"]]
        lanes = [lane for word in words for lane in word][:kernels]
        bias, multiplier, shift = (np.array(each, np.int64) for each in zip(*lanes, strict=True))
        values = sums[:, :kernels] + bias
        assert np.abs(values).max() < 1 << (arch.accumulator_bits - 1)
        if not record["raw"]:
            values = (values * multiplier + (1 << shift >> 1) >> shift) + record["zero_point"]
            values = values.clip(record["low"], record["high"])
        if record["skip"]:
            values = self.added(record, values)
        blocks = 1 << record["out_blocks_log"]
        position = np.arange(len(values))[:, None]
        place = (position * blocks + record["out_block"]) * arch.block + np.arange(kernels)
        if record["answer"]:
            self.answers[place] = values
        else:
            assert record["out_bank"] != record["in_bank"]
            self.banks[record["out_bank"]][place] = values

    def added(self, record: Fields, own: np.ndarray) -> np.ndarray:
        """Return own values plus the skip map's."""
        arch, kernels = self.arch, record["kernels"]
        assert record["skip_bank"] != record["in_bank"]
        assert record["answer"] or record["skip_bank"] != record["out_bank"]
        position = np.arange(len(own))
        y = position // record["out_width"] * record["skip_stride_y"]
        x = position % record["out_width"] * record["skip_stride_x"]
        each = (1 << record["skip_blocks_log"]) * arch.block
        channel = record["out_block"] * arch.block + np.arange(kernels)
        place = (y * record["skip_width"] + x)[:, None] * each + np.minimum(channel, each - 1)
        found = self.banks[record["skip_bank"]][place]
        zero = record["skip_zero_point"]
        found = np.where(channel < record["skip_channels"], found, zero)
        total = (own - record["own_zero_point"]) * record["own_multiplier"]
        total = total + (found - zero) * record["skip_multiplier"]
        total = total + (1 << record["sum_shift"] >> 1) >> record["sum_shift"]
        summed: np.ndarray = total + record["sum_zero_point"]
        return summed.clip(record["sum_low"], record["sum_high"])
