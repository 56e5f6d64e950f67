"""The image of a program is its packets, and the same network gives the same bytes."""

from pathlib import Path

import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.program_file import save_program
from hwgen.dbpim.facts.stream import TilePacket, decode_stream
from tests.dbpim.compiler.archs import SMALL
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import Recipe, random_network

STEPS = {Opcode.LOAD, Opcode.CONV, Opcode.SIMD, Opcode.STORE, Opcode.END}


@pytest.mark.promise("packets of a program hold every byte once; the same network, the same bytes")
def test_every_byte_is_in_one_packet() -> None:
    program = compile_network(random_network(Recipe(), seed=1), SMALL)
    packets, at = decode_stream(program.image, SMALL), 0
    for packet in packets:
        assert packet.offset == at
        at += packet.beats * SMALL.port_bytes
    assert at == len(program.image)
    names = [packet.opcode.name for packet in packets]
    steps = [packet.opcode.name.lower() for packet in packets if packet.opcode in STEPS]
    assert steps == [step.kind for step in program.facts.steps]
    assert (names[:2], names[-2:]) == (["BEGIN", "LOAD"], ["STORE", "END"])
    rows = sum(len(packet.codes) for packet in packets if isinstance(packet, TilePacket))
    assert rows == sum(step.rows_loaded for step in program.facts.steps)


def test_a_tile_in_words() -> None:
    """2 x 2 x 1 inputs and 5 classes: one tile of 4 words, each with one channel."""
    packets = decode_stream(compile_network(directed("head_alone"), SMALL).image, SMALL)
    (tile,) = (packet for packet in packets if isinstance(packet, TilePacket))
    assert (tile.masks.shape[0], tile.masks.sum(), tile.masks.size, len(tile.codes)) == (
        4,
        4,
        32,
        1,
    )
    enables = [tile.fields["filter_enable"] >> 2 * place & 3 for place in range(SMALL.filters)]
    assert enables == [3] * 5 + [0] * 3
    assert all(tile.fields[name] for name in ("first", "last", "last_group", "parameters"))


def test_same_bytes_every_time(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        program = compile_network(random_network(Recipe(), seed=2), SMALL)
        path = tmp_path / f"{name}.npz"
        save_program(program, path)
        files.append(path.read_bytes())
    assert files[0] == files[1]
