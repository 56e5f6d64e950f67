"""A program holds the cells that the reference encodes, and the numbers of the network."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from golden.crossbar.encoding import encode
from hwgen.crossbar.compiler.compile import maps_of_layers, unstored
from hwgen.crossbar.compiler.lowering import Lowering
from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.columns import columns_of
from hwgen.crossbar.facts.holdings import Holding
from hwgen.crossbar.facts.image_io import HEADER_BEATS, packed_image
from hwgen.crossbar.facts.loads import (
    CHANNEL_FIELDS,
    COLUMN_FIELDS,
    LIMITS_FIELDS,
    OPERANDS_FIELDS,
    TABLE_FIELDS,
    load_targets,
)
from hwgen.crossbar.facts.packets import HEADER_FIELDS
from hwgen.crossbar.facts.registers import VERSION
from hwgen.crossbar.facts.routes import load_number
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from verif.common.drawing import Drawing
from verif.crossbar.macro_case import Loaded, MacroCase, column_entry

BEAT_BITS = 64
Packet = tuple[dict[str, int], int]
"""Fields of the header, and the flits behind it as one number."""


def network() -> QuantizedNetwork:
    """Return a network with every kind of layer that a macro computes."""
    drawing = Drawing(7, modes=("full",), shape=(5, 5, 4))
    around = (1, 1, 1, 1)
    first = drawing.conv("input", (6,), kernel=(3, 3), padding=around)
    second = drawing.conv(first, (6,), kernel=(3, 3), padding=around, groups=2)
    added = drawing.add(second, first)
    moved = drawing.max_pool(added, kernel=(2, 2), stride=(1, 1), padding=(0, 0, 0, 0))
    mean = drawing.average_pool(moved, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0))
    return drawing.build(drawing.linear(mean, (5,), bits=32))


@pytest.fixture(scope="module")
def drawn() -> QuantizedNetwork:
    return network()


@pytest.fixture(scope="module")
def chip(drawn: QuantizedNetwork) -> Chip:
    layers = crossbar_network(drawn).layers
    return MacroCase(layers=layers, copies=(3, 2, 2, 2, 1, 1), side=16, raw=True).chip


def fields_of(word: int, layout: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """Return the fields of an entry, unsigned."""
    found = {}
    for name, bits in layout:
        found[name] = word & ((1 << bits) - 1)
        word >>= bits
    return found


def packets(program: np.ndarray) -> Iterator[Packet]:
    """Yield the packets of a program."""
    beats = [int(beat) for beat in program[HEADER_BEATS:]]
    while beats:
        header = fields_of(beats[0], HEADER_FIELDS)
        count = header["count"]
        yield header, sum(beat << (BEAT_BITS * k) for k, beat in enumerate(beats[1 : count + 1]))
        beats = beats[count + 1 :]


@pytest.mark.promise(
    "a program holds the cells that the reference encodes, and the numbers of the network"
)
def test_a_header_says_version_id_and_size(drawn: QuantizedNetwork, chip: Chip) -> None:
    program = Lowering(chip, drawn).program
    assert int(program[0]) == VERSION | chip.id_word << 32
    assert int(program[1]) == len(program) - HEADER_BEATS


def test_every_entry_comes_once_and_in_order(drawn: QuantizedNetwork, chip: Chip) -> None:
    found = [
        (header["travel"], header["target"], header["index"], header["count"])
        for header, _ in packets(Lowering(chip, drawn).program)
    ]
    assert found == [
        (load_number(chip, 0), target.number, index, target.flits)
        for target in load_targets(chip, 0)
        for index in range(target.entries)
    ]


def test_cells_are_those_of_the_reference(drawn: QuantizedNetwork, chip: Chip) -> None:
    """The first layer: rows in the order of kernel row, kernel column, channel."""
    layer, weights = chip.layers[0], drawn.parameters["conv_0"].weights.astype(np.int64)
    assert layer.cut is not None
    rows = weights.reshape(len(weights), -1).T
    column_target = next(t for t in load_targets(chip, 0) if (t.layer, t.kind) == (0, "column"))
    words = {
        header["index"]: word
        for header, word in packets(Lowering(chip, drawn).program)
        if header["target"] == column_target.number
    }
    flipped = 0
    for index, column in enumerate(columns_of(layer.cut, holding_of(chip))):
        tile = rows[column.row_tile * chip.side : (column.row_tile + 1) * chip.side]
        stored = encode(tile, weight_bits=chip.weight_bits, cell_bits=chip.cell_bits)
        fields, cells = fields_of(words[index], COLUMN_FIELDS), words[index] >> BEAT_BITS
        assert fields["flip"] == stored.flips[column.cell_slice, column.channel]
        flipped += fields["flip"]
        for row, cell in enumerate(stored.cells[column.cell_slice, :, column.channel].tolist()):
            planes = [cells >> (plane * chip.side + row) & 1 for plane in range(chip.cell_bits)]
            assert sum(bit << plane for plane, bit in enumerate(planes)) == cell
    assert 0 < flipped < len(words)


def holding_of(chip: Chip) -> Holding:
    """Return what the macro holds of the first layer."""
    held = chip.layers[0].held[0]
    copies, tiles = range(*held.copies), range(*held.row_tiles)
    return Holding(macro=0, copies=copies, row_tiles=tiles)


def test_numbers_are_those_of_the_network(drawn: QuantizedNetwork, chip: Chip) -> None:
    """Limits of the first layer, and the operands of the addition by position."""
    targets = {t.number: t for t in load_targets(chip, 0)}
    first, _, added, *_ = drawn.graph.layers
    values = first.output.quantization[0]
    for header, word in packets(Lowering(chip, drawn).program):
        target = targets[header["target"]]
        if (target.layer, target.kind) == (0, "limits"):
            assert fields_of(word, LIMITS_FIELDS) == {
                "input_zero": drawn.graph.input.quantization[0].zero_point,
                "zero_point": values.zero_point,
                "low": values.low,
                "high": values.high,
            }
        if target.kind == "operands":
            fields = fields_of(word, OPERANDS_FIELDS)
            factors = added.requantization[0].multipliers  # type: ignore[union-attr]
            assert (fields["multiplier_a"], fields["multiplier_b"]) == factors
            assert fields["zero_b"] == values.zero_point


def test_channels_have_what_scales_their_sums(drawn: QuantizedNetwork, chip: Chip) -> None:
    """Bias, multiplier and shift of every kind of layer, from the numbers of the file."""
    targets = {t.number: t for t in load_targets(chip, 0)}
    kinds = set()
    for header, word in packets(Lowering(chip, drawn).program):
        target = targets[header["target"]]
        if target.kind != "channel":
            continue
        own, index = drawn.graph.layers[target.layer], header["index"]
        kinds.add(own.op)
        bias, (multiplier, shift) = 0, (1 << 15, 15)
        if own.op in ("conv", "linear"):
            given = drawn.parameters[own.name]
            bias = int(given.bias[0, index])
            if own.op == "conv":
                multiplier, shift = int(given.multiplier[0, index]), int(given.shift[0, index])
        elif own.op != "max_pool":
            entry = own.requantization[0]  # type: ignore[union-attr]
            multiplier, shift = (1 if own.op == "add" else entry.multipliers[0]), entry.shift
        fields = fields_of(word, CHANNEL_FIELDS)
        assert fields == {"bias": bias % (1 << 64), "multiplier": multiplier, "shift": shift}
    assert kinds == {"conv", "linear", "max_pool", "average_pool", "add"}


def test_a_column_says_where_it_is_converted_and_added(drawn: QuantizedNetwork, chip: Chip) -> None:
    number = next(t.number for t in load_targets(chip, 0) if (t.layer, t.kind) == (0, "column"))
    lanes, units, first = chip.macros[0].adcs, 0, set()
    for header, word in packets(Lowering(chip, drawn).program):
        if header["target"] != number:
            continue
        fields = fields_of(word, COLUMN_FIELDS)
        assert fields["slot"] * lanes + fields["lane"] == header["index"]
        assert fields["lane"] < lanes
        assert fields["first"] == (fields["target"] not in first)
        first.add(fields["target"])
        units = max(units, fields["unit"] + 1)
    held = chip.layers[0].held[0]
    assert (units, first) == (held.units, set(range(3 * 6)))


def joined_network() -> QuantizedNetwork:
    """Return a concatenation, and a convolution and a fully connected layer that read it."""
    drawing = Drawing(11, modes=("full",), shape=(4, 4, 3))
    around = (1, 1, 1, 1)
    first = drawing.conv("input", (3,), kernel=(3, 3), padding=around)
    second = drawing.conv(first, (4,), kernel=(3, 3), padding=around, like=first)
    both = drawing.concatenate(first, second)
    third = drawing.conv(both, (5,), kernel=(3, 3), padding=around)
    return drawing.build(drawing.linear(third, (4,), bits=32))


def test_a_table_holds_all_functions_behind_a_layer() -> None:
    network = table_network()
    layers = crossbar_network(network).layers
    chip = MacroCase(layers=layers, copies=(2, 1), raw=True).chip
    number = next(t.number for t in load_targets(chip, 0) if t.kind == "table")
    one, two = (network.tables[name][0] for name in sorted(network.tables))
    found = {
        header["index"]: fields_of(word, TABLE_FIELDS)["value"]
        for header, word in packets(Lowering(chip, network).program)
        if header["target"] == number
    }
    assert found == {element: int(two[one[element]]) for element in range(256)}


def test_maps_are_those_behind_the_tables() -> None:
    network = table_network()
    *_, last = sorted(network.tables)
    head = network.graph.layers[-1].name
    assert maps_of_layers(network) == [(last, True), (head, True)]
    drawing = Drawing(5, modes=("full",), shape=(4, 4, 3))
    first = drawing.conv("input", (3,))
    second = drawing.conv("input", (2,), like=first)
    table = drawing.table(drawing.concatenate(first, second))
    answer = drawing.linear(table, (4,), bits=32)
    network = drawing.build(answer)
    assert maps_of_layers(network) == [(first, False), (second, False), (answer, True)]
    joined = network.graph.layers[-2].inputs[0]
    whole = {name for name in unstored(network, None, None)}
    assert whole == {"input", first, second, joined, table}


def test_a_chip_without_a_table_refuses_one() -> None:
    network = table_network()
    layers = crossbar_network(network).layers
    plain = (replace(layers[0], activation="none"), *layers[1:])
    chip = MacroCase(layers=plain, copies=(2, 1), raw=True).chip
    with pytest.raises(ConfigError, match=r"conv_0 must be without a table, as case has none"):
        Lowering(chip, network)


def table_network() -> QuantizedNetwork:
    """Return two functions of one map, and who reads them."""
    drawing = Drawing(5, modes=("full",), shape=(4, 4, 3))
    table = drawing.table(drawing.table(drawing.conv("input", (3,))))
    return drawing.build(drawing.linear(table, (4,), bits=32))


def test_rows_behind_a_concatenation_stand_map_by_map() -> None:
    """Cells are those of the bench's own order of rows, in crossbars that cut maps anywhere."""
    network = joined_network()
    case = MacroCase(layers=crossbar_network(network).layers, copies=(2, 3, 2, 1), raw=True)
    chip, place = case.chip, 2
    assert chip.shares_of(place) == (3, 4)
    number = next(t.number for t in load_targets(chip, 0) if (t.layer, t.kind) == (place, "column"))
    loaded = Loaded(
        weights=network.parameters[chip.layers[place].layer.name].weights.astype(np.int64),
        **dict.fromkeys(("bias", "multiplier", "shift"), np.zeros(0, np.int64)),
        **dict.fromkeys(("input_zero", "zero_point", "low", "high"), 0),
    )
    for header, word in packets(Lowering(chip, network).program):
        if header["target"] == number:
            assert word == column_entry(case, place, loaded, header["index"], 0)


def test_shifts_beyond_those_of_the_chip_are_refused(drawn: QuantizedNetwork, chip: Chip) -> None:
    given = drawn.parameters["conv_0"]
    parameters = drawn.parameters | {"conv_0": replace(given, shift=given.shift * 0 + 50)}
    with pytest.raises(ConfigError, match=r"conv_0 must be shifts up to 47, got 50"):
        Lowering(chip, replace(drawn, parameters=parameters))


@pytest.mark.promise("what the chip does not compute is refused in one sentence")
def test_other_roundings_are_refused(drawn: QuantizedNetwork, chip: Chip) -> None:
    layers = list(drawn.graph.layers)
    layers[0] = replace(layers[0], rounding="float32")
    graph = replace(drawn.graph, layers=layers)
    with pytest.raises(ConfigError, match=r"conv_0.rounding must be half_up .*, got float32"):
        Lowering(chip, replace(drawn, graph=graph))


def test_an_image_is_packed_without_gaps(chip: Chip) -> None:
    image = np.arange(100, dtype=np.uint8).reshape(5, 5, 4)
    assert packed_image(chip, image) == bytes(range(100))
