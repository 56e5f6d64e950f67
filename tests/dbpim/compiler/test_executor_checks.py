"""Each thing that the executor refuses, by one change of a stream that runs."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import EVERY_WORD, Opcode, Operation, Space
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.stream import encode_table
from tests.dbpim.compiler.archs import TINY
from tests.dbpim.compiler.executor import ExecutionError, execute
from tests.dbpim.compiler.hand_made import output_fields, placement
from tests.dbpim.compiler.test_executor import (
    BYTES,
    COLOR,
    FILTERS,
    GRAY,
    IMAGE,
    RESULT,
    TABLE,
    WINDOW,
    conv_stream,
    copy_fields,
    finished,
    run,
    simd_program,
    taps,
    tile,
)


def conv_with(*tiles: bytes, **changes) -> Callable[[], Program]:
    return lambda: finished(conv_stream(*tiles, **changes))


def split_tile(**second: int) -> tuple[bytes, bytes]:
    """Return the window as two tiles, the second of them changed."""
    first = tile([[1, 0, 0, 0]] * 2, last=0)
    rest = {"kernel_y": 2, "first": 0, **second}
    parameters = rest.pop("parameters", ())
    return first, tile([[1, 0, 0, 0]], parameters=parameters, **rest)


READS = {
    "row that the core does not hold": (
        {"padding_top": 0},
        r"step_1\): core 0 reads word 0 of row 3, column 0 at .* nothing since power-on",
    ),
    "wrong first row of the input": (
        {"input_first_1": 0},
        "core 1 reads word 0 of row 1, column 0 at bank 1, address 2, where it holds word 0 of row"
        " 2, column 1 from step 0",
    ),
    "outside of the buffer": (
        {"input_base": 1024},
        "core 0 reads word 0 of row 0, column 0 outside of its buffer",
    ),
    "garbage": (
        {"input_base": 500},
        "core 0 reads word 0 of row 0, column 0 at bank 0, address 500",
    ),
}


def overwritten() -> Program:
    """Write another map over rows 2 and 3 of the result of CONV."""
    stream = conv_stream()
    over = placement(TINY, base=12, row_pitch=2, first=[0, 1], rows=[3, 3])
    fields = {**copy_fields(IMAGE), **output_fields(over), "to_memory": 0}
    stream.step(Opcode.SIMD, fields, {"layer": "other", "output": over})
    return finished(stream)


def of_another_layer() -> Program:
    return finished(conv_stream(), inputs=["input"])


def in_place() -> Program:
    stream = conv_stream()
    fields = {**copy_fields(RESULT), **output_fields(RESULT), "to_memory": 0}
    plan = {"layer": "copy", "output": RESULT, "inputs": ["conv"]}
    stream.step(Opcode.SIMD, fields, plan)
    return finished(stream, inputs=["copy"])


def part_of_a_word(count: int) -> Program:
    """Store `count` bytes of each word of the image's copy, and use all four of them."""
    stream = conv_stream()
    place = placement(TINY, base=32, row_pitch=2, first=[0, 1], rows=[3, 3])
    fields = {**copy_fields(IMAGE), **output_fields(place), "to_memory": 0, "enable_end": count}
    stream.step(Opcode.SIMD, fields, {"layer": "copy", "output": place, "filters": count})
    return finished(stream, place, inputs=["copy"])


def refused(program: Callable[[], Program], message: str, images: np.ndarray = GRAY) -> None:
    with pytest.raises(ExecutionError, match=message):
        run(program(), images)


@pytest.mark.promise(
    "the executor computes each operation, and refuses reads and writes that a chip must not do"
)
@pytest.mark.parametrize("name", READS)
def test_reads(name: str) -> None:
    changes, message = READS[name]
    refused(conv_with(**changes), message)


def test_words_of_others() -> None:
    refused(overwritten, r"core 1 reads word 0 of row 3, column 0 at bank 1, address 12, where")
    refused(of_another_layer, r"core 0 reads words of an input that other layers wrote: step_1")
    refused(in_place, r"core 0 stores row 0, column 0 over words that it reads")


def test_bytes_that_nobody_stored() -> None:
    """Unknown bytes move through SIMD steps, and are found where they count."""
    assert run(part_of_a_word(4)).answers.shape == (1, 4, 3, 4)
    refused(lambda: part_of_a_word(2), "answer 0 has bytes that no step has stored")


