"""The executor itself: streams written by hand, and each thing that it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from golden.ops.maps import conv
from golden.ops.requantize import requantize
from golden.ops.windows import windows
from hwgen.dbpim.facts.instructions import EVERY_WORD, Opcode, Operation
from hwgen.dbpim.facts.program import AnswerPlan, MemoryPlace, Program
from hwgen.dbpim.facts.stream import FilterParameters, encode_table, encode_taps, encode_tile
from tests.dbpim.compiler.archs import TINY
from tests.dbpim.compiler.executor import Execution, ExecutionError, execute
from tests.dbpim.compiler.hand_made import (
    Fields,
    Stream,
    core_fields,
    map_fields,
    output_fields,
    placement,
)

HEIGHT, WIDTH = 4, 3
RNG = np.random.default_rng(7)
GRAY = RNG.integers(0, 256, (1, HEIGHT, WIDTH, 1), np.uint8)
COLOR = RNG.integers(0, 256, (1, HEIGHT, WIDTH, 4), np.uint8)
IMAGE = placement(TINY, row_pitch=2, first=[0, 1], rows=[3, 3])
"""Rows 0 to 2 in core 0, 1 to 3 in core 1: each holds what a window of 3 rows sees."""
RESULT = placement(TINY, base=8, row_pitch=2, first=[0, 1], rows=[3, 3])
WORDS = 4 * 4
ANSWERS = MemoryPlace(space="answer", offset=0, size=64)
BYTES = AnswerPlan(layer="answer", shape=(HEIGHT, WIDTH, 4), raw=False, offsets=[0], size=48)
NIBBLES = RNG.integers(0, 16, (1, 3, 4), np.uint8)
"""Weights of a window of 3 rows of one channel: one cell each, of 4 filters."""
FILTERS = (
    FilterParameters(-300, 40000, 22),
    FilterParameters(0, 33000, 21),
    FilterParameters(5000, 65535, 24),
    FilterParameters(77, 50000, 23),
)
WALK = core_fields(start_y=[0, 2], vectors=[4, 4])
"""Core 0 computes rows 0 and 1, core 1 rows 2 and 3, in vectors of 2 and 1 positions."""
LAYER = {
    "input_height": HEIGHT,
    "input_width": WIDTH,
    "kernel_height": 1,
    "kernel_width": 1,
    "stride_y": 1,
    "stride_x": 1,
    "output_width": WIDTH,
    "output_end_row": HEIGHT,
    "output_high": 255,
    "active_cores": 3,
    **WALK,
}
SIMD = {**LAYER, "shift": 1, "enable_end": 4, **core_fields(word_count=[1, 1])}
RAW = AnswerPlan(layer="answer", shape=(1, 1, 4), raw=True, offsets=[0], size=16)


def gray_stream(**load: int) -> Stream:
    stream = Stream(TINY, (HEIGHT, WIDTH, 1))
    stream.load(IMAGE, **load)
    return stream


def conv_fields(**changes: int) -> Fields:
    """Return a window of 3 rows over the image; rows 0 and 3 of the output are private."""
    return {
        **LAYER,
        "kernel_height": 3,
        "padding_top": 1,
        "outside": 9,
        "output_zero_point": 128,
        "chunk_vectors": 4,
        **map_fields(IMAGE, "input"),
        **output_fields(RESULT),
        **core_fields(private_first=[0, 3], private_rows=[1, 1]),
        **changes,
    }


def tile(masks: list[list[int]] | None = None, *, parameters=FILTERS, **changes: int) -> bytes:
    header = {"cores": 3, "group": 0, "kernel_y": 0, "kernel_x": 0, "channel_word": 0}
    header |= {"turn": 1, "first": 1, "last": 1, "last_group": 1, "filter_enable": 0b01010101}
    codes = np.zeros((1, 4, 4), np.uint8)
    codes[:, :3] = NIBBLES
    chosen = np.array(masks or [[1, 0, 0, 0]] * 3, bool)
    fields = {**header, **changes}
    return encode_tile(fields, masks=chosen, parameters=parameters, codes=codes, arch=TINY)


def conv_stream(*tiles: bytes, load: Fields | None = None, plan=None, **changes: int) -> Stream:
    stream = gray_stream(**(load or {}))
    facts = {"layer": "conv", "output": RESULT, "filters": 4, **(plan or {})}
    stream.step(Opcode.CONV, conv_fields(**changes), facts)
    stream.parts += tiles or (tile(),)
    return stream


def copy_fields(source, **changes: int) -> Fields:
    """Return a copy of a map, by a sum of one tap, to the logit buffer."""
    fields = {
        **SIMD,
        **map_fields(source, "input"),
        "operation": Operation.SUM,
        "multiplier": 1 << 15,
        "shift": 15,
        "to_memory": 1,
        "output_row_pitch": WIDTH,
        "output_channel_words": 1,
    }
    return {**fields, **changes}


def finished(stream: Stream, source=RESULT, inputs=("conv",), **changes: int) -> Program:
    """Return the stream with the map of the last step as the answer, in two STOREs of 6 words."""
    plan = {"layer": "answer", "inputs": list(inputs), "memory": ANSWERS}
    stream.step(Opcode.SIMD, copy_fields(source, **changes), plan)
    stream.finish(ANSWERS, words=12)
    return stream.program(BYTES)


def run(program: Program, images: np.ndarray = GRAY) -> Execution:
    return execute(program, TINY, images)


def expected_conv() -> np.ndarray:
    magnitude = (1 + (NIBBLES >> 3)) * 4 ** (NIBBLES & 3).astype(int)
    weights = np.where(NIBBLES & 4, -magnitude, magnitude)[0].T.reshape(4, 3, 1, 1)
    bias, multiplier, shift = np.array(FILTERS).T
    options = {"stride": (1, 1), "padding": (1, 0, 1, 0), "groups": 1, "zero_point": 9}
    sums = conv(GRAY, weights, bias, **options)
    return requantize(sums, multiplier=multiplier, shift=shift, zero_point=128, low=0, high=255)


@pytest.mark.promise(
    "the executor computes each operation, and refuses reads and writes that a chip must not do"
)
def test_conv_in_slices() -> None:
    found = run(finished(conv_stream()))
    assert len(np.unique(expected_conv())) > 10
    np.testing.assert_array_equal(found.maps["input"], GRAY)
    np.testing.assert_array_equal(found.maps["conv"], expected_conv())
    np.testing.assert_array_equal(found.answers, expected_conv())
    writes = found.steps[1]
    stored = {
        (int(c), int(r), int(x))
        for c, r, x in zip(*(writes.array(n) for n in ("cores", "rows", "columns")), strict=True)
    }
    kept = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (1, 3)]
    assert stored == {(core, row, x) for core, row in kept for x in range(WIDTH)}
    # Core 1 holds row 2 as its second row: bank (x + row) mod 2, address 8 + 1 * 2 + x div 2.
    for x, (bank, address) in enumerate([(0, 10), (1, 10), (0, 11)]):
        assert found.buffers[1, bank, address].tolist() == expected_conv()[0, 2, x].tolist()


def test_two_tiles_two_chunks() -> None:
    """The window in two tiles, in chunks of one vector."""
    halves = []
    for chunk in range(4):
        for part, masks in enumerate(([[1, 0, 0, 0]] * 2, [[1, 0, 0, 0]])):
            codes = np.zeros((1, 4, 4), np.uint8)
            codes[:, : len(masks)] = NIBBLES[:, 2 * part : 2 * part + len(masks)]
            header = {"cores": 3, "group": 0, "kernel_y": 2 * part, "kernel_x": 0}
            header |= {"channel_word": 0, "turn": chunk % 2, "first": 1 - part, "last": part}
            header |= {"last_group": 1, "filter_enable": 0b01010101}
            parameters = FILTERS if chunk == part == 0 else ()
            chosen = np.array(masks, bool)
            halves.append(
                encode_tile(header, masks=chosen, parameters=parameters, codes=codes, arch=TINY)
            )
    found = run(finished(conv_stream(*halves, chunk_vectors=1)))
    np.testing.assert_array_equal(found.answers, expected_conv())


def test_raw() -> None:
    stream = gray_stream()
    cores = core_fields(start_y=[0, 0], vectors=[1, 0])
    raw = {"raw": 1, "active_cores": 1, "output_width": 1, "output_end_row": 1, "padding_top": 0}
    fields = conv_fields(**raw, **cores, chunk_vectors=1, output_base=2, output_row_pitch=4)
    stream.step(Opcode.CONV, fields, {"layer": "answer", "memory": ANSWERS})
    stream.parts.append(tile(cores=1))
    stream.step(
        Opcode.STORE, {"words": 4, "index": 2, "space": 2, **EVERY_WORD}, {"memory": ANSWERS}
    )
    stream.step(Opcode.END, {}, {})
    found = run(stream.program(RAW))
    magnitude = (1 + (NIBBLES >> 3)) * 4 ** (NIBBLES & 3).astype(int)
    weights = np.where(NIBBLES & 4, -magnitude, magnitude)[0]
    sums = GRAY[0, :3, 0, 0].astype(int) @ weights + [entry.bias for entry in FILTERS]
    assert found.answers.ravel().tolist() == sums.tolist()


def color_stream() -> Stream:
    stream = Stream(TINY, (HEIGHT, WIDTH, 4))
    stream.load(IMAGE, pixel_bytes=4, pixel_channels=4)
    return stream


def color_program(stream: Stream, source=RESULT, inputs=("op",), **changes: int) -> Program:
    plan = finished(stream, source, inputs, **changes)
    return replace(
        plan,
        facts=replace(plan.facts, image=replace(plan.facts.image, pixel_bytes=4)),
    )


def simd_program(*packets: bytes, **changes: int) -> Program:
    stream = color_stream()
    fields = {**SIMD, **map_fields(IMAGE, "input"), **output_fields(RESULT), **changes}
    stream.step(Opcode.SIMD, fields, {"layer": "op", "output": RESULT})
    stream.parts += packets
    return color_program(stream)


def padded_windows(kernel: tuple[int, int], padding: tuple[int, ...], fill: int) -> np.ndarray:
    return windows(COLOR.astype(int), kernel=kernel, stride=(1, 1), padding=padding, fill=fill)


WINDOW = {"kernel_height": 3, "kernel_width": 3, "padding_top": 1, "padding_left": 1}
TAP_WEIGHTS = RNG.integers(-128, 128, (9, 4), np.int8)
TABLE = RNG.permutation(256).astype(np.uint8)
SCALE = {"multiplier": 40000, "shift": 17, "output_zero_point": 30}


def scaled(total: np.ndarray, multiplier=40000, shift=17, zero_point=30) -> np.ndarray:
    rounded = (total * multiplier + (1 << (shift - 1))) >> shift
    return (rounded + zero_point).clip(0, 255)


def test_maximum() -> None:
    found = run(simd_program(operation=Operation.MAXIMUM, **WINDOW, output_low=40), COLOR)
    wanted = padded_windows((3, 3), (1, 1, 1, 1), 0).max(axis=(3, 4)).clip(40)
    np.testing.assert_array_equal(found.answers, wanted)


def test_sum() -> None:
    bias = (-1000) % (1 << 32)
    changes = {**WINDOW, **SCALE, "bias": bias, "outside": 100}
    found = run(simd_program(operation=Operation.SUM, **changes), COLOR)
    wanted = padded_windows((3, 3), (1, 1, 1, 1), 100).sum(axis=(3, 4)) - 1000
    np.testing.assert_array_equal(found.answers, scaled(wanted))


def taps(cores: int = 3, count: int = 9) -> bytes:
    weights = TAP_WEIGHTS[:count]
    return encode_taps(cores=cores, parameters=FILTERS, weights=weights, arch=TINY)


def test_depthwise() -> None:
    changes = {**WINDOW, "outside": 3, "output_zero_point": 30}
    found = run(simd_program(taps(), operation=Operation.DEPTHWISE, **changes), COLOR)
    seen = padded_windows((3, 3), (1, 1, 1, 1), 3)
    bias, multiplier, shift = np.array(FILTERS).T
    total = (seen * TAP_WEIGHTS.reshape(3, 3, 4)).sum(axis=(3, 4)) + bias
    wanted = scaled(total, multiplier, shift)
    np.testing.assert_array_equal(found.answers, wanted)


@pytest.mark.parametrize("broadcast", [0, 1])
def test_multiply(broadcast: int) -> None:
    changes = {**SCALE, "shift": 22, "first_zero_point": 20, "second_zero_point": 99}
    # Both cores hold row 1: it is the first one of a map whose image begins there.
    base = {**map_fields(IMAGE, "second"), "second_broadcast": broadcast}
    if broadcast:
        base |= {"second_base": IMAGE.base, **core_fields(start_y=[0, 0], vectors=[4, 0])}
        base |= {"active_cores": 1, "output_end_row": 2}
    program = simd_program(operation=Operation.MULTIPLY, **changes, **base)
    b = COLOR[:, :1, :1] if broadcast else COLOR
    wanted = scaled((COLOR.astype(int) - 20) * (b.astype(int) - 99), shift=22)
    if broadcast:
        with pytest.raises(ExecutionError, match="reads word 0 of row 2"):
            run(program, COLOR)
        return
    np.testing.assert_array_equal(run(program, COLOR).answers, wanted)


def test_add() -> None:
    changes = {**SCALE, "bias": 50000, "first_zero_point": 20}
    changes |= map_fields(IMAGE, "second") | {"second_zero_point": 99}
    found = run(simd_program(operation=Operation.ADD, **changes), COLOR)
    total = (COLOR.astype(int) - 20) * 40000 + (COLOR.astype(int) - 99) * 50000
    np.testing.assert_array_equal(found.answers, scaled(total, 1))


def test_table() -> None:
    packet = encode_table(cores=3, entries=TABLE, arch=TINY)
    found = run(simd_program(packet, operation=Operation.TABLE), COLOR)
    np.testing.assert_array_equal(found.answers, TABLE[COLOR])


def test_rotate_and_enable() -> None:
    """Two copies fill one word: bytes 1 to 3, then byte 0."""
    stream = color_stream()
    whole = {**copy_fields(IMAGE), **output_fields(RESULT), "to_memory": 0, "rotate": 1}
    for first, end in ((1, 4), (0, 1)):
        fields = {**whole, "enable_first": first, "enable_end": end}
        stream.step(Opcode.SIMD, fields, {"layer": "op", "output": RESULT})
    found = run(color_program(stream), COLOR)
    np.testing.assert_array_equal(found.answers, np.roll(COLOR, 1, axis=3))


def test_sums_and_planes() -> None:
    """A global mean in two steps: sums of each row, then their sum."""
    between = placement(TINY, base=16, row_pitch=2, first=[0, 0], rows=[4, 4])
    stream = color_stream()
    rows = {**SIMD, **map_fields(IMAGE, "input"), **output_fields(between), "kernel_width": WIDTH}
    rows |= {"operation": Operation.SUM, "sums": 1, "output_width": 1}
    rows |= core_fields(vectors=[2, 2])
    plan = {"layer": "pool", "output": between, "whole_words": False}
    stream.step(Opcode.SIMD, rows, plan)
    last = placement(TINY, base=24)
    fields = {**SIMD, **map_fields(between, "input"), **output_fields(last), **SCALE, "planes": 1}
    fields |= {"operation": Operation.SUM, "kernel_height": HEIGHT, "kernel_width": 3}
    fields |= {"output_width": 1, "output_end_row": 1, "active_cores": 1}
    fields |= core_fields(start_y=[0, 0], vectors=[1, 0])
    stream.step(
        Opcode.SIMD, fields, {"layer": "pool", "output": last, "rows": (0, 1), "inputs": []}
    )
    one = {"output_width": 1, "output_end_row": 1, "active_cores": 1}
    one |= core_fields(start_y=[0, 0], vectors=[1, 0])
    plan = {"layer": "answer", "inputs": ["pool"], "memory": ANSWERS}
    stream.step(Opcode.SIMD, copy_fields(last, **one), plan)
    stream.finish(ANSWERS, words=1)
    answer = replace(BYTES, shape=(1, 1, 4), size=4)
    program = stream.program(answer)
    image = replace(program.facts.image, pixel_bytes=4)
    found = run(replace(program, facts=replace(program.facts, image=image)), COLOR)
    wanted = scaled(COLOR.astype(int).sum(axis=(1, 2)))
    np.testing.assert_array_equal(found.answers[:, 0, 0], wanted)


def test_packed_windows() -> None:
    """A word holds 4 neighbouring pixels, at stride 2, from one pixel left of the row on."""
    place = placement(TINY)
    stream = Stream(TINY, (HEIGHT, WIDTH, 1))
    window = {"window_pixels": 4, "window_stride": 2, "window_padding": 1, "window_value": 7}
    stream.load(place, **window, columns=2)
    stream.step(
        Opcode.SIMD,
        copy_fields(place, output_row_pitch=2, output_width=2) | core_fields(vectors=[2, 2]),
        {"layer": "answer", "memory": ANSWERS},
    )
    stream.finish(ANSWERS, words=8)
    found = run(stream.program(replace(BYTES, shape=(HEIGHT, 2, 4), size=32)))
    padded = np.pad(GRAY[0, :, :, 0], ((0, 0), (1, 2)), constant_values=7)
    wanted = np.stack([padded[:, :4], padded[:, 2:6]], axis=1)
    np.testing.assert_array_equal(found.answers[0], wanted)
    assert "input" not in found.maps
