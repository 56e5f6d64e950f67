"""Packets written and read again; damaged streams are refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.fields import encode
from hwgen.dbpim.facts.arch import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.instructions import (
    ONE_GROUP,
    PACKETS,
    VERSION,
    Coding,
    Opcode,
    core_count,
    of_core,
    packet_bits,
)
from hwgen.dbpim.facts.stream import (
    FilterParameters,
    Packet,
    TablePacket,
    TapsPacket,
    TilePacket,
    decode_packets,
    decode_stream,
    encode_header,
    encode_table,
    encode_taps,
    encode_tile,
    header_beats,
    taps_beats,
    tile_beats,
)
from hwgen.errors import FormatError

SMALL = load_arch(Path("configs/dbpim/small.yaml"))
DENSE = with_sparsity(SMALL, "none")
ARCHS = [
    replace(SMALL, port_bits=64),
    replace(DENSE, port_bits=512, cores=8),
    replace(DENSE, port_bits=128, cores=1),
]
ENTRIES = [FilterParameters(-(1 << 31), 65535, 47), FilterParameters((1 << 31) - 1, 1, 63)]
DERIVED = ("opcode", "rows", "mask_words", "parameters")


def zeros(opcode: Opcode, **given: int) -> dict[str, int]:
    """Return the fields of an instruction without its opcode, zero but for the given ones."""
    fields = dict.fromkeys((field.name for field in PACKETS[opcode][1:]), 0)
    return fields | given


def draw_fields(
    rng: np.random.Generator, opcode: Opcode, arch: Arch, without: tuple[str, ...] = ("opcode",)
) -> dict[str, int]:
    """Draw every field that the chip has, the derived ones apart."""
    return {
        field.name: int(rng.integers(1 << field.bits))
        for field in arch.packets[opcode]
        if field.name not in without and core_count(field.name) <= arch.cores
    }


def begin(arch: Arch, **wrong: int) -> bytes:
    plain = {"version": VERSION, "architecture": arch.id_word, "network": 7, "positions": 0}
    return encode_header(Opcode.BEGIN, plain | wrong, arch)


def load(arch: Arch, segment: bytes, *, wrong: int = 0) -> bytes:
    """Return a LOAD before the bytes of the stream up to the end of the next one."""
    beats = len(segment) // arch.port_bytes + wrong
    return encode_header(Opcode.LOAD, zeros(Opcode.LOAD, segment_beats=beats), arch)


def whole(body: bytes, arch: Arch, **wrong: int) -> np.ndarray:
    """Return a program image: BEGIN, a LOAD, then `body` without another LOAD."""
    return np.frombuffer(begin(arch, **wrong) + load(arch, body) + body, np.uint8)


def draw_tile(rng: np.random.Generator, arch: Arch, *, parameters: bool) -> dict:
    compartments = arch.macro.compartments
    return {
        "masks": rng.integers(0, 2, (int(rng.integers(1, 40)), compartments)).astype(bool),
        "parameters": tuple(ENTRIES * arch.filters)[: arch.filters if parameters else 0],
        "codes": rng.integers(
            0, 256, (int(rng.integers(1, 17)), compartments, arch.filters), np.uint8
        ),
    }


@pytest.mark.promise("what is written into a packet is read from it, bit for bit")
@pytest.mark.parametrize("arch", ARCHS, ids=lambda arch: f"port {arch.port_bits}")
@pytest.mark.parametrize("opcode", [Opcode.CONV, Opcode.SIMD, Opcode.STORE, Opcode.END])
def test_an_instruction_that_is_written_is_read(opcode: Opcode, arch: Arch) -> None:
    fields = draw_fields(np.random.default_rng(arch.port_bits), opcode, arch)
    written = encode_header(opcode, fields, arch)
    (packet,) = decode_packets(np.frombuffer(written, np.uint8), arch)
    table = arch.packets[opcode]
    absent = {field.name: 0 for field in table if core_count(field.name) > arch.cores}
    assert dict(packet.fields) == {"opcode": opcode, **fields, **absent}
    assert packet.beats == header_beats(opcode, arch) == len(written) // arch.port_bytes
    assert packet.beats == -(-packet_bits(opcode, arch.cores) // arch.port_bits)


@pytest.mark.parametrize("arch", ARCHS, ids=lambda arch: f"port {arch.port_bits}")
@pytest.mark.parametrize("parameters", [False, True])
def test_a_tile_that_is_written_is_read(arch: Arch, *, parameters: bool) -> None:
    rng = np.random.default_rng(arch.port_bits)
    fields, arrays = (
        draw_fields(rng, Opcode.TILE, arch, DERIVED) | {"coding": Coding.FLAT} | ONE_GROUP,
        draw_tile(rng, arch, parameters=parameters),
    )
    written = encode_tile(fields, **arrays, arch=arch)
    (packet,) = decode_packets(np.frombuffer(written, np.uint8), arch)
    assert isinstance(packet, TilePacket)
    assert fields.items() <= dict(packet.fields).items()
    rows = len(packet.codes)
    beats = tile_beats(
        arch, mask_words=len(packet.masks), parameters=parameters, rows=rows, coding=Coding.FLAT
    )
    row_bits = 8 * arch.macro.compartments * arch.filters
    assert beats.rows == rows * -(-row_bits // arch.port_bits)
    assert packet.beats == sum(beats)
    for name in ("masks", "codes"):
        np.testing.assert_array_equal(getattr(packet, name), arrays[name])
    assert packet.parameters == arrays["parameters"]


@pytest.mark.promise(
    "two filter groups of one digit share the rows of a tile, each in cells of its own; what a"
    " group lacks adds nothing"
)
def test_a_pair_tile_has_parameters_of_both_groups() -> None:
    arch = replace(SMALL, one_digit="paired")
    arrays = draw_tile(np.random.default_rng(2), arch, parameters=True)
    arrays["parameters"] = tuple(ENTRIES * 8)
    names = [field.name for field in PACKETS[Opcode.TILE] if field.name not in DERIVED]
    fields = dict.fromkeys(names, 0) | {"double": 1, "group": 4095, "second_group": 4094}
    written = encode_tile(fields, **arrays, arch=arch)
    (packet,) = decode_packets(np.frombuffer(written, np.uint8), arch)
    assert isinstance(packet, TilePacket)
    assert packet.parameters == arrays["parameters"]
    assert packet.fields["second_group"] == 4094
    beats = tile_beats(
        arch,
        mask_words=len(packet.masks),
        parameters=True,
        rows=len(packet.codes),
        coding=Coding.FLAT,
        double=True,
    )
    assert (beats.parameters, packet.beats) == (16, sum(beats))
    with pytest.raises(FormatError, match="tiles of one filter group on this chip, got a pair"):
        decode_packets(np.frombuffer(written, np.uint8), SMALL)
    coded = encode_tile(fields | {"coding": Coding.DIGITS}, **arrays, arch=arch)
    with pytest.raises(FormatError, match="flat rows in pair tiles, got coding 2"):
        decode_packets(np.frombuffer(coded, np.uint8), arch)


@pytest.mark.parametrize("arch", ARCHS, ids=lambda arch: f"port {arch.port_bits}")
def test_taps_that_are_written_are_read(arch: Arch) -> None:
    channels = arch.macro.compartments
    entries = tuple(ENTRIES * channels)[:channels]
    weights = np.random.default_rng(1).integers(-128, 128, (9, channels)).astype(np.int8)
    written = encode_taps(cores=5, parameters=entries, weights=weights, arch=arch)
    (packet,) = decode_packets(np.frombuffer(written, np.uint8), arch)
    assert isinstance(packet, TapsPacket)
    assert dict(packet.fields) == {"opcode": Opcode.TAPS, "cores": 5, "taps": 9}
    assert packet.parameters == entries
    np.testing.assert_array_equal(packet.weights, weights)
    beats = taps_beats(arch)
    assert packet.beats == beats.header + beats.parameters + 9 * beats.tap


@pytest.mark.parametrize("arch", ARCHS, ids=lambda arch: f"port {arch.port_bits}")
def test_a_table_that_is_written_is_read(arch: Arch) -> None:
    entries = np.arange(256, dtype=np.uint8)[::-1]
    written = encode_table(cores=3, entries=entries, arch=arch)
    (packet,) = decode_packets(np.frombuffer(written, np.uint8), arch)
    assert isinstance(packet, TablePacket)
    assert packet.fields["cores"] == 3
    np.testing.assert_array_equal(packet.entries, entries)
    assert packet.beats == header_beats(Opcode.TABLE, arch) + 2048 // arch.port_bits


def test_packets_of_a_stream_follow_each_other() -> None:
    """On 64 bits: BEGIN 2 beats, LOAD 5, STORE 2, LOAD 5, a table 1 + 32, STORE 2, END 1."""
    store = encode_header(Opcode.STORE, zeros(Opcode.STORE, words=1), SMALL)
    table = encode_table(cores=1, entries=np.zeros(256, np.uint8), arch=SMALL)
    last = table + store + encode_header(Opcode.END, {}, SMALL)
    second = store + load(SMALL, last)
    image = begin(SMALL) + load(SMALL, second) + second + last
    packets = decode_stream(np.frombuffer(image, np.uint8), SMALL)
    assert [packet.beats for packet in packets] == [2, 5, 2, 5, 33, 2, 1]
    assert [packet.offset for packet in packets] == [0, 16, 56, 72, 112, 376, 392]
    assert [packet.fields["segment_beats"] for packet in loads(packets)] == [7, 36]


def loads(packets: list[Packet]) -> list[Packet]:
    return [packet for packet in packets if packet.opcode is Opcode.LOAD]


@pytest.mark.promise(
    "a chip with fewer cores has shorter packets, whose fields are those of a larger chip"
)
def test_fields_of_absent_cores_may_be_missing() -> None:
    fields = zeros(Opcode.LOAD, keep_rows_0=3, keep_rows_1=9)
    present = {name: value for name, value in fields.items() if core_count(name) <= SMALL.cores}
    assert encode_header(Opcode.LOAD, present, SMALL) == encode_header(Opcode.LOAD, fields, SMALL)
    del present[of_core("keep_rows", 1)]
    with pytest.raises(ValueError, match="differing: keep_rows_1"):
        encode_header(Opcode.LOAD, present, SMALL)
    fields[of_core("keep_rows", 2)] = 1
    with pytest.raises(OverflowError):
        encode_header(Opcode.LOAD, fields, replace(SMALL, cores=1))


def test_the_packet_of_a_small_chip_is_the_begin_of_a_large_one() -> None:
    fields = zeros(Opcode.LOAD, beats=0xABCDEF, keep_first_0=5, keep_rows_1=9)
    word = encode(PACKETS[Opcode.LOAD], {"opcode": Opcode.LOAD, **fields})
    assert encode_header(Opcode.LOAD, fields, SMALL) == word.to_bytes(40, "little")
    paper = replace(SMALL, cores=8)
    assert encode_header(Opcode.LOAD, fields, paper) == word.to_bytes(48, "little")


def test_bit_order_of_a_tile() -> None:
    """Lowest first: code index = compartment * filters + filter, mask bit = compartment."""
    masks = np.zeros((9, 8), bool)
    masks[0, 1] = masks[8, 7] = True
    codes = np.zeros((1, 8, 8), np.uint8)
    codes[0, 1, 2] = 0xAB
    fields = {name: 0 for name in zeros(Opcode.TILE) if name not in DERIVED}
    parameters = [FilterParameters(-1, 0x8001, 3)] * 8
    packet = encode_tile(fields, masks=masks, parameters=parameters, codes=codes, arch=SMALL)
    assert packet[0] == 0x10
    assert packet[16:32] == bytes([2, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0])
    assert packet[32:40] == bytes([255, 255, 255, 255, 0x01, 0x80, 0, 3])
    assert packet[96 + 10] == 0xAB
    assert len(packet) == 16 + 16 + 64 + 64


def test_bytes_of_taps_and_of_a_table() -> None:
    """The parameters of the 8 channels come first, then each word on a beat of its own."""
    weights = np.array([[1, 2, 3, 4, 5, 6, 7, -1], [-128, 0, 0, 0, 0, 0, 0, 127]], np.int8)
    entries = [FilterParameters(-2, 3, 4)] + [FilterParameters(0, 0, 0)] * 7
    packet = encode_taps(cores=2, parameters=entries, weights=weights, arch=SMALL)
    assert packet[:8] == bytes([0x11, 2, 2, 0, 0, 0, 0, 0])
    assert packet[8:16] == bytes([254, 255, 255, 255, 3, 0, 0, 4])
    assert packet[72:] == bytes([1, 2, 3, 4, 5, 6, 7, 255, 128, 0, 0, 0, 0, 0, 0, 127])
    wide = encode_taps(cores=2, parameters=entries, weights=weights, arch=ARCHS[1])
    assert [len(packet), len(wide)] == [8 + 64 + 2 * 8, 64 + 64 + 2 * 64]
    table = encode_table(cores=3, entries=np.arange(256, dtype=np.uint8), arch=SMALL)
    assert table == bytes([0x12, 3, 0, 0, 0, 0, 0, 0, *range(256)])


STORE = encode_header(Opcode.STORE, zeros(Opcode.STORE, words=1), SMALL)
END = encode_header(Opcode.END, {}, SMALL)


def image_of(*parts: bytes) -> np.ndarray:
    return np.frombuffer(b"".join(parts), np.uint8)


@pytest.mark.promise(
    "a damaged stream, a foreign file and a program for another chip are one sentence each"
)
@pytest.mark.promise(
    "a program that ends without STORE is an error to the loader, the chip and the reader of"
    " programs"
)
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (whole(STORE + END, SMALL, version=1), "for version 0x8, got 0x1"),
        (whole(STORE + END, SMALL, architecture=5), "for architecture"),
        (whole(b"", SMALL)[:15], "a whole stream of packets, got an end at byte 15"),
        (whole(bytes(8), SMALL), "a stream of known packets, got opcode 0x00 at byte 56"),
        (whole(b"\x10" + bytes(15), SMALL)[56:], "a program that starts with BEGIN, got TILE"),
        (whole(b"\x05" + bytes(7), SMALL), "a whole stream of packets, got an end at byte 64"),
        (whole(END, SMALL), "a stream with STORE before END, got no STORE"),
        (whole(STORE, SMALL), "a stream with one END, at its end, got STORE at its end"),
        (whole(END + STORE + END, SMALL), "a stream with one END, at its end, got END at its end"),
        (image_of(), "a program that starts with BEGIN, got no packet"),
        (image_of(begin(SMALL), STORE, END), "with LOAD after BEGIN, got another packet"),
    ],
)
def test_damage_is_one_sentence(image: np.ndarray, message: str) -> None:
    with pytest.raises(FormatError, match=f"the program must be .*{message}"):
        decode_stream(image, SMALL)


@pytest.mark.parametrize("wrong", [-1, 1])
@pytest.mark.parametrize(
    ("build", "wanted", "offset"),
    [
        (lambda wrong: load(SMALL, STORE + END, wrong=wrong) + STORE + END, 3, 16),
        (
            lambda wrong: (
                load(SMALL, STORE + load(SMALL, END)) + STORE + load(SMALL, END, wrong=wrong) + END
            ),
            1,
            72,
        ),
        (
            lambda wrong: (
                load(SMALL, STORE + load(SMALL, END), wrong=wrong) + STORE + load(SMALL, END) + END
            ),
            7,
            16,
        ),
    ],
    ids=["alone", "last", "before another"],
)
def test_a_segment_of_another_length_is_refused(
    build: Callable[[int], bytes], wanted: int, offset: int, wrong: int
) -> None:
    given = f"got {wanted + wrong} at byte {offset}"
    with pytest.raises(FormatError, match=f"a LOAD with segment_beats {wanted}, {given}"):
        decode_stream(image_of(begin(SMALL), build(wrong)), SMALL)
