"""A netlist that follows waves computes what the Verilog computes, and counts its changes."""

import random
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.sim.cache import ENVIRONMENT
from hwgen.physical.activity import activity_of
from hwgen.physical.flat import Flattener
from hwgen.physical.modules import Modules, sources_of
from hwgen.physical.netlist import Gate, Placed
from hwgen.physical.power import energy_pj
from hwgen.physical.read_library import load_library
from tests.physical.library import liberty, written
from tests.physical.test_modules import LIBERTY, LIBRARY, emitted
from tests.physical.test_timing import A, D, Q, flip_flop, netlist
from tests.tiny import Cells


@pytest.mark.dear
@pytest.mark.promise(
    "a netlist that follows inputs computes what the Verilog computes; without work multipliers"
    " take little energy"
)
def test_a_toggle_by_hand(tmp_path: Path) -> None:
    library, _ = load_library(written(tmp_path, liberty()))
    given = netlist(flip_flop("f", A, Q), Gate("i", "INV", {"A": Q, "Z": A}), outputs={"out": [Q]})
    flattener = Flattener(library, lambda _: given, lambda _: "part")
    flat = flattener.whole("top")
    found = activity_of(flat, flattener.order, np.zeros((10, 0), dtype=np.uint8))
    assert found.outputs[:, 0].tolist() == [0, 1] * 5
    # The inverter settles once at the start; then register and inverter change in each cycle.
    register, inverter, clock = 10, 10, 10 * 2
    load = 0.01 / 2  # pF V^2 of a change: both nets drive one input
    expected = (register + inverter + clock) * load
    assert energy_pj(flat, found, library) == {"part": pytest.approx(expected)}


@pytest.mark.dear
def test_a_net_that_several_ports_show(tmp_path: Path) -> None:
    # Inside, two outputs show the register, and a third one passes the input.
    library, _ = load_library(written(tmp_path, liberty()))
    inner = netlist(
        flip_flop("f", D, Q), inputs={"d": [D]}, outputs={"one": [Q], "two": [Q], "same": [D]}
    )
    given, one, two, same, odd = range(10, 15)
    top = netlist(
        Gate("x", "NAND", {"A": two, "B": same, "Z": odd}),
        inputs={"d": [given]},
        outputs={"one": [one], "two": [two], "same": [same], "odd": [odd]},
        placed=[Placed("p", "i", {"d": [given], "one": [one], "two": [two], "same": [same]})],
    )
    flattener = Flattener(library, lambda name: inner if name == "i" else top, lambda _: "part")
    flat = flattener.whole("top")
    found = activity_of(flat, flattener.order, np.array([[1], [0], [1], [1]], dtype=np.uint8))
    assert found.outputs.tolist() == [[0, 0, 1, 1], [1, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 0]]
    # The register drives what reads any of its ports: a clock of four cycles, three changes.
    assert found.changes[flat.outputs["one"][0]] == 3
    register = 4 * 2 + 3
    assert energy_pj(flat, found, library) == {"part": pytest.approx(register * 0.01 / 2)}


@pytest.mark.dear
def test_a_memory_with_its_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    manifest, texts = emitted(Cells(), tmp_path / "rtl")
    modules = Modules(sources_of(manifest, texts, ()), LIBRARY, LIBERTY, builds=tmp_path / "builds")
    flattener = Flattener(LIBRARY, modules.netlist, lambda _: "cells")
    flat = flattener.whole("tiny_cells")
    draw, words, expected, rows = random.Random(1), [0] * 4, [0], []
    for _ in range(200):
        one = {
            "rst": 0,
            "write_en": draw.getrandbits(1),
            "write_row": draw.randrange(4),
            "write_data": draw.getrandbits(8),
            "read_row": draw.randrange(4),
        }
        rows.append(
            [one[port] >> bit & 1 for port, bits in flat.inputs.items() for bit in range(len(bits))]
        )
        expected.append(words[one["read_row"]])
        if one["write_en"]:
            words[one["write_row"]] = one["write_data"]
    found = activity_of(flat, flattener.order, np.array(rows, dtype=np.uint8))
    shown = [sum(int(bit) << place for place, bit in enumerate(row)) for row in found.outputs]
    assert shown == expected[:-1]