STORES = {
    "another core keeps it": (
        {"private_rows_0": 2},
        "core 0 writes row 1 as private, but core 1 keeps it too",
    ),
    "the core does not keep it": (
        {"private_first_0": 1, "keep_rows_0": 1, "keep_first_0": 0, "keep_first_1": 2},
        "core 0 writes row 1 as private, but does not keep it",
    ),
    "nobody keeps it": (
        {"keep_rows_1": 2, "private_rows_1": 0},
        "no core keeps row 3 of the results",
    ),
    "beyond the buffer": ({"output_base": 1022}, "core 0 writes row 1 beyond its buffer"),
    "beyond the row": ({"output_row_pitch": 1}, "stores word 1 of a row of 1 words a bank"),
    "beside the pixel": ({"output_first_word": 1}, "stores word 1 of a pixel of 1 words"),
    "over its input": ({"output_base": 0}, "stores row 0, column 0 over words that it reads"),
    "rows of the plan": ({"plan": {"rows": (0, 3)}}, "its plan does not say where all"),
    "base of the plan": (
        {"plan": {"output": replace(RESULT, base=9)}},
        "its plan has its results at other rows",
    ),
    "no output": ({"plan": {"output": None}}, "its plan has no output"),
}


@pytest.mark.parametrize("name", STORES)
def test_stores(name: str) -> None:
    changes, message = STORES[name]
    refused(conv_with(**changes), message)


def test_stored_twice() -> None:
    """Both cores compute row 1."""
    changes = {"operation": Operation.SUM, "start_y_1": 1}
    refused(lambda: simd_program(**changes), "stores a byte of row 1 to 2 twice", COLOR)


WALKS = {
    "start beside a vector": ({"start_x_0": 1}, "core 0 starts at row 0, column 1"),
    "start below the map": ({"start_y_1": 4}, "core 1 starts at row 4"),
    "no vector": ({"vectors_1": 0}, "core 1 is active without a position vector"),
    "no core": ({"active_cores": 0}, "a tile is for cores 0b11"),
    "wide patch": ({"patch": 1}, "a patch must see at most 1 columns, got 3"),
}


@pytest.mark.parametrize("name", WALKS)
def test_walks(name: str) -> None:
    changes, message = WALKS[name]
    refused(conv_with(**changes), message)


TILES = {
    "none": ([b""], "waits for a tile that never comes"),
    "one too many": ([tile(), tile()], "gets a tile after its last group"),
    "absent core": ([tile(cores=4)], "a tile is for cores 0b100"),
    "of one core alone": ([tile(cores=1)], "core 1 waits for a tile"),
    "not first": ([tile(first=0)], "group 0: first of a tile"),
    "no parameters": ([tile(parameters=())], "parameters of a tile"),
    "parameters twice": (split_tile(parameters=FILTERS), "parameters of a tile"),
    "other group": (split_tile(group=1), "group of a tile"),
    "other last group": (split_tile(last_group=0), "last_group of a tile"),
    "turn in a chunk": (split_tile(turn=0), "turn of a tile"),
    "large turn": ([tile(turn=2)], "turn below M of a tile"),
    "empty last mask": ([tile([[1, 0, 0, 0]] * 2 + [[0] * 4])], "first and last mask of a tile"),
    "too few rows": ([tile([[1] * 4] * 3)], "selected inputs of a tile"),
    "outside of the window": ([tile(channel_word=1)], "a tile starts outside of the window"),
    "beyond the window": ([tile(kernel_y=1)], "a tile walks beyond the window"),
}


@pytest.mark.parametrize("name", TILES)
def test_tiles(name: str) -> None:
    tiles, message = TILES[name]
    refused(conv_with(*tiles), message)


LIT = [[1, 0, 0, 0]]


def on(arch: Arch, *tiles: bytes) -> None:
    """Run CONV on a chip of other sizes whose packets are the same."""
    stream = conv_stream(*tiles)
    stream.arch = arch
    execute(finished(stream), arch, GRAY)


def test_tiles_of_which_two_do_not_fit() -> None:
    on(TINY, *split_tile())
    with pytest.raises(ExecutionError, match="partial sums of a tile"):
        on(replace(TINY, psum_entries=4), *split_tile())
    with pytest.raises(ExecutionError, match="mask_words of a tile"):
        on(replace(TINY, mask_bytes=4), tile([*LIT, *[[0] * 4] * 3, *LIT]))
    on(replace(TINY, mask_bytes=4), tile())


