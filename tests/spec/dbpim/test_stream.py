"""Packets written and read again; damaged streams are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import FormatError
from hwgen.spec.dbpim.arch import Arch, load_arch, with_sparsity
from hwgen.spec.dbpim.instructions import PACKETS, VERSION, Opcode, packet_bits
from hwgen.spec.dbpim.stream import (
    FilterParameters,
    TilePacket,
    decode_stream,
    encode_instruction,
    encode_tile,
    pad,
    tile_beats,
)

SMALL = load_arch(Path("configs/dbpim/small.yaml"))
DENSE = with_sparsity(SMALL, "none")
ARCHS = [replace(SMALL, port_bits=64), replace(DENSE, port_bits=512), replace(DENSE, port_bits=128)]
DERIVED = ("opcode", "rows", "mask_words", "parameters")


def draw_fields(rng: np.random.Generator, opcode: Opcode, without: tuple[str, ...]) -> dict:
    fields = (field for field in PACKETS[opcode] if field.name not in without)
    return {field.name: int(rng.integers(1 << field.bits)) for field in fields}


def draw_tile(rng: np.random.Generator, arch: Arch, *, parameters: bool) -> dict:
    compartments = arch.macro.compartments
    entries = [FilterParameters(-(1 << 31), 65535, 47), FilterParameters((1 << 31) - 1, 1, 63)]
    return {
        "masks": rng.integers(0, 2, (int(rng.integers(1, 40)), compartments)).astype(bool),
        "parameters": tuple(entries * arch.filters)[: arch.filters if parameters else 0],
        "codes": rng.integers(
            0, 256, (int(rng.integers(1, 17)), compartments, arch.filters), np.uint8
        ),
    }


def program(body: bytes, arch: Arch, **wrong: int) -> np.ndarray:
    fields = draw_fields(np.random.default_rng(0), Opcode.BEGIN, ("opcode",))
    fields |= {"version": VERSION, "architecture": arch.id_word}
    fields |= {"stream_beats": len(body) // arch.port_bytes} | wrong
    return np.frombuffer(encode_instruction(Opcode.BEGIN, fields) + body, np.uint8)


@pytest.mark.parametrize("arch", ARCHS, ids=lambda arch: f"port {arch.port_bits}")
def test_what_is_written_is_read(arch: Arch) -> None:
    rng = np.random.default_rng(arch.port_bits)
    wanted, body = [], b""
    for opcode in [*Opcode] * 2:
        if opcode is Opcode.BEGIN:
            continue
        if opcode is Opcode.TILE:
            fields, arrays = (
                draw_fields(rng, opcode, DERIVED),
                draw_tile(rng, arch, parameters=True),
            )
            arrays["parameters"] = arrays["parameters"] if len(wanted) > 6 else ()
            body += encode_tile(fields, **arrays, arch=arch)
        else:
            fields, arrays = draw_fields(rng, opcode, ("opcode",)), {}
            body += pad(encode_instruction(opcode, fields), arch)
        wanted.append((opcode, fields, arrays))
    packets = decode_stream(program(body, arch), arch)
    assert packets[0].opcode is Opcode.BEGIN
    offset = packets[0].beats * arch.port_bytes
    for packet, (opcode, fields, arrays) in zip(packets[1:], wanted, strict=True):
        assert (packet.opcode, packet.offset) == (opcode, offset)
        assert fields.items() <= dict(packet.fields).items()
        offset += packet.beats * arch.port_bytes
        if isinstance(packet, TilePacket):
            beats = tile_beats(
                arch, mask_words=len(packet.masks), parameters=bool(packet.parameters)
            )
            rows = len(packet.codes) * beats.row
            assert packet.beats == beats.header + beats.masks + beats.parameters + rows
            for name in ("masks", "codes"):
                np.testing.assert_array_equal(getattr(packet, name), arrays[name])
            assert packet.parameters == arrays["parameters"]
        else:
            assert packet.beats * arch.port_bits == packet_bits(opcode)


def test_bit_order_of_a_tile() -> None:
    """Lowest first: code index = compartment * filters + filter, mask bit = compartment."""
    arch = SMALL
    masks = np.zeros((9, 8), bool)
    masks[0, 1] = masks[8, 7] = True
    codes = np.zeros((1, 8, 8), np.uint8)
    codes[0, 1, 2] = 0xAB
    fields = dict.fromkeys(draw_fields(np.random.default_rng(0), Opcode.TILE, DERIVED), 0)
    parameters = [FilterParameters(-1, 0x8001, 3)] * 8
    packet = encode_tile(fields, masks=masks, parameters=parameters, codes=codes, arch=arch)
    assert packet[0] == 0x10
    assert packet[16:32] == bytes([2, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0])
    assert packet[32:40] == bytes([255, 255, 255, 255, 0x01, 0x80, 3, 0])
    assert packet[96 + 10] == 0xAB
    assert len(packet) == 16 + 16 + 64 + 64


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (program(b"", SMALL, version=2), "for version 0x1, got 0x2"),
        (program(b"", SMALL, architecture=5), "for architecture"),
        (program(b"", SMALL)[:63], "a whole stream of packets, got an end at byte 63"),
        (program(bytes(8), SMALL), "a stream of known packets, got opcode 0x00 at byte 64"),
        (program(bytes(8), SMALL)[:64], "72 bytes long, got 64 bytes"),
        (program(b"\x10" + bytes(15), SMALL)[64:], "a program that starts with BEGIN, got TILE"),
        (program(b"\x06" + bytes(7), SMALL), "a whole stream of packets, got an end at byte 72"),
        (
            program(pad(encode_instruction(Opcode.END, {}), SMALL), SMALL),
            "a stream with STORE before END, got no STORE",
        ),
        (np.zeros(0, np.uint8), "a stream of known packets, got opcode 0x00 at byte 0"),
    ],
)
def test_damage_is_one_sentence(image: np.ndarray, message: str) -> None:
    with pytest.raises(FormatError, match=f"the program must be .*{message}"):
        decode_stream(image, SMALL)
