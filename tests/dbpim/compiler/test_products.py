"""Products of two maps and constants: programs in plain numpy, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.facts.arch import Arch, RowUnit, load_arch
from hwgen.dbpim.facts.host import MEMORY_MAP
from hwgen.dbpim.facts.instructions import Opcode, Space
from hwgen.dbpim.facts.stream import decode_stream
from hwgen.errors import CompileError, FormatError, RefusedNodesError
from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.archs import CONFIGS, SMALL, draw_arch
from tests.dbpim.compiler.test_execute import check
from verif.common.drawing import Drawing

ROWS, PAPER = (load_arch(CONFIGS / f"{name}_rows.yaml") for name in ("small", "paper"))


def block(
    tokens: tuple[int, int],
    *,
    keys: tuple[int, int],
    width: int,
    heads: int = 1,
    seed: int = 1,
    embedded: bool = True,
) -> QuantizedNetwork:
    """Return scores and values of drawn queries, keys and values, with a constant added."""
    drawing = Drawing(seed, modes=("all",), shape=(*keys, 5))
    kernel = keys[0] - tokens[0] + 1, keys[1] - tokens[1] + 1
    query = drawing.conv(INPUT, (width,), kernel=kernel)
    if embedded:
        query = drawing.add(query, drawing.constant(like=query))
    key, value = drawing.conv(INPUT, (width,)), drawing.conv(INPUT, (width,))
    scores = drawing.matmul(query, key, groups=heads, transposed=True)
    values = drawing.matmul(scores, value, groups=heads, transposed=False)
    return drawing.build(drawing.conv(values, (9,)))


@pytest.mark.promise(
    "programs give golden's maps, on chips of any size, in bands, and of several images"
)
@pytest.mark.parametrize("images", [1, 2, 3])
@pytest.mark.parametrize(("tokens", "keys"), [((4, 4), (4, 4)), ((1, 3), (8, 4)), ((1, 1), (2, 8))])
def test_programs(tokens: tuple[int, int], keys: tuple[int, int], images: int) -> None:
    check(block(tokens, keys=keys, width=32, heads=2), ROWS, images=images)


def test_sixteen_channels_a_word() -> None:
    check(block((8, 8), keys=(8, 8), width=64, heads=4), PAPER)


def test_a_map_multiplies_itself() -> None:
    drawing = Drawing(1, modes=("all",), shape=(4, 4, 16))
    now = drawing.matmul(INPUT, INPUT, groups=2, transposed=True)
    check(drawing.build(drawing.matmul(now, INPUT, groups=2, transposed=False)), ROWS)


@pytest.mark.parametrize("seed", range(12))
def test_programs_for_any_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arch = draw_arch(seed)
    size = arch.word
    arch = replace(arch, simd_lanes=size, row_unit=RowUnit(lanes=arch.macros_per_core))
    heads, words, rows = rng.integers(1, 4, 3).tolist()
    tokens = int(rng.integers(1, rows + 1)), int(rng.integers(1, size + 1))
    net = block(tokens, keys=(rows, size), width=size * heads * words, heads=heads, seed=seed)
    check(net, arch, images=int(rng.integers(1, 3)), seed=seed)


def test_bands_of_a_small_buffer_hold_the_second_map_whole() -> None:
    arch = replace(ROWS, buffer_bytes=2048)
    program, _ = check(block((8, 8), keys=(8, 8), width=8), arch)
    kinds = [step.op for step in program.facts.steps]
    assert kinds.count("matmul") > 2, "no product is cut into bands"


@pytest.mark.promise("what does not fit is refused in one sentence")
def test_too_many_tokens_for_the_buffer() -> None:
    arch = replace(ROWS, buffer_bytes=512)
    with pytest.raises((CompileError, RefusedNodesError), match="must fit the activation buffer"):
        compile_network(block((8, 8), keys=(8, 8), width=8), arch)


def keys_of_the_image(channels: int) -> QuantizedNetwork:
    """Return scores of an image of so many channels, whose pixels fill words."""
    drawing = Drawing(1, modes=("all",), shape=(4, 4, channels))
    return drawing.build(drawing.matmul(INPUT, INPUT, groups=1, transposed=True))


def scores_of_nine() -> QuantizedNetwork:
    """Return scores of 9 keys, which a convolution reads."""
    drawing = Drawing(1, modes=("all",), shape=(3, 3, 8))
    scores = drawing.matmul(INPUT, INPUT, groups=1, transposed=True)
    return drawing.build(drawing.conv(scores, (9,)))


@pytest.mark.parametrize(
    ("net", "what"),
    [
        (scores_of_nine(), "pixels of its second input must be a multiple of 8 .*, got 9"),
        (keys_of_the_image(12), "channels of a group of its second input must be .*, got 12"),
    ],
    ids=["scores that a convolution reads", "channels of an image"],
)
def test_words_that_are_not_whole(net: QuantizedNetwork, what: str) -> None:
    with pytest.raises((CompileError, RefusedNodesError), match=what):
        compile_network(net, ROWS)


def test_a_chip_without_a_row_unit() -> None:
    with pytest.raises(CompileError, match=r"no transformer's .* got 1 constant, 2 matmul of"):
        compile_network(block((4, 4), keys=(4, 4), width=16), SMALL)


def constants_of(arch: Arch) -> tuple[np.ndarray, int]:
    """Return a program with a constant, and the offset field's place of its LOAD."""
    image = compile_network(block((4, 4), keys=(4, 4), width=16), arch).image.copy()
    packets = decode_stream(image, arch)
    (load,) = (
        packet
        for packet in packets
        if packet.opcode is Opcode.LOAD and packet.fields["space"] == Space.PROGRAM
    )
    return image, load.offset


@pytest.mark.promise(
    "constants lie behind the stream, and a LOAD of other bytes of the program is refused"
)
def test_a_constant_lies_behind_the_stream() -> None:
    """As the data sheet says: the program is not read from front to back then."""
    told = next(place.layout for place in MEMORY_MAP if place.content == "the program")
    assert "LOAD of the space PROGRAM reads there, and then the chip goes back" in told
    image, place = constants_of(ROWS)
    with pytest.raises(FormatError, match="a LOAD of bytes"):
        decode_stream(image[:-8], ROWS)
    image[place + 2] ^= 0xFF
    with pytest.raises(FormatError, match="a LOAD of bytes"):
        decode_stream(image, ROWS)
