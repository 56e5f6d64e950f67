"""The packet stream as bytes: what the compiler writes, and what the loader of the chip reads.

Every part of a packet begins on a beat of the memory port and is padded with zeros to whole beats.
Parts are: an instruction; of a tile its header, masks, parameters and each row, or all packed rows
(see `hwgen.dbpim.facts.packing`); of taps the header, the parameters and each word; of a table the
header and its bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.fields import decode, encode
from hwgen.chip.program_checksum import sealed
from hwgen.dbpim.facts import instructions as isa
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, WEIGHT_BITS, Arch
from hwgen.dbpim.facts.packing import codings, decode_rows, encode_rows, row_beats
from hwgen.errors import FormatError

Bytes = NDArray[np.uint8]


class FilterParameters(NamedTuple):
    """Parameters of the output stage for one filter; the bias is signed."""

    bias: int
    multiplier: int
    shift: int


class TapsBeats(NamedTuple):
    """Beats of each part of a packet of taps; `tap` is that of one word."""

    header: int
    parameters: int
    tap: int


class TileBeats(NamedTuple):
    """Beats of each part of a tile packet; `rows` is that of all rows."""

    header: int
    masks: int
    parameters: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class Packet:
    """One packet of a stream.

    offset: byte of the program image where it begins; beats: its length, padding included
    fields: by name, as in `Arch.packets`
    """

    opcode: isa.Opcode
    offset: int
    beats: int
    fields: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class TilePacket(Packet):
    """A weight tile.

    masks: bool, (mask_words, channels of a word); True: the input is selected, as all are on a chip
        without `sparse_parts`, whose packets have none
    parameters: one entry a filter of the core, of a pair tile of both groups; empty without the
        field `parameters`
    codes: uint8, (rows, compartments, filters), the weight codes; those of a pair tile have a cell
        of each group
    """

    masks: NDArray[np.bool_]
    parameters: tuple[FilterParameters, ...]
    codes: Bytes


@dataclass(frozen=True, kw_only=True)
class TapsPacket(Packet):
    """Depthwise weights of one channel word.

    parameters: one entry a channel, C of them
    weights: int8, (taps, C)
    """

    parameters: tuple[FilterParameters, ...]
    weights: NDArray[np.int8]


@dataclass(frozen=True, kw_only=True)
class TablePacket(Packet):
    """A table; entries: uint8, (256,)."""

    entries: Bytes


@dataclass(frozen=True, kw_only=True)
class FloatsPacket(Packet):
    """What the row unit needs of a layer.

    numbers: uint32, bits of float32: a table of 256, then gamma and beta of each channel
    """

    numbers: NDArray[np.uint32]


def beats_of(bits: int, arch: Arch) -> int:
    """Return the beats that hold so many bits."""
    return -(-bits // arch.port_bits)


def header_beats(opcode: isa.Opcode, arch: Arch) -> int:
    """Return the beats of an instruction, or of a packet's header."""
    return beats_of(isa.packet_bits(opcode, arch.cores, arch.widths), arch)


def tile_beats(
    arch: Arch,
    *,
    mask_words: int,
    parameters: bool,
    rows: int,
    coding: isa.Coding,
    double: bool = False,
) -> TileBeats:
    """Return the beats of each part of a tile packet; double: of two filter groups."""
    filters = arch.filters << double if parameters else 0
    return TileBeats(
        header=header_beats(isa.Opcode.TILE, arch),
        masks=beats_of(mask_bits(mask_words, arch), arch),
        parameters=beats_of(filters * isa.PARAMETER_BITS, arch),
        rows=sum(row_beats(rows, arch, coding)),
    )


def mask_bits(words: int, arch: Arch) -> int:
    """Return the bits of the masks of so many words: none without `sparse_parts`."""
    return words * arch.word if arch.sparse_parts else 0


def encode_masks(masks: NDArray[np.bool_], arch: Arch) -> bytes:
    """Return the part of a tile packet that holds its masks, without padding."""
    return np.packbits(masks.ravel(), bitorder="little").tobytes() if arch.sparse_parts else b""


def taps_beats(arch: Arch) -> TapsBeats:
    """Return the beats of each part of a packet of taps."""
    return TapsBeats(
        header=header_beats(isa.Opcode.TAPS, arch),
        parameters=beats_of(arch.word * isa.PARAMETER_BITS, arch),
        tap=beats_of(arch.word * WEIGHT_BITS, arch),
    )


