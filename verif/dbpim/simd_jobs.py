"""Random steps of the SIMD unit: their word-vectors, TAPS and tables, and golden's results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from amaranth.lib import data
from numpy.typing import NDArray

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PRODUCTS, TABLE_BYTES, Opcode, Operation
from hwgen.dbpim.rtl import layouts
from hwgen.network.quantization import (
    ACCUMULATOR_HIGH,
    ACCUMULATOR_LOW,
    FACTORS,
    MULTIPLIER_BITS,
    ROUNDING_CODES,
    SHIFT_HIGH,
    SIGNED_BITS,
    Rounding,
)
from verif.dbpim.component import pack
from verif.dbpim.simd_cases import Case
from verif.reference.dbpim import simd as golden

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Word:
    """A fetched word: its payload, and what the bench needs of its tag; held: of map a."""

    payload: int
    last_tap: bool
    word_end: bool
    held: bool = False


@dataclass(frozen=True)
class Result:
    """A result of the unit; positions: (row, column, active) of each, bytes: (M, C)."""

    bytes: Bytes
    positions: list[tuple[int, int, bool]]
    word: int
    word_end: bool


@dataclass(frozen=True)
class Taps:
    """TAPS of a channel word: parameters as they are stored, weights int8, (taps, C)."""

    parameters: list[int]
    weights: NDArray[np.int8]


@dataclass(frozen=True)
class Job:
    """A step: words, and the results of each word with a last tap, in their order.

    fields: of the instruction; packets: TAPS, or one table (256,); goes: this core takes part
    """

    case: Case
    fields: Mapping[str, int]
    words: Sequence[Word] = ()
    results: Sequence[Sequence[Result]] = ()
    packets: Sequence[Taps | Bytes] = ()
    goes: bool = True

    def instruction(self, arch: Arch) -> int:
        """Return the bits of the instruction."""
        return pack_fields(layouts.packet(Opcode.SIMD, arch), self.fields)


@dataclass
class Drawing:
    """Random numbers of one job."""

    arch: Arch
    case: Case
    rng: np.random.Generator
    packets: list[Taps | Bytes] = field(default_factory=list)

    def job(self, rotate: int) -> Job:
        """Return the job, with inputs, instruction and expected results."""
        case, rng, channels = self.case, self.rng, self.arch.word
        macros, layout = self.arch.macros_per_core, layouts.packet(Opcode.SIMD, self.arch)
        taps = self.bytes(case.words, case.taps(channels), case.vectors, macros, channels)
        first, end = sorted(rng.choice(channels + 1, 2, replace=False).tolist())
        low, high = sorted(rng.integers(0, 256, 2).tolist())
        fields = {
            **{each: int(rng.integers(1 << layout[each].width)) for each, _ in layout},
            **{"opcode": Opcode.SIMD, "operation": case.operation, "rotate": rotate},
            **{"enable_first": first, "enable_end": end},
            **{"output_first_word": int(rng.integers(900)), "output_low": low, "output_high": high},
            **{"planes": case.planes, "sums": case.sums},
        }
        last = fields["output_first_word"] + int(rng.integers(1, case.words + 1))
        fields["output_channel_words"] = last
        if case.extreme:
            fields |= {"output_low": 0, "output_high": 255}
        fields["rounding"] = ROUNDING_CODES[self.rounding]
        answers, numbers = self.answers(taps, fields)
        fields |= {name: value % (1 << layout[name].width) for name, value in numbers.items()}
        words, results = self.sequence(taps, answers, fields)
        return Job(case, fields, words, results, self.packets)

    def bytes(self, *shape: int) -> Bytes:
        """Return input bytes."""
        if not self.case.extreme:
            return self.rng.integers(0, 256, shape).astype(np.uint8)
        most = self.rng.choice([0, 255], shape, p=[0.05, 0.95])
        most[0] = 255
        return most.astype(np.uint8)

    @property
    def least(self) -> int:
        """The smallest multiplier of the chip's width."""
        if self.rounding == "tflite":
            return FACTORS["tflite"].multiplier_low
        return 1 << self.arch.multiplier_bits - 1

    @cached_property
    def rounding(self) -> Rounding:
        """How the job rounds; what leaves as three bytes does not."""
        if self.case.operation == Operation.SQUARES:
            return "tflite"
        if self.case.sums:
            return "half_up"
        lanes = self.case.operation in (Operation.SUM, Operation.MULTIPLY, *PRODUCTS)
        found = self.arch.simd_roundings if lanes else self.arch.rounding
        return found[int(self.rng.integers(len(found)))]

    def scale(self, totals: NDArray[np.int64]) -> tuple[int, int]:
        """Return M and a shift that scale totals to the size of a byte, or to the extremes."""
        ends = FACTORS["tflite"][2:] if self.rounding == "tflite" else (1, SHIFT_HIGH)
        if self.case.extreme:
            return 2 * self.least - 1, int(self.rng.choice(ends))
        multiplier = int(self.rng.integers(self.least, 2 * self.least))
        ratio = max(1, int(np.abs(totals).max())) * multiplier / 200
        shift = round(np.log2(ratio)) + int(self.rng.integers(-1, 2))
        return multiplier, min(max(shift, ends[0]), ends[1])

    def answers(
        self, taps: Bytes, fields: Mapping[str, int]
    ) -> tuple[list[list[Bytes]], dict[str, int]]:
        """Return golden's maps of each channel word (one, or three of sums); numbers of the step.

        taps: (words, taps, vectors, M, C)
        """
        case, rng = self.case, self.rng
        clip: dict[str, Any] = {"low": fields["output_low"], "high": fields["output_high"]}
        ends: dict[str, Any] = {
            **clip,
            "zero_point": fields["output_zero_point"],
            "rounding": self.rounding,
        }
        zero_points = fields["first_zero_point"], fields["second_zero_point"]
        match case.operation:
            case Operation.MAXIMUM:
                return [[golden.maximum(each, **clip)] for each in taps], {}
            case Operation.TABLE:
                table = rng.integers(0, 256, TABLE_BYTES).astype(np.uint8)
                self.packets.append(table)
                return [[table[each[0]]] for each in taps], {}
            case Operation.ADD:
                high = (1 << self.arch.factor_bits) - 1
                pair = (
                    (high, high) if case.extreme else tuple(rng.integers(0, high + 1, 2).tolist())
                )
                shift = int(rng.choice([1, 47]) if case.extreme else rng.integers(14, 19))
                shift += 0 if case.extreme else self.arch.factor_bits - MULTIPLIER_BITS
                numbers = {"multiplier": pair[0], "bias": pair[1], "shift": shift}
                scale: dict[str, Any] = {
                    "zero_points": zero_points,
                    "multipliers": pair,
                    "shift": shift,
                    **ends,
                }
                return [[golden.add(each, **scale)] for each in taps], numbers
            case Operation.MULTIPLY:
                multiplier, shift = self.scale(np.array([30000]))
                numbers = {"multiplier": multiplier, "shift": shift}
                scale = {**numbers, **ends}
                return [
                    [golden.multiply(each, zero_points=zero_points, **scale)] for each in taps
                ], numbers
            case Operation.SUM | Operation.SCORES | Operation.VALUES | Operation.SQUARES:
                ways = {Operation.SUM: self.sums, Operation.SQUARES: self.squares}
                return ways.get(case.operation, self.products)(taps, ends, zero_points)
            case Operation.DEPTHWISE:
                return [[self.depthwise(each, ends)] for each in taps], {}
            case Operation.SOFTMAX | Operation.NORM:
                raise ValueError("a SIMD unit must not get an operation of the row unit")

    def sums(
        self, taps: Bytes, ends: Mapping[str, Any], _: tuple[int, int]
    ) -> tuple[list[list[Bytes]], dict[str, int]]:
        """Return the results of SUM."""
        case = self.case
        columns = np.arange(len(taps[0])) % case.kernel[1]
        weights = 256 ** (columns if case.planes else 0 * columns)
        largest = 255 * int(weights.sum())
        if case.sums:
            most = (1 << 24) - 1 - largest
            bias = most if case.extreme else int(self.rng.integers(most + 1))
        else:
            ranges = ACCUMULATOR_LOW, ACCUMULATOR_HIGH - largest
            around = -largest, largest // 2
            bias = int(self.rng.choice(ranges) if case.extreme else self.rng.integers(*around))
        totals = [
            golden.total(each, bias=bias, weights=weights[:, None, None, None]) for each in taps
        ]
        multiplier, shift = self.scale(np.stack(totals))
        numbers = {"bias": bias, "multiplier": multiplier, "shift": shift}
        if case.sums:
            return [golden.sum_bytes(each) for each in totals], numbers
        scale: dict[str, Any] = {"multiplier": multiplier, "shift": shift}
        return [[golden.requantize(each, **scale, **ends)] for each in totals], numbers

    def squares(
        self, taps: Bytes, ends: Mapping[str, Any], zero_points: tuple[int, int]
    ) -> tuple[list[list[Bytes]], dict[str, int]]:
        """Return the results of SQUARES; operands are halved at least, so no square is long."""
        most, rng = (1 << SIGNED_BITS) - 1, self.rng
        multipliers = most, most
        places = 1, int(rng.choice([1, SIGNED_BITS]))
        if not self.case.extreme:
            multipliers = tuple(rng.integers(1 << SIGNED_BITS - 1, most + 1, 2).tolist())
            places = tuple(rng.integers(1, 8, 2).tolist())
        shifts = SIGNED_BITS + places[0], SIGNED_BITS + places[1]
        multiplier, shift = self.scale(np.array([1 << 28 - 2 * min(places)]))
        scale = {"multiplier": multiplier, "shift": shift, **ends}
        operands = {"zero_points": zero_points, "multipliers": multipliers, "shifts": shifts}
        numbers = {
            **{"multiplier": multiplier, "shift": shift},
            **{"first_scale": multipliers[0], "first_places": places[0]},
            **{"second_scale": multipliers[1], "second_places": places[1]},
        }
        return [[golden.squares(each, **operands, **scale)] for each in taps], numbers

    def products(
        self, taps: Bytes, ends: Mapping[str, Any], zero_points: tuple[int, int]
    ) -> tuple[list[list[Bytes]], dict[str, int]]:
        """Return the results of SCORES or VALUES."""
        totals = [self.product_totals(each, zero_points) for each in taps]
        multiplier, shift = self.scale(np.stack(totals))
        numbers = {"multiplier": multiplier, "shift": shift}
        scale: dict[str, Any] = {**numbers, **ends}
        return [[golden.requantize(each, **scale)] for each in totals], numbers

    def product_totals(self, taps: Bytes, zero_points: tuple[int, int]) -> NDArray[np.int64]:
        """Return the totals of a channel word, (vectors, M, C); each position meets its own b."""
        _, vectors, macros, channels = taps.shape
        rows = taps.reshape(self.case.held, 1 + channels, vectors * macros, channels)
        found = golden.product_total(
            rows[:, 0].swapaxes(0, 1),
            rows[:, 1:].transpose(2, 0, 1, 3),
            transposed=self.case.operation == Operation.SCORES,
            zero_points=zero_points,
        )
        return found.reshape(vectors, macros, channels)

    def depthwise(self, taps: Bytes, ends: Mapping[str, Any]) -> Bytes:
        """Return the results of a channel word, and note its TAPS."""
        rng, channels = self.rng, self.arch.word
        weights = rng.integers(-128, 128, (len(taps), channels))
        bias = rng.integers(-(1 << 14), 1 << 14, channels)
        if self.case.extreme:
            weights = np.broadcast_to(rng.choice([-128, 127], channels), weights.shape)
            limit = 255 * 128 * len(taps)
            bias = rng.choice([ACCUMULATOR_LOW + limit, ACCUMULATOR_HIGH - limit], channels)
        totals = golden.total(taps, bias=bias, weights=weights[:, None, None, :])
        scales = np.array([self.scale(totals[..., channel]) for channel in range(channels)])
        layout = layouts.parameters(self.arch)
        numbers = zip((bias % (1 << 32)).tolist(), *scales.T.tolist(), strict=True)
        parameters = [
            pack_fields(layout, dict(zip(("bias", "multiplier", "shift"), each, strict=True)))
            for each in numbers
        ]
        self.packets.append(Taps(parameters, weights.astype(np.int8)))
        return golden.requantize(totals, multiplier=scales[:, 0], shift=scales[:, 1], **ends)

    def sequence(
        self, taps: Bytes, answers: list[list[Bytes]], fields: Mapping[str, int]
    ) -> tuple[list[Word], list[list[Result]]]:
        """Return words and results in the order word, vector, tap."""
        case, rotate = self.case, fields["rotate"]
        words, results = [], []
        first_word = int(self.rng.integers(100))
        for word, vector in np.ndindex(case.words, case.vectors):
            positions = self.positions()
            number, ends = first_word + word, vector == case.vectors - 1
            for tap, bytes_ in enumerate(taps[word, :, vector]):
                last = tap == len(taps[word]) - 1
                tag = {
                    **self.tap_tag(tap, len(taps[word])),
                    **{"last": last, "word": number, "word_end": last and ends},
                }
                held = case.held > 0 and not tag["second"]
                payload = self.payload(bytes_, positions, tag)
                words.append(Word(payload, last, last and ends, held))
            maps = answers[word]
            columns = len(maps)
            results.append(
                [
                    Result(
                        golden.rotated(bytes_[vector], rotate),
                        [(row, columns * x + byte, active) for row, x, active in positions],
                        fields["output_first_word"] + number,
                        ends,
                    )
                    for byte, bytes_ in enumerate(maps)
                ]
            )
        return words, results

    def tap_tag(self, tap: int, taps: int) -> dict[str, int]:
        """Return what the tag of a word says of the tap; of a held one its number says nothing."""
        if self.case.held:
            row, column = divmod(tap, 1 + self.arch.word)
            number = column - 1 if column else int(self.rng.integers(64))
            return {
                **{"first": row == 0 and column == 1, "second": column > 0},
                **{"tap": number, "plane": int(self.rng.integers(4))},
            }
        second = taps == 2 and tap == 1
        plane = tap % self.case.kernel[1] % 4
        return {"first": tap == 0, "second": second, "tap": tap, "plane": plane}

    def positions(self) -> list[tuple[int, int, bool]]:
        """Return row, column and activity of each position; at least one is active."""
        rng, macros = self.rng, self.arch.macros_per_core
        active = rng.random(macros) < 0.8
        active[0] = True
        places = rng.integers([[0, 0]] * macros, [1024, 341 if self.case.sums else 1024])
        return [(*place, on) for place, on in zip(places.tolist(), active.tolist(), strict=True)]

    def payload(
        self, bytes_: Bytes, positions: list[tuple[int, int, bool]], tag: Mapping[str, int]
    ) -> int:
        """Return the bits of a fetched word."""
        layout, position = layouts.fetched_word(self.arch), layouts.position()
        packed = [
            pack_fields(position, dict(zip(("row", "column", "active"), each, strict=True)))
            for each in positions
        ]
        parts = {
            "bytes": int.from_bytes(bytes_.tobytes(), "little"),
            "positions": pack(packed, bits=position.size),
            "tag": int(self.rng.integers(1 << min(60, layout["tag"].width))),
            "simd": pack_fields(layouts.simd_tag(), tag),
        }
        return pack_fields(layout, parts)


def pack_fields(layout: data.StructLayout, values: Mapping[str, Any]) -> int:
    """Return fields as the bits of a layout; every value fits its field."""
    return sum(int(value) << layout[name].offset for name, value in values.items())
