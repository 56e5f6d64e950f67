"""Programs of softmax and layer norm: what the row unit is sent, and what it does not run."""

import numpy as np
import pytest

from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.instructions import FLOAT_ENTRIES, ROW_PASSES, Opcode, Operation
from hwgen.dbpim.facts.stream import FloatsPacket, Reader, decode_stream, encode_floats
from hwgen.errors import CompileError, FormatError
from hwgen.network import INPUT, QuantizedNetwork
from tests.verif.dbpim.chips import chip_arch
from verif.common.drawing import Drawing

ROWS = chip_arch("small_rows")


def drawing_of(seed: int) -> Drawing:
    drawing = Drawing(seed, modes=("all",), shape=(3, 4, 5))
    drawing.rounding = "float32"
    return drawing


def norm_network(channels: int) -> QuantizedNetwork:
    drawing = drawing_of(1)
    return drawing.build(drawing.layer_norm(drawing.conv(INPUT, (channels,))))


def softmax_network(channels: int, groups: int) -> QuantizedNetwork:
    drawing = drawing_of(2)
    now = drawing.conv(INPUT, (channels,))
    return drawing.build(drawing.softmax(now, groups=groups, scale=0.1))


@pytest.mark.promise(
    "a softmax or a layer norm is sent its numbers, and refused in one sentence where the unit"
    " has no room for it"
)
def test_a_norm_is_sent_its_numbers() -> None:
    net = norm_network(24)
    packets = decode_stream(compile_network(net, ROWS, images=1).image, ROWS)
    (floats,) = (each for each in packets if isinstance(each, FloatsPacket))
    arrays = net.arrays_of(net.layers[-1].name)
    assert floats.numbers[:FLOAT_ENTRIES].tolist() == arrays["values"].tolist()
    pairs = floats.numbers[FLOAT_ENTRIES:].reshape(-1, 2)
    assert pairs[:, 0].tolist() == arrays["gamma"].tolist()
    assert pairs[:, 1].tolist() == arrays["beta"].tolist()
    eps, scale = arrays["constants"].tolist()
    fields = floats.fields
    assert (fields["operand"], fields["divisor"], fields["channels"]) == (eps, scale, 24)
    assert np.array([fields["count"]], np.uint32).view(np.float32)[0] == 24
    (step,) = (each for each in packets if each.fields.get("operation") == Operation.NORM)
    assert (step.fields["kernel_height"], step.fields["kernel_width"]) == (ROW_PASSES, 3)
    assert step.fields["bias"] == 24


@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (softmax_network(20, 2), r"channels of a group must be .*a multiple of 8, .*got 10$"),
        (norm_network(264), r"channels of a norm must be at most 256 on a dbpim chip, got 264$"),
    ],
    ids=["groups within words", "many channels"],
)
def test_one_sentence(net: QuantizedNetwork, sentence: str) -> None:
    with pytest.raises(CompileError, match=sentence):
        compile_network(net, ROWS, images=1)


def test_a_chip_without_the_unit_refuses_all_of_it() -> None:
    with pytest.raises(CompileError, match="no transformer's"):
        compile_network(norm_network(24), chip_arch("small"), images=1)
    fields = {"channels": 0, "operand": 0, "divisor": 0, "count": 0, "least": 1}
    numbers = np.zeros(FLOAT_ENTRIES, np.uint32)
    packet = encode_floats(cores=1, fields=fields, numbers=numbers, arch=ROWS)
    image = np.frombuffer(packet, np.uint8)
    assert Reader(image, ROWS).packet().opcode is Opcode.FLOATS
    with pytest.raises(FormatError, match="known packets, got opcode 0x13"):
        Reader(image, chip_arch("small")).packet()