def encode_header(opcode: isa.Opcode, fields: Mapping[str, int], arch: Arch) -> bytes:
    """Return an instruction or a header in whole beats; `fields` without the opcode.

    Fields of cores that the chip lacks may be missing, and the checksum, which `sealed_program`
    writes: they are zero.
    """
    table = arch.packets[opcode]
    absent = {
        field.name: 0
        for field in table
        if isa.core_count(field.name) > arch.cores or field.name == "checksum"
    }
    word = encode(table, {"opcode": opcode, **absent, **fields})
    return pad(word.to_bytes(isa.packet_bits(opcode, arch.cores, arch.widths) // 8, "little"), arch)


def encode_tile(
    fields: Mapping[str, int],
    *,
    masks: NDArray[np.bool_],
    parameters: Iterable[FilterParameters],
    codes: Bytes,
    arch: Arch,
) -> bytes:
    """Return a tile packet; `fields` without those that follow from the arrays.

    Rows are flat unless `coding` is given, and of one filter group unless `double` is.
    """
    entries = b"".join(encode_parameters(entry) for entry in parameters)
    header = {
        "rows": len(codes),
        "mask_words": len(masks),
        "parameters": int(bool(entries)),
        "coding": isa.Coding.FLAT,
        **(isa.ONE_GROUP if arch.macro.columns <= isa.MOST_PAIRED_COLUMNS else {}),
        **fields,
    }
    parts = [
        encode_header(isa.Opcode.TILE, header, arch),
        encode_masks(masks, arch),
        entries,
        encode_rows(codes, header["filter_enable"], arch, isa.Coding(header["coding"])),
    ]
    return b"".join(pad(part, arch) for part in parts)


def encode_taps(
    *, cores: int, parameters: Iterable[FilterParameters], weights: NDArray[np.int8], arch: Arch
) -> bytes:
    """Return a packet of taps; weights: int8, (taps, C)."""
    parts = [
        encode_header(isa.Opcode.TAPS, {"cores": cores, "taps": len(weights)}, arch),
        b"".join(encode_parameters(entry) for entry in parameters),
        *(word.tobytes() for word in weights),
    ]
    return b"".join(pad(part, arch) for part in parts)


def encode_table(*, cores: int, entries: Bytes, arch: Arch) -> bytes:
    """Return a packet of a table; entries: uint8, (256,)."""
    return encode_header(isa.Opcode.TABLE, {"cores": cores}, arch) + pad(entries.tobytes(), arch)


def encode_floats(
    *, cores: int, fields: Mapping[str, int], numbers: NDArray[np.uint32], arch: Arch
) -> bytes:
    """Return a packet of floats; fields: of the header, numbers: as in ``FloatsPacket``."""
    header = encode_header(isa.Opcode.FLOATS, {"cores": cores, **fields}, arch)
    return header + pad(numbers.astype("<u4").tobytes(), arch)


def encode_parameters(entry: FilterParameters) -> bytes:
    """Return the 64 bits of one filter."""
    values = {**entry._asdict(), "bias": entry.bias % (1 << ACCUMULATOR_BITS)}
    return encode(isa.PARAMETERS, values).to_bytes(isa.PARAMETER_BITS // 8, "little")


def pad(part: bytes, arch: Arch) -> bytes:
    """Return `part` with zeros up to whole beats."""
    return part + bytes(-len(part) % arch.port_bytes)


def decode_stream(image: Bytes, arch: Arch) -> list[Packet]:
    """Return the packets of a program image, BEGIN and END included, in their order."""
    packets = Reader(image, arch).rest()
    opcodes = [packet.opcode for packet in packets]
    if opcodes[:1] != [isa.Opcode.BEGIN]:
        given = opcodes[0].name if opcodes else "no packet"
        raise damaged("a program that starts with BEGIN", given)
    begin = packets[0]
    for name, wanted in (("version", isa.VERSION), ("architecture", arch.id_word)):
        if begin.fields[name] != wanted:
            raise damaged(f"for {name} {wanted:#x}", f"{begin.fields[name]:#x}")
    if isa.Opcode.END in opcodes[:-1] or opcodes[-1] is not isa.Opcode.END:
        raise damaged("a stream with one END, at its end", f"{opcodes[-1].name} at its end")
    check_segments(packets, arch)
    check_constants(packets, len(image), arch)
    if isa.Opcode.STORE not in opcodes:
        raise damaged("a stream with STORE before END", "no STORE")
    return packets


def sealed_program(image: Bytes, arch: Arch) -> Bytes:
    """Return a program image whose checksum fits what a run reads of it."""
    parts, first = [], 0
    for packet in Reader(image, arch).rest() if arch.row_unit else ():
        end = packet.offset + packet.beats * arch.port_bytes
        if packet.opcode is isa.Opcode.END:
            parts.append(slice(first, end))
        elif packet.opcode is isa.Opcode.LOAD and packet.fields["space"] == isa.Space.PROGRAM:
            place = packet.fields["offset"]
            data = slice(place, place + packet.fields["beats"] * arch.port_bytes)
            parts, first = [*parts, slice(first, end), data], end
    return sealed(image, isa.CHECKSUM_BYTE, parts or [slice(None)])


def check_segments(packets: Sequence[Packet], arch: Arch) -> None:
    """Refuse a stream whose LOADs do not tell where the next one ends."""
    loads = [packet for packet in packets if packet.opcode is isa.Opcode.LOAD]
    if len(packets) < 2 or packets[1].opcode is not isa.Opcode.LOAD:
        raise damaged("a program with LOAD after BEGIN", "another packet")
    ends = [load.offset // arch.port_bytes + load.beats for load in loads]
    ends.append(packets[-1].offset // arch.port_bytes + packets[-1].beats)
    for load, begin, end in zip(loads, ends, ends[1:], strict=False):
        if load.fields["segment_beats"] != end - begin:
            given = f"{load.fields['segment_beats']} at byte {load.offset}"
            raise damaged(f"a LOAD with segment_beats {end - begin}", given)


def check_constants(packets: Sequence[Packet], size: int, arch: Arch) -> None:
    """Refuse a LOAD of the program's own bytes that are not behind END, or beyond its `size`."""
    end = packets[-1].offset + packets[-1].beats * arch.port_bytes
    for packet in packets:
        if packet.opcode is not isa.Opcode.LOAD or packet.fields["space"] != isa.Space.PROGRAM:
            continue
        first = packet.fields["offset"]
        last = first + packet.fields["beats"] * arch.port_bytes
        if not end <= first <= last <= size:
            allowed = f"with maps in bytes {end} to {size}"
            raise damaged(allowed, f"a LOAD of bytes {first} to {last}")


def decode_packets(body: Bytes, arch: Arch) -> list[Packet]:
    """Return the packets of a part of a stream, without BEGIN; offsets count from its start."""
    return Reader(body, arch).rest()


def damaged(allowed: str, given: str) -> FormatError:
    """Return the error for an image that does not hold a whole stream."""
    return FormatError(field="the program", allowed=allowed, given=given, source="program image")


class Reader:
    """Read parts of packets from a program image, in whole beats."""

    def __init__(self, image: Bytes, arch: Arch) -> None:
        self.offset = 0
        self._image = image
        self._arch = arch

    def part(self, bits: int) -> bytes:
        """Return the next `bits` and skip the padding after them."""
        beats = beats_of(bits, self._arch)
        start, self.offset = self.offset, self.offset + beats * self._arch.port_bytes
        if self.offset > len(self._image):
            raise damaged("a whole stream of packets", f"an end at byte {len(self._image)}")
        return self._image[start : start + -(-bits // 8)].tobytes()

    def rest(self) -> list[Packet]:
        """Return all packets up to the end; on a chip with a row unit maps may lie behind END."""
        packets: list[Packet] = []
        while self.offset < len(self._image):
            if self._arch.row_unit and packets and packets[-1].opcode is isa.Opcode.END:
                break
            packets.append(self.packet())
        return packets

    def packet(self) -> Packet:
        """Return the next packet."""
        start = self.offset
        first = int(self._image[start])
        known = {
            int(each) for each in isa.Opcode if each is not isa.Opcode.FLOATS or self._arch.row_unit
        }
        if first not in known:
            raise damaged("a stream of known packets", f"opcode {first:#04x} at byte {start}")
        opcode = isa.Opcode(first)
        header = self.part(isa.packet_bits(opcode, self._arch.cores, self._arch.widths))
        fields = decode(self._arch.packets[opcode], int.from_bytes(header, "little"))
        if opcode is isa.Opcode.TILE:
            return self.tile(start, {**isa.ONE_GROUP, **fields})
        if opcode is isa.Opcode.TAPS:
            return self.taps(start, fields)
        if opcode is isa.Opcode.TABLE:
            entries = np.frombuffer(self.part(8 * isa.TABLE_BYTES), np.uint8)
            beats = self.beats_since(start)
            return TablePacket(
                opcode=opcode, offset=start, beats=beats, fields=fields, entries=entries
            )
        if opcode is isa.Opcode.FLOATS:
            count = isa.FLOAT_ENTRIES + 2 * fields["channels"]
            numbers = np.frombuffer(self.part(count * isa.FLOAT_BITS), "<u4")
            beats = self.beats_since(start)
            return FloatsPacket(
                opcode=opcode, offset=start, beats=beats, fields=fields, numbers=numbers
            )
        return Packet(opcode=opcode, offset=start, beats=self.beats_since(start), fields=fields)

    def tile(self, start: int, fields: Mapping[str, int]) -> TilePacket:
        """Return the tile whose header has been read."""
        filters = self._arch.filters
        if fields["double"] and not self._arch.pairs:
            raise damaged("with tiles of one filter group on this chip", "a pair tile")
        if fields["double"] and fields["coding"] != isa.Coding.FLAT:
            raise damaged("with flat rows in pair tiles", f"coding {fields['coding']}")
        masks = self.masks(fields["mask_words"])
        parameters = self.parameters(filters << fields["double"]) if fields["parameters"] else ()
        codes = self.rows(fields["rows"], fields["filter_enable"], fields["coding"])
        return TilePacket(
            opcode=isa.Opcode.TILE,
            offset=start,
            beats=self.beats_since(start),
            fields=fields,
            masks=masks,
            parameters=parameters,
            codes=codes,
        )

    def masks(self, words: int) -> NDArray[np.bool_]:
        """Return the masks of a tile; a chip without `sparse_parts` computes all inputs."""
        width = self._arch.word
        if not self._arch.sparse_parts:
            return np.ones((words, width), np.bool_)
        count = words * width
        bits = np.frombuffer(self.part(count), np.uint8)
        found = np.unpackbits(bits, count=count, bitorder="little")
        return found.reshape(-1, width).astype(np.bool_)

    def rows(self, count: int, filter_enable: int, code: int) -> Bytes:
        """Return the codes of the rows of a tile whose header has the coding `code`."""
        known = codings(self._arch)
        if code not in known:
            names = " or ".join(coding.name for coding in known)
            raise damaged(f"with rows of coding {names} on this chip", f"a tile of coding {code}")
        coding = isa.Coding(code)
        content = self.part(sum(row_beats(count, self._arch, coding)) * self._arch.port_bits)
        return decode_rows(content, count, filter_enable, self._arch, coding)

    def taps(self, start: int, fields: Mapping[str, int]) -> TapsPacket:
        """Return the taps whose header has been read."""
        channels = self._arch.word
        parameters = self.parameters(channels)
        words = [self.part(channels * WEIGHT_BITS) for _ in range(fields["taps"])]
        return TapsPacket(
            opcode=isa.Opcode.TAPS,
            offset=start,
            beats=self.beats_since(start),
            fields=fields,
            parameters=parameters,
            weights=np.frombuffer(b"".join(words), np.int8).reshape(-1, channels),
        )

    def parameters(self, count: int) -> tuple[FilterParameters, ...]:
        """Return the parameters of `count` filters."""
        size = isa.PARAMETER_BITS // 8
        part = self.part(count * isa.PARAMETER_BITS)
        found = []
        for start in range(0, len(part), size):
            values = decode(isa.PARAMETERS, int.from_bytes(part[start : start + size], "little"))
            negative = values["bias"] >> (ACCUMULATOR_BITS - 1)
            values["bias"] -= negative << ACCUMULATOR_BITS
            found.append(FilterParameters(**values))
        return tuple(found)

    def beats_since(self, start: int) -> int:
        """Return the beats between a byte and the next part."""
        return (self.offset - start) // self._arch.port_bytes
