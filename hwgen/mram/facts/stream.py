"""The program in memory as bytes: what the compiler writes, and what the loader of the chip reads.

Header, records, parameter words, weight rows, in this order and without gaps. Each header, record,
parameter word and row begins on a beat of the memory port and is padded with zeros to whole beats.
Row r of all sub-arrays, sub-array 0 first, precedes row r + 1; bit c of a row is column c. On a
chip with `weak_sensing` as many rows follow behind the last one: which of its cells are weak.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.fields import decode, encode, total_bits
from hwgen.chip.program_checksum import sealed
from hwgen.errors import FormatError
from hwgen.mram.facts.arch import MOST_MODES, Arch
from hwgen.mram.facts.records import (
    CHECKSUM_BYTE,
    HEADER,
    HEADER_BITS,
    MAGIC,
    decode_record,
    encode_record,
    parameter_bits,
    parameter_fields,
    record_bits,
)
from hwgen.mram.facts.registers import VERSION

Bits = NDArray[np.bool_]


class LaneParameters(NamedTuple):
    """Parameters of the DPU for one kernel; the bias is signed."""

    bias: int
    multiplier: int
    shift: int


NO_KERNEL = LaneParameters(bias=0, multiplier=0, shift=1)
"""Parameters of a lane without a kernel."""


class SectionBeats(NamedTuple):
    """Beats of a header, a record, a parameter word and a row of a sub-array."""

    header: int
    record: int
    parameter: int
    row: int


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that a program holds.

    network: first 32 bits of its digest
    records: of all modes, each the values of its fields; those not given are 0
    first_records: index of the first record of each mode
    parameters: words of `block` lanes
    weights: bool, (weight_rows, sub_arrays, columns)
    weak: the same, cells whose AND is sensed wrong, of a chip with `weak_sensing`; None: none is
    image_stride, answer_stride: bytes
    """

    network: int
    records: Sequence[Mapping[str, int]]
    first_records: Sequence[int]
    parameters: Sequence[Sequence[LaneParameters]]
    weights: Bits
    image_stride: int
    answer_stride: int
    weak: Bits | None = None


