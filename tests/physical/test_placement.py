"""Wires by hand, cells in their rows, sizing by load, and the clock of a placed macro."""

from itertools import pairwise
from pathlib import Path

import pytest

from hwgen.commands.placing import laid_out, wired
from hwgen.physical.cells import Library
from hwgen.physical.gates import Gates
from hwgen.physical.netlist import Gate, Memory, Netlist, Placed
from hwgen.physical.placement import Floor
from hwgen.physical.read_library import default_library, load_library
from hwgen.physical.sizing import resized
from hwgen.physical.timing import slowest_paths
from hwgen.physical.wires import NO_WIRES, WireTable, length_um, steiner, wire_table, wires_of
from tests.physical.library import liberty, written

CLK, D, Q, A, OUT = range(5)
ROOM = Floor(fill=0.5, aspect=1.0, seed=1)
TABLE = WireTable(
    format="hwgen.wires",
    version=1,
    library="t",
    row_um=2.0,
    site_um=0.5,
    ohm_a_um=10.0,
    pf_a_um=0.001,
    bit_um2=4.0,
    macro_um2=100.0,
    macro_bit_um2=1.0,
    source="made up",
)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return load_library(written(tmp_path, liberty()))[0]


def flip_flop(name: str, d: int, q: int) -> Gate:
    return Gate(name, "DFF", {"D": d, "Q": q, "CK": CLK})


def netlist(*gates: Gate, **fields: object) -> Netlist:
    given = {"inputs": {"clk": [CLK]}, "outputs": {}, "memories": [], "placed": [], "names": {}}
    return Netlist(name="top", gates=gates, **{**given, **fields})  # type: ignore[arg-type]


@pytest.mark.promise("hwgen cost --placed adds wires to the slowest path as a person does by hand")
def test_wires_by_hand(library: Library) -> None:
    # A driver at (0, 0), readers 30 um right and 10 um up: half the perimeter is 40 um, 0.04 pF.
    ends = {Q: [("right", (30.0, 0.0)), ("up", (0.0, 10.0))]}
    wires = wires_of(TABLE, {Q: (0.0, 0.0)}, ends)
    assert wires.um[Q] == 40 and wires.pf[Q] == pytest.approx(0.04)
    assert wires.ns(Q, "right", 0.01) == pytest.approx(10 * 30 / 2 * (0.03 + 0.01) * 1e-3)
    gates = flip_flop("f", OUT, Q), Gate("right", "INV", {"A": Q, "Z": A}), flip_flop("l", A, OUT)
    found = [slowest_paths(netlist(*gates), library, each)[0].ns for each in (NO_WIRES, wires)]
    assert found[1] - found[0] == pytest.approx(0.04 + wires.ns(Q, "right", 0.01))


def test_a_net_of_many_pins_is_longer_than_half_its_perimeter() -> None:
    assert length_um([(0.0, 0.0), (3.0, 4.0)]) == 7 and steiner(3) == 1
    factors = [steiner(pins) for pins in (4, 10, 49, 50, 100)]
    assert factors == sorted(factors) and 1.2 < factors[0] < 1.3 and 2 < factors[2] < 2.2


def test_memories_have_the_area_of_their_bits() -> None:
    assert (TABLE.memory_um2(10), TABLE.memory_um2(100)) == (40, 200)


def test_what_a_module_places_becomes_part_of_it() -> None:
    """Two instances of one module, and a net that one of them shows on two ports."""
    below = Netlist(
        name="below",
        inputs={"clk": [0], "d": [1]},
        outputs={"q": [2], "also": [2]},
        gates=[Gate("f", "DFF", {"CK": 0, "D": 1, "Q": 2})],
        memories=[],
        placed=[],
        names={2: "held"},
    )
    pins = [{"clk": [0], "d": [1], "q": [2], "also": [3]}, {"clk": [0], "d": [3], "q": [4]}]
    top = netlist(
        placed=[Placed(f"u{n}", "below", held) for n, held in enumerate(pins)],
        inputs={"clk": [0], "d": [1]},
        outputs={"q": [4], "middle": [2]},
    )
    found = Gates({"below": below, "top": top}.__getitem__).whole("top")
    first, second = found.gates
    assert (first.name, second.name) == ("u0.f", "u1.f")
    assert first.pins["Q"] == second.pins["D"] == found.outputs["middle"][0]
    assert second.pins["Q"] == found.outputs["q"][0]
    assert found.names[first.pins["Q"]] == "u0.held"


def chain(gates: int) -> Netlist:
    """Return registers in a ring of inverters, and a memory that the last of them reads."""
    nets = range(10, 10 + 2 * gates)
    cells = [
        cell
        for n in range(gates)
        for cell in (
            flip_flop(f"f{n}", nets[2 * n], nets[2 * n + 1]),
            Gate(f"i{n}", "INV", {"A": nets[2 * n + 1], "Z": nets[(2 * n + 2) % (2 * gates)]}),
        )
    ]
    words = Memory("cells", 4, 8, [(True, [nets[1]], [], [5])], [([nets[3]], [], [nets[5]])])
    return netlist(*cells, memories=[words], outputs={"out": [5]})


@pytest.mark.promise("hwgen cost --placed lays cells in rows, none on another, the same each time")
def test_cells_lie_in_rows(library: Library) -> None:
    pytest.importorskip("coloquinte")
    found = laid_out(chain(40), library, TABLE, ROOM).placement
    assert found == laid_out(chain(40), library, TABLE, ROOM).placement
    assert 0.8 < found.height / found.width < 1.25
    rows: dict[float, list[tuple[float, float]]] = {}
    for box in found.boxes:
        assert 0 <= box.x <= box.x + box.width <= found.width + 1e-6
        for row in range(round(box.y / 2), round((box.y + box.height) / 2)):
            rows.setdefault(row, []).append((box.x, box.x + box.width))
    assert all(a[1] <= b[0] + 1e-6 for row in rows.values() for a, b in pairwise(sorted(row)))
    assert found.boxes[-1].kind == "4 x 8" and found.boxes[-1].height > 2


def test_wires_run_between_the_places(library: Library) -> None:
    pytest.importorskip("coloquinte")
    made = laid_out(chain(20), library, TABLE, ROOM)
    again = wired(made.netlist, library, TABLE, made.placement)
    assert again == made.wires and CLK not in again.um
    first, second = (box.middle for box in made.placement.boxes[:2])
    way = abs(first[0] - second[0]) + abs(first[1] - second[1])
    assert again.um[13] == pytest.approx(way) or len(again.legs) > 40


@pytest.mark.promise("one pass of sizing gives a gate the smallest cell that drives its load")
def test_sizing_by_load() -> None:
    library, _ = load_library(default_library())
    inverter = next(name for name in library.cells if name.endswith("inv_1"))
    low, high = library.cells[inverter].inputs[0], library.cells[inverter].outputs[0]
    one = Netlist(
        name="top",
        inputs={"a": [0]},
        outputs={"z": [1]},
        gates=[Gate("i", inverter, {low: 0, high: 1})],
        memories=[],
        placed=[],
        names={},
    )
    drives = [resized(one, library, {1: pf}).gates[0].cell for pf in (0.0, 0.03, 0.06, 0.3)]
    areas = [library.cells[cell].area for cell in drives]
    assert drives[0] == inverter and areas == sorted(areas) and len(set(drives)) >= 3


def test_shipped_tables_name_their_library() -> None:
    found = wire_table(load_library(default_library())[0].name)
    assert found is not None and found.table.source and wire_table("cells of nobody") is None
