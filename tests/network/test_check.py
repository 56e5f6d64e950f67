"""A network whose graph contradicts itself is refused: the field, the allowed, the given."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.network import MapQuantization
from hwgen.network.check import check_network
from hwgen.network.decoding import decode
from hwgen.network.graph import KINDS
from tests.network.changes import (
    ADD,
    BYTES,
    CONV,
    HEAD,
    JOINED,
    MEAN,
    MODES,
    MOVED,
    PIECES,
    POOL,
    TOKENS,
    Change,
    changed,
    check_sentence,
    factors,
    graphed,
    named,
    refused,
    with_output,
    with_values,
)
from verif.dbpim.decoders import drawn_decoder, drawn_shape
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.recurrent import streaming


def test_the_networks_of_these_tests_hold_every_kind() -> None:
    step = decode(drawn_decoder(1, drawn_shape(np.random.default_rng(1))))
    networks = (BYTES, MODES, JOINED, MOVED, TOKENS, PIECES, step, streaming(1))
    for network in networks:
        check_network(network, source="here")
    ops = {layer.op for network in networks for layer in network.layers}
    assert ops == set(KINDS)


SENTENCES: list[tuple[Change, str]] = [
    (
        lambda: graphed(BYTES, outputs=("nobody",)),
        "outputs must be names of layers, got nobody",
    ),
    (lambda: graphed(BYTES, outputs=("input",)), "outputs must be names of layers, got input"),
    (
        lambda: graphed(BYTES, outputs=(HEAD, HEAD)),
        f"outputs must be each once, got ['{HEAD}', '{HEAD}']",
    ),
    (
        lambda: graphed(BYTES, class_names=["one"]),
        "class_names must be empty or 3 names, got 1 names",
    ),
    (
        lambda: graphed(MODES, modes=("a", "b", "a")),
        "modes must be names of their own, got ['a', 'b', 'a']",
    ),
    (
        lambda: graphed(MODES, modes=("a", "b")),
        "input.quantization must be one entry for each of 2 modes, got 3 entries",
    ),
    (
        lambda: graphed(
            BYTES,
            input=replace(
                BYTES.graph.input,
                bits=32,
                quantization=(MapQuantization(scale=1.0, zero_point=0, low=0, high=0),),
            ),
        ),
        "input.bits must be from 1 to 16, got 32",
    ),
    *(
        (
            lambda name=name: changed(BYTES, POOL, name=name),
            f"layer name must be new, of letters, digits, _ . and -, and not `input`, got {name}",
        )
        for name in ("conv_0", "input", "a/b", "", "é")
    ),
    (
        lambda: changed(BYTES, POOL, inputs=("nobody",)),
        "max_pool_3.inputs must be among input, conv_0, conv_1, add_2, got nobody",
    ),
    (
        lambda: changed(BYTES, "conv_1", inputs=("conv_4",)),
        "conv_1.inputs must be among input, conv_0, got conv_4",
    ),
    (
        lambda: changed(BYTES, ADD, inputs=("conv_0",)),
        "add_2.inputs must be 2 of them, got ['conv_0']",
    ),
    (
        lambda: changed(JOINED, named(JOINED, "concatenate"), inputs=("conv_0",)),
        "concatenate_2.inputs must be at least 2 of them, got ['conv_0']",
    ),
    (
        lambda: with_output(BYTES, CONV, bits=17),
        "conv_0.output.bits must be from 1 to 16, 32 or 64, got 17",
    ),
    (
        lambda: with_output(BYTES, CONV, bits=6),
        "conv_0.output.quantization.0.high must be at most 63, got 255",
    ),
    (
        lambda: with_values(BYTES, CONV, low=250, high=249),
        "conv_0.output.quantization.0.low must be at most conv_0.output.quantization.0.high (249),"
        " got 250",
    ),
    (
        lambda: with_values(BYTES, HEAD, zero_point=1),
        "linear_6.output.quantization.0.zero_point must be at most 0, got 1",
    ),
    (
        lambda: with_output(BYTES, POOL, mode_channels=(8, 4)),
        "max_pool_3.output.mode_channels must be 1 entries, the first and largest channels (8),"
        " got [8, 4]",
    ),
    (
        lambda: with_output(MODES, "conv_0", mode_channels=(6, 10, 3)),
        "conv_0.output.mode_channels must be 3 entries, the first and largest channels (10),"
        " got [6, 10, 3]",
    ),
    (
        lambda: with_output(MODES, "conv_0", mode_channels=(10, 10, 10)),
        "conv_0.output.mode_channels must be empty where every mode has all channels,"
        " got [10, 10, 10]",
    ),
    (lambda: with_output(BYTES, CONV, height=7), "conv_0.output must be (6, 6, 8), got (7, 6, 8)"),
    (lambda: with_output(BYTES, ADD, channels=9), "add_2.output must be (6, 6, 8), got (6, 6, 9)"),
    (
        lambda: with_output(BYTES, POOL, width=2),
        "max_pool_3.output must be (3, 3, 8), got (3, 2, 8)",
    ),
    (
        lambda: with_output(BYTES, POOL, bits=32, quantization=raw_values()),
        "max_pool_3.output.bits must be from 1 to 16, got 32",
    ),
    (
        lambda: changed(BYTES, MEAN, kernel=(4, 2)),
        "average_pool_5 window must be inside its input (3, 3, 8), got a larger one",
    ),
    (
        lambda: changed(BYTES, ADD, inputs=("conv_1", "input")),
        "add_2 inputs must be of one shape, got (6, 6, 8) and (6, 6, 3)",
    ),
    (
        lambda: with_values(BYTES, POOL, zero_point=10),
        "max_pool_3.output.quantization.0 must be with scale and zero point of its input,"
        " got others",
    ),
    (
        lambda: with_values(BYTES, POOL, low=10),
        "max_pool_3.output.quantization.0 range must be at least as wide as its input's, 9 to 240,"
        " got 10 to 240",
    ),
    (
        lambda: changed(
            BYTES, POOL, padding=(1, 3, 1, 0), output=replace(BYTES.map_of(POOL), width=4)
        ),
        "max_pool_3.padding must be below its kernel [3, 3] on every side, got [1, 3, 1, 0]",
    ),
    (
        lambda: changed(BYTES, ADD, requantization=(factors(1 << 15),)),
        "add_2.requantization.0.multipliers must be 2 long, got [32768]",
    ),
    (
        lambda: changed(BYTES, ADD, requantization=(factors(32767, 5),)),
        "add_2.requantization.0.multipliers must be such that the largest is from 32768 to"
        " 2147483647, got [32767, 5]",
    ),
    (
        lambda: changed(BYTES, MEAN, requantization=(factors(1 << 15), factors(1 << 15))),
        "average_pool_5.requantization must be one entry for each of 1 modes, got 2",
    ),
]


ROUNDINGS: list[tuple[Change, str]] = [
    (
        lambda: changed(BYTES, ADD, rounding="tflite"),
        "add_2.requantization.0.multipliers must be 3 long, got ",
    ),
    (
        lambda: changed(BYTES, ADD, operand_shifts=((31, 31),)),
        "add_2.operand_shifts must be 0 pairs, of a and b, got 1",
    ),
    (
        lambda: changed(MOVED, "add_3", operand_shifts=()),
        "add_3.operand_shifts must be 1 pairs, of a and b, got 0",
    ),
    (
        lambda: changed(MOVED, "add_3", operand_shifts=((31, 63),)),
        "add_3.operand_shifts must be from 31 to 62, got [31, 63]",
    ),
    (
        lambda: changed(MOVED, "add_3", operand_shifts=()),
        "add_3.operand_shifts must be 1 pairs, of a and b, got 0",
    ),
    (
        lambda: changed(BYTES, ADD, operand_shifts=((31, 31),)),
        "add_2.operand_shifts must be 0 pairs, of a and b, got 1",
    ),
    (
        lambda: changed(BYTES, CONV, rounding="tflite"),
        "conv_0.multiplier must be from 536870912 to 2147483647, got ",
    ),
    (
        lambda: changed(BYTES, HEAD, rounding="tflite"),
        "linear_6.rounding must be half_up, as of every raw output, got tflite",
    ),
    (
        lambda: changed(MODES, "conv_5", rounding="float32"),
        "conv_5.rounding must be half_up where maps or weights have over 8 bits, got float32",
    ),
    (
        lambda: changed(BYTES, MEAN, center=256),
        "average_pool_5.center must be an integer of both maps, got 256",
    ),
    (
        lambda: changed(MOVED, "average_pool_1", divisor="window"),
        "average_pool_1.requantization.0.multipliers must be 1 long, got ",
    ),
    (
        lambda: changed(MOVED, "transpose_10", order=(1, 1, 2)),
        "transpose_10.output must be (16, 16, 2), got (2, 7, 16)",
    ),
    (
        lambda: graphed(TOKENS, version=3),
        "version must be 4, the oldest that has all kinds of layers, got 3",
    ),
    (
        lambda: graphed(BYTES, version=4),
        "version must be 3, the oldest that has all kinds of layers, got 4",
    ),
    (
        lambda: with_output(changed(TOKENS, "matmul_9", groups=5), "matmul_9", channels=60),
        "matmul_9.groups must be a divisor of the channels of its inputs (16 and 16), got 5",
    ),
    (
        lambda: changed(TOKENS, "matmul_11", inputs=("conv_6", "conv_8")),
        "the channels of the first input of matmul_11 must be 24, one for each pixel of the"
        " second and each group, got 16",
    ),
    (
        lambda: with_output(TOKENS, "matmul_9", channels=25),
        "matmul_9.output must be (4, 3, 24), got (4, 3, 25)",
    ),
    (
        lambda: changed(TOKENS, "softmax_10", groups=5),
        "softmax_10.groups must be a divisor of its channels (24), got 5",
    ),
    (
        lambda: with_output(TOKENS, "softmax_10", bits=9),
        "softmax_10.bits must be at most 8, got 9",
    ),
    (
        lambda: changed(TOKENS, "stack_4", inputs=("constant_3", "conv_6")),
        "stack_4.inputs must be among input, conv_0, constant_1, add_2, constant_3, got conv_6",
    ),
    (
        lambda: with_output(MOVED, "reshape_11", height=5),
        "reshape_11.output must be of 224 elements, got (5, 1, 16)",
    ),
]


@pytest.mark.parametrize(("network", "sentence"), ROUNDINGS)
def test_roundings_and_moves(network: Change, sentence: str) -> None:
    check_sentence(network, sentence)


def raw_values() -> tuple[MapQuantization, ...]:
    return (MapQuantization(scale=1.0, zero_point=0, low=0, high=0),)


@pytest.mark.promise("a network that contradicts itself, in any field of any kind, is one sentence")
@pytest.mark.parametrize(("network", "sentence"), SENTENCES)
def test_contradictions(network: Change, sentence: str) -> None:
    check_sentence(network, sentence)


def test_the_image_means_the_same_in_all_modes() -> None:
    values = list(MODES.graph.input.quantization)
    values[1] = replace(values[1], scale=9.0)
    image = replace(MODES.graph.input, quantization=tuple(values))
    sentence = "input.quantization must be equal in all modes, got several"
    assert refused(graphed(MODES, input=image)) == sentence


def test_raw_sums_are_read_by_nobody() -> None:
    pool = next(layer for layer in BYTES.layers if layer.name == POOL)
    after = replace(pool, name="after", inputs=(HEAD,))
    sentence = "after.inputs must be requantized maps, got the raw sums of linear_6"
    assert refused(graphed(BYTES, layers=[*BYTES.layers, after])) == sentence


def test_concatenation_breaks_prefixes() -> None:
    first = MODES.layers[0]
    joined = KINDS["concatenate"](
        name="joined",
        op="concatenate",
        inputs=(first.name, first.name),
        output=replace(first.output, channels=20, mode_channels=(20, 12, 6)),
        source="",
    )
    sentence = "joined must be in a network of one mode (prefixes break), got 3"
    assert refused(graphed(MODES, layers=[first, joined, *MODES.layers[1:]])) == sentence


@pytest.mark.parametrize("name", DIRECTED)
def test_directed_networks_hold(name: str) -> None:
    check_network(directed(name), source="here")