def section_beats(arch: Arch) -> SectionBeats:
    """Return the beats of each kind of part."""

    def beats(bits: int) -> int:
        return -(-bits // arch.port_bits)

    return SectionBeats(
        header=beats(HEADER_BITS),
        record=beats(record_bits(arch)),
        parameter=beats(parameter_bits(arch)),
        row=arch.row_beats,
    )


def row_kinds(arch: Arch) -> int:
    """Return how many rows a program has for each row of weights: its cells, and who is weak."""
    return 1 + arch.weak_sensing


def program_beats(arch: Arch, *, records: int, parameters: int, weight_rows: int) -> int:
    """Return the beats after the header."""
    size = section_beats(arch)
    rows = weight_rows * arch.sub_arrays * row_kinds(arch)
    return records * size.record + parameters * size.parameter + rows * size.row


def encode_program(content: Content, arch: Arch) -> NDArray[np.uint8]:
    """Return the bytes of a program.

    Errors: ValueError for a field that does not fit, or parts that exceed the tables of the chip.
    """
    check_content(content, arch)
    size = section_beats(arch)
    parts = [header_word(content, arch).to_bytes(size.header * arch.port_bytes, "little")]
    length = size.record * arch.port_bytes
    parts += [encode_record(record, arch).to_bytes(length, "little") for record in content.records]
    length = size.parameter * arch.port_bytes
    parts += [parameter_word(word, arch).to_bytes(length, "little") for word in content.parameters]
    parts.append(np.packbits(content.weights, axis=None, bitorder="little").tobytes())
    if arch.weak_sensing:
        weak = np.zeros_like(content.weights) if content.weak is None else content.weak
        parts.append(np.packbits(weak, axis=None, bitorder="little").tobytes())
    return sealed(np.frombuffer(b"".join(parts), np.uint8), CHECKSUM_BYTE)


def check_content(content: Content, arch: Arch) -> None:
    """Raise ValueError where a part exceeds the chip."""
    rows, *rest = content.weights.shape
    if rest != [arch.sub_arrays, arch.array.columns]:
        allowed = (arch.sub_arrays, arch.array.columns)
        raise ValueError(f"weights must be rows of {allowed}, got {tuple(rest)}")
    for name, count, limit in (
        ("records", len(content.records), arch.record_entries),
        ("parameter words", len(content.parameters), arch.parameter_entries),
        ("weight rows", rows, arch.weight_rows),
        ("modes", len(content.first_records), MOST_MODES),
    ):
        if count > limit:
            raise ValueError(f"{name} must be at most {limit}, got {count}")


def header_word(content: Content, arch: Arch) -> int:
    """Return the header as one integer."""
    records, parameters = len(content.records), len(content.parameters)
    rows = len(content.weights)
    first = {f"first_record_{mode}": 0 for mode in range(MOST_MODES)}
    first |= {f"first_record_{mode}": index for mode, index in enumerate(content.first_records)}
    return encode(
        HEADER,
        {
            "magic": MAGIC,
            "version": VERSION,
            "architecture": arch.id_word,
            "network": content.network,
            "beats": program_beats(arch, records=records, parameters=parameters, weight_rows=rows),
            "records": records,
            "parameter_words": parameters,
            "weight_rows": rows,
            "modes": len(content.first_records),
            "image_stride": content.image_stride,
            "answer_stride": content.answer_stride,
            **first,
            "checksum": 0,
        },
    )


def parameter_word(lanes: Sequence[LaneParameters], arch: Arch) -> int:
    """Return the parameters of `block` lanes as one integer."""
    if len(lanes) != arch.block:
        raise ValueError(f"a parameter word must hold {arch.block} lanes, got {len(lanes)}")
    fields = parameter_fields(arch)
    size, low = total_bits(fields), 1 << (arch.accumulator_bits - 1)
    word = 0
    for index, lane in enumerate(lanes):
        if not -low <= lane.bias < low:
            raise ValueError(f"bias must fit {arch.accumulator_bits} bits, got {lane.bias}")
        values = lane._asdict() | {"bias": lane.bias % (2 * low)}
        word |= encode(fields, values) << (index * size)
    return word


def decode_program(image: NDArray[np.uint8], arch: Arch, *, source: str) -> Content:
    """Return what the bytes of a program hold.

    Errors: FormatError for bytes of another length than the header says, or another chip's.
    """
    size = section_beats(arch)
    header = decode_header(image, source=source)
    counts = {key: header[key] for key in ("records", "weight_rows")}
    beats = program_beats(arch, parameters=header["parameter_words"], **counts)
    if (header["architecture"], header["beats"]) != (arch.id_word, beats):
        allowed = f"a program for the architecture {arch.name} ({arch.digest[:8]})"
        given = f"one for {header['architecture']:08x}, {header['beats']} beats"
        raise FormatError(field="the program", allowed=allowed, given=given, source=source)
    length = (size.header + beats) * arch.port_bytes
    if len(image) != length:
        raise FormatError(
            field="the program", allowed=f"{length} bytes", given=len(image), source=source
        )
    words = np.asarray(image).reshape(-1, arch.port_bytes)[size.header :]
    records, words = split(words, header["records"] * size.record)
    parameters, rows = split(words, header["parameter_words"] * size.parameter)
    bits = np.unpackbits(rows.reshape(-1), bitorder="little").astype(bool)
    kinds = bits.reshape(row_kinds(arch), -1, arch.sub_arrays, arch.array.columns)
    return Content(
        network=header["network"],
        records=[decode_record(word, arch) for word in integers(records, size.record)],
        first_records=[header[f"first_record_{mode}"] for mode in range(header["modes"])],
        parameters=[lanes(word, arch) for word in integers(parameters, size.parameter)],
        weights=kinds[0],
        weak=kinds[1] if arch.weak_sensing else None,
        image_stride=header["image_stride"],
        answer_stride=header["answer_stride"],
    )


def decode_header(image: NDArray[np.uint8], *, source: str) -> dict[str, int]:
    """Return the header's fields; FormatError if it is not that of a program of this version."""
    header = decode(HEADER, int.from_bytes(image[: HEADER_BITS // 8].tobytes(), "little"))
    if (header["magic"], header["version"]) != (MAGIC, VERSION) or header["modes"] > MOST_MODES:
        allowed = f"bytes that begin with the header of version {VERSION}"
        raise FormatError(field="the program", allowed=allowed, given="others", source=source)
    return header


def split(words: NDArray[np.uint8], count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the first `count` beats and the rest."""
    return words[:count], words[count:]


def integers(beats: NDArray[np.uint8], each: int) -> Iterator[int]:
    """Yield the integer in every `each` beats."""
    for start in range(0, len(beats), each):
        yield int.from_bytes(beats[start : start + each].tobytes(), "little")


def lanes(word: int, arch: Arch) -> tuple[LaneParameters, ...]:
    """Return the parameters in a word."""
    fields = parameter_fields(arch)
    size, half = total_bits(fields), 1 << (arch.accumulator_bits - 1)
    found = []
    for lane in range(arch.block):
        values = decode(fields, word >> (lane * size))
        bias = (values["bias"] + half) % (2 * half) - half
        found.append(
            LaneParameters(bias=bias, multiplier=values["multiplier"], shift=values["shift"])
        )
    return tuple(found)