OPERATIONS = {
    "no taps": ([], {"operation": Operation.DEPTHWISE}, "gets 0 packets of taps for 1 words"),
    "taps of another window": (
        [taps(count=8)],
        {"operation": Operation.DEPTHWISE, **WINDOW},
        "gets taps of another window than 9",
    ),
    "taps of an absent core": (
        [taps(cores=7)],
        {"operation": Operation.DEPTHWISE, **WINDOW},
        "TAPS of cores 0b111 follows it",
    ),
    "taps of a maximum": ([taps()], {"operation": Operation.MAXIMUM}, "TAPS of cores 0b11"),
    "no table": ([], {"operation": Operation.TABLE}, "core 0 gets 0 tables"),
    "table of one core": (
        [encode_table(cores=1, entries=TABLE, arch=TINY)],
        {"operation": Operation.TABLE},
        "core 1 gets 0 tables",
    ),
    "window of a sum of maps": (
        [],
        {"operation": Operation.ADD, **WINDOW},
        "an operation on single elements has a window",
    ),
    "word of the second map": (
        [],
        {"operation": Operation.ADD, "second_base": 0},
        "core 0 reads word 0 of map b",
    ),
    "no word": (
        [],
        {"operation": Operation.MAXIMUM, "word_count_1": 0},
        "core 1 is active without a channel word",
    ),
    "no shift": ([], {"operation": Operation.SUM, "shift": 0}, "a shift is 0"),
    "large total": (
        [],
        {"operation": Operation.SUM, "bias": (1 << 31) - 1},
        "core 0 has a total beyond 32 bits",
    ),
    "negative sum": (
        [],
        {"operation": Operation.SUM, "sums": 1, "bias": (1 << 32) - 1000},
        "core 0 has a sum beyond 24 bits",
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str) -> None:
    packets, changes, message = OPERATIONS[name]
    refused(lambda: simd_program(*packets, **changes), message, COLOR)


LOADS = {
    "beats": ({"beats": 3}, "it asks for 3 beats to get 12 bytes"),
    "answers": ({"space": Space.ANSWER}, "it loads from the answers"),
    "beyond the images": ({"offset": 64}, "it loads bytes 64 to 80 of 64 of the IMAGE memory"),
    "columns": ({"columns": 2}, "it stores 2 columns of 3"),
    "pixels": ({"pixel_channels": 2}, "pixels have 2 channels in 1 bytes"),
    "wide window": ({"window_pixels": 5, "window_stride": 1}, "5 pixels of 1 bytes do not fit"),
    "nothing": ({"rows": 0}, "it loads nothing"),
    "memory that nobody wrote": (
        {"space": Space.SCRATCH},
        "core 0 uses a byte of word 0 of row 0, column 0, read by step 0",
    ),
}


@pytest.mark.parametrize("name", LOADS)
def test_loads(name: str) -> None:
    changes, message = LOADS[name]
    refused(conv_with(load=changes), message)


def with_store(**store: int) -> Program:
    stream = conv_stream()
    plan = {"layer": "answer", "inputs": ["conv"]}
    stream.step(Opcode.SIMD, copy_fields(RESULT), plan)
    fields = {"words": 12, "space": Space.ANSWER, **EVERY_WORD, **store}
    stream.step(Opcode.STORE, fields, {})
    stream.step(Opcode.END, {}, {})
    return stream.program(BYTES)


STORED = {
    "image": ({"space": Space.IMAGE}, "to the IMAGE memory"),
    "half a beat": ({"index": 1}, "it stores logits 1 to 13"),
    "beyond the logits": ({"index": 8}, "it stores logits 8 to 20"),
    "beyond the answers": ({"offset": 8}, "it stores to bytes 8 to 56 of 48"),
    "too few words": ({"words": 11}, "answer 0 has bytes that no step has stored"),
}


@pytest.mark.parametrize("name", STORED)
def test_stored(name: str) -> None:
    changes, message = STORED[name]
    assert run(with_store()).answers.any()
    refused(lambda: with_store(**changes), message)


def test_logits() -> None:
    beyond = {"output_base": 5}
    refused(lambda: finished(conv_stream(), **beyond), "it writes entry 16 of 16 logits")
    twice = {"output_row_pitch": 2}
    refused(lambda: finished(conv_stream(), **twice), "writes a byte of the logit buffer twice")


def test_followers() -> None:
    refused(conv_with(taps()), "TAPS follows a CONV")
    refused(conv_with(tile(), load={}, plan={"kind": "simd"}), "the steps must be")
    stream = conv_stream()
    stream.parts.insert(1, tile())
    refused(lambda: finished(stream), "TILE follows a LOAD")


def test_a_map_must_be_whole() -> None:
    stream = conv_stream(vectors_0=2)
    message = "no step stores image 0, row 1, column 0, channel 0 of the map of conv"
    refused(lambda: finished(stream, IMAGE, inputs=["input"]), message)


def test_copies_agree() -> None:
    """Every garbage gives the same maps, since nothing depends on it."""
    program = finished(conv_stream())
    first, second = (execute(program, TINY, GRAY, seed=seed) for seed in (1, 2))
    assert (first.buffers != second.buffers).any()
    np.testing.assert_array_equal(first.answers, second.answers)
