"""How full a chip is with a program."""

import pytest

from hwgen.mram.compiler import compile_network, rooms
from hwgen.mram.compiler.rooms import CELLS
from hwgen.network import INPUT
from tests.golden.drawn import Drawing
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.test_walks import matrices


@pytest.mark.promise("`hwgen info` says which memory of an MRAM chip a program fills first")
def test_the_fullest_memory_stands_first() -> None:
    """Twenty matrices of 16 x 16: a segment of 8 rows, a record and 4 words of parameters each."""
    arch = arch_of("small_any", parameter_entries=128)
    program = compile_network(matrices(20), arch)
    found = {room.what: (room.used, room.size) for room in rooms(program, arch)}
    assert found == {
        "parameter words": (80, 128),
        CELLS: (20 * 8, 112 * 3),
        "answer buffer, elements": (16, 64),
        "records": (22, 128),
        "image bank of the largest map, bytes": (16, 2048),
    }
    assert next(iter(found)) == "parameter words"


def test_a_map_that_fills_its_bank_stands_first() -> None:
    net, arch = Drawing(1, modes=("1.0x", "0.5x"), shape=(8, 16, 9)), arch_of("small")
    mean = net.average_pool(INPUT, kernel=(8, 16), stride=(1, 1), padding=(0, 0, 0, 0))
    program = compile_network(net.build(net.linear(mean, (3, 2))), arch)
    first, *_ = rooms(program, arch)
    assert (first.what, first.used, first.size) == (
        "image bank of the largest map, bytes",
        8 * 16 * 16,
        2048,
    )


def test_an_answer_takes_a_block_of_every_pixel() -> None:
    net, arch = Drawing(1, modes=("1.0x",), shape=(2, 2, 3)), arch_of("small")
    program = compile_network(net.build(net.conv(INPUT, (5,))), arch)
    found = {room.what: room.used for room in rooms(program, arch)}
    assert found["answer buffer, elements"] == 2 * 2 * 8
