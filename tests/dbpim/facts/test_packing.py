"""Packed rows: all triples of weights, rows with and without gaps, what cannot be packed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.dbpim.weight_decoder import decode
from hwgen.dbpim.compiler.codes import csd_codes
from hwgen.dbpim.facts.arch import Arch, MacroSize, load_arch, with_sparsity
from hwgen.dbpim.facts.instructions import PACKETS, Coding, Opcode
from hwgen.dbpim.facts.packing import (
    DECIMALS,
    best_coding,
    pack_digits,
    pack_rows,
    row_beats,
    row_pieces,
    unpack_digits,
    unpack_rows,
)
from hwgen.dbpim.facts.stream import TilePacket, decode_packets, encode_tile
from hwgen.errors import FormatError
from verif.reference.dbpim.csd import values_of_phi
from verif.reference.dbpim.packed_weights import one_digit_weights, weights

SMALL = load_arch(Path("configs/dbpim/small.yaml"))
PAPER = load_arch(Path("configs/dbpim/paper.yaml"))


def triples_of(content: bytes, rows: int, arch: Arch, count: int) -> np.ndarray:
    """Return the first `count` triples of each row of 19 bits each."""
    bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
    pieces = row_pieces(arch, Coding.TRIPLES)
    whole = bits[: rows * 64 * pieces].reshape(rows, -1)[:, : 19 * count]
    return whole.reshape(rows, count, 19).astype(np.int64) @ (1 << np.arange(19))


def test_published_decimals() -> None:
    found = {n: int(DECIMALS[n]) for n in (5, 9, 55, 79, 80, 99, 555, 999)}
    assert found == {
        5: 0b000_000_0101,
        9: 0b000_000_1001,
        55: 0b000_101_0101,
        79: 0b000_111_1001,
        80: 0b000_000_1010,
        99: 0b000_101_1111,
        555: 0b101_101_0101,
        999: 0b001_111_1111,
    }
    assert len(set(DECIMALS.tolist())) == 1000


@pytest.mark.promise(
    "every triple of weights of two digits has 19 bits, which golden, written apart, reads as"
    " these weights"
)
def test_every_triple_of_weights() -> None:
    """All 72 x 72 x 72 are what golden reads, and are read again; a row holds 42 whole triples."""
    values = values_of_phi(2).astype(np.int8)
    triples = np.stack(np.meshgrid(values, values, values), axis=-1).reshape(-1, 3)
    assert len(triples) == 72**3
    rows = -(-len(triples) // 42)
    every = np.full((rows, 128), values[0], np.int8)
    every[:, :126] = np.resize(triples, (rows, 42, 3)).reshape(rows, 126)
    codes = csd_codes(every, [2] * rows).reshape(rows, 16, 8)
    content = pack_rows(codes, 0xFFFF, PAPER)
    read = weights(triples_of(content, rows, PAPER, 42), columns=2)
    np.testing.assert_array_equal(read.reshape(rows, -1), every[:, :126])
    np.testing.assert_array_equal(unpack_rows(content, rows, 0xFFFF, PAPER), codes)


def test_filters_of_one_column_have_a_table_of_their_own() -> None:
    """Filter 0 has one cell column, 1 none, the others two, one of them with zeros."""
    rng = np.random.default_rng(3)
    values = rng.choice(values_of_phi(2), (2, 16, 8)).astype(np.int8)
    values[..., 0] = rng.choice(values_of_phi(1), (2, 16))
    values[..., 1], values[:, ::2, 2] = 0, 0
    codes = np.stack(
        [csd_codes(values[..., n].reshape(1, -1), [phi])[0] for n, phi in enumerate(PHIS)], axis=-1
    ).reshape(2, 16, 8)
    enable = 0xFFF1
    assert (
        best_coding(codes.reshape(-1, 8)[:, 2:3].repeat(8, axis=1), 0xFFFF, PAPER) is Coding.TRIPLES
    )
    assert (
        best_coding(codes[:, :, [0, *range(2, 8), 2]].reshape(-1, 8), 0xFFFD, PAPER)
        is Coding.TRIPLES
    )
    content = pack_rows(codes, enable, PAPER)
    read = [
        weights(triples_of(content, 2, PAPER, 43), columns=n).reshape(2, -1)[:, :128]
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(read[0].reshape(2, 16, 8)[..., 0], values[..., 0])
    np.testing.assert_array_equal(read[1].reshape(2, 16, 8)[..., 2:], values[..., 2:])
    found = unpack_rows(content, 2, enable, PAPER)
    np.testing.assert_array_equal(np.delete(found, 1, -1), np.delete(codes, 1, -1))


PHIS = (1, 0, 2, 2, 2, 2, 2, 2)


@pytest.mark.promise(
    "where no filter of a tile has more than one digit, a weight takes four bits of the stream,"
    " and the chip is equal in RTL"
)
def test_a_row_of_one_digit_takes_four_bits_a_weight() -> None:
    """512 bits, 8 pieces, for 13 of triples; filters without a digit may be among them."""
    rng = np.random.default_rng(5)
    values = rng.choice(values_of_phi(1), (3, 16, 8)).astype(np.int8)
    values[..., 2] = 0
    flat = values.reshape(-1, 8).T
    codes = csd_codes(flat, [1, 1, 0, *[1] * 5]).T.reshape(3, 16, 8)
    content = pack_digits(codes, CODED)
    assert [row_pieces(CODED, coding) for coding in Coding] == [16, 13, 8]
    assert row_beats(3, CODED, Coding.DIGITS) == [2, 2, 2] and len(content) == 3 * 64
    numbers = np.frombuffer(content, np.uint8)[:, np.newaxis] >> np.array([0, 4]) & 15
    read = np.array(one_digit_weights())[numbers.reshape(3, 16, 8)]
    np.testing.assert_array_equal(np.delete(read, 2, -1), np.delete(values, 2, -1))
    np.testing.assert_array_equal(unpack_digits(content, 3, CODED), codes)


def test_the_shortest_coding_that_a_chip_reads() -> None:
    one, two = (np.full((5, 8), code, np.uint8) for code in (0x0B, 0xA1))
    mixed = np.where(np.arange(8) == 3, two, one)
    assert best_coding(one, 0x5555, CODED) is best_coding(one, 0x5455, CODED) is Coding.DIGITS
    assert best_coding(mixed, 0x55D5, CODED) is best_coding(two, 0xFFFF, CODED) is Coding.TRIPLES
    assert best_coding(one, 0x5555, PAPER) is Coding.TRIPLES
    flat = replace(CODED, packed_weights=False)
    assert best_coding(one, 0x5555, flat) is best_coding(one, 0xFFFF, CODED) is Coding.FLAT


CODED = replace(PAPER, one_digit="coded")


@pytest.mark.promise("tiles with a weight that has no number are sent flat")
@pytest.mark.parametrize(("value", "phi"), [(1, 2), (2, 2), (-128, 2), (64, 2)])
def test_a_weight_of_one_digit_in_two_cells_has_no_number(value: int, phi: int) -> None:
    codes = csd_codes(np.array([[3, 0, value]], np.int8), [phi]).T.repeat(8, axis=1)
    assert best_coding(codes[:2], 0xFFFF, PAPER) is Coding.TRIPLES
    assert best_coding(codes, 0xFFFF, PAPER) is Coding.FLAT


@pytest.mark.promise(
    "packed rows follow each other without gaps on every port, and are read as they were written"
)
@pytest.mark.parametrize(
    ("port", "pieces", "beats"),
    [(64, 13, [13, 13, 13, 13]), (128, 13, [7, 6, 7, 6]), (256, 13, [4, 3, 3, 3])],
)
def test_rows_follow_each_other(port: int, pieces: int, beats: list[int]) -> None:
    """128 weights are 817 bits, 13 pieces of 64: 3.25 beats of 256 bits."""
    arch = replace(PAPER, port_bits=port)
    assert row_pieces(arch, Coding.TRIPLES) == pieces
    assert row_beats(4, arch, Coding.TRIPLES) == beats
    assert row_beats(4, arch, Coding.FLAT) == [1024 // port] * 4


def test_rows_that_fit_a_beat_begin_on_one() -> None:
    """64 weights are 22 triples, 418 bits: 7 pieces, on a port of 512 bits a beat."""
    sizes = {port: row_pieces(replace(SMALL, port_bits=port), Coding.TRIPLES) for port in PORTS}
    assert sizes == {64: 7, 128: 7, 256: 7, 512: 8}
    assert row_beats(9, replace(SMALL, port_bits=256), Coding.TRIPLES) == [
        2,
        2,
        2,
        1,
        2,
        2,
        2,
        1,
        2,
    ]
    wide = replace(PAPER, port_bits=512)
    assert row_beats(9, wide, Coding.TRIPLES) == [2, 2, 1, 2, 2, 1, 2, 1, 2]
    dense = with_sparsity(replace(PAPER, port_bits=512), "none")
    assert [row_pieces(dense, Coding.FLAT), dense.unpacks] == [8, False]


PORTS = (64, 128, 256, 512)


@pytest.mark.parametrize("coding", [Coding.TRIPLES, Coding.DIGITS])
@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("compartments", [4, 8, 16])
def test_a_packed_tile_that_is_written_is_read(
    port: int, compartments: int, coding: Coding
) -> None:
    macro = MacroSize(compartments=compartments, columns=8, rows=16)
    arch = replace(SMALL, port_bits=port, macro=macro, one_digit="coded")
    rng = np.random.default_rng(port)
    phi, enable = (2, 0xFF) if coding is Coding.TRIPLES else (1, 0x55)
    values = rng.choice(values_of_phi(phi), (7, compartments * 4)).astype(np.int8)
    codes = csd_codes(values, [phi] * 7).reshape(7, compartments, 4)
    assert best_coding(codes.reshape(-1, 4), enable, arch) is coding
    fields = dict.fromkeys((field.name for field in PACKETS[Opcode.TILE][1:]), 0)
    for name in ("rows", "mask_words", "parameters"):
        del fields[name]
    packet = encode_tile(
        fields | {"coding": coding, "filter_enable": enable},
        masks=np.ones((1, compartments), bool),
        parameters=(),
        codes=codes,
        arch=arch,
    )
    (tile,) = decode_packets(np.frombuffer(packet, np.uint8), arch)
    assert isinstance(tile, TilePacket)
    np.testing.assert_array_equal(tile.codes, codes)
    cells = decode(tile.codes).values.reshape(*codes.shape, 2)[..., :phi]
    assert cells.sum(-1).ravel().tolist() == values.ravel().tolist()
    flat = replace(arch, packed_weights=False)
    with pytest.raises(FormatError, match=f"of coding FLAT on this chip, got .* coding {coding}"):
        decode_packets(np.frombuffer(packet, np.uint8), flat)
