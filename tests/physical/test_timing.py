"""Static timing gives what a person gets by hand, and models of modules add up."""

from pathlib import Path

import pytest

from hwgen.errors import DesignError
from hwgen.physical.cells import Library
from hwgen.physical.netlist import Gate, Memory, Netlist, Placed, with_buffers
from hwgen.physical.read_library import load_library
from hwgen.physical.timing import timing_model
from hwgen.physical.timing_model import boundary_of, memory_ns
from tests.physical.library import liberty, written

CLK, D, Q, A, B, OUT, NEXT = range(7)
REGISTER = 0.1
"""Of a flip-flop and of a gate without load; 1 ns a pF on top, 0.01 pF an input."""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return load_library(written(tmp_path, liberty()))[0]


def flip_flop(name: str, d: int, q: int) -> Gate:
    return Gate(name, "DFF", {"D": d, "Q": q, "CK": CLK})


def netlist(*gates: Gate, **fields: object) -> Netlist:
    given = {
        "inputs": {"clk": [CLK]},
        "outputs": {},
        "memories": [],
        "placed": [],
        "names": {Q: "first[0]", OUT: "last"},
        **fields,
    }
    return Netlist(name="top", gates=gates, **given)  # type: ignore[arg-type]


@pytest.mark.promise(
    "static timing gives what a person gets by hand, and within 5 % what OpenSTA gets (Debian's"
    " opensta)"
)
def test_a_path_by_hand(library: Library) -> None:
    # first -> inverter -> last: two delays of 0.1 with an input of 0.01 pF each, and the setup time
    model = timing_model(
        netlist(flip_flop("f", OUT, Q), Gate("i", "INV", {"A": Q, "Z": A}), flip_flop("l", A, OUT)),
        library,
        {},
    )
    slowest = model.paths[0]
    assert slowest.ns == pytest.approx(2 * (REGISTER + 0.01) + 0.02)
    assert (slowest.start, slowest.end) == ("top.first", "top.last")


def test_ports_have_arcs_launches_and_captures(library: Library) -> None:
    model = timing_model(
        netlist(
            Gate("n", "NAND", {"A": D, "B": Q, "Z": OUT}),
            flip_flop("f", A, Q),
            inputs={"clk": [CLK], "d": [D, A]},
            outputs={"out": [OUT]},
        ),
        library,
        {},
    )
    load = boundary_of(library).load
    (arcs,) = model.arcs
    assert [(arcs.source, arcs.target)] == [("d", "out")]
    assert arcs.exact == ((0, 0, pytest.approx(0.1 + load)),)
    assert model.outputs["out"].launch == [pytest.approx(REGISTER + 0.01 + 0.1 + load)]
    assert model.inputs["d"].capture[1] == pytest.approx(0.02)
    assert model.inputs["d"].ends[0] is None
    assert model.inputs["d"].capacitance == [pytest.approx(0.01)] * 2


def test_models_add_up(library: Library) -> None:
    # The same path once flat and once with its inverter in a module of its own.
    inner = netlist(Gate("i", "INV", {"A": D, "Z": OUT}), inputs={"d": [D]}, outputs={"out": [OUT]})
    models = {"inner": timing_model(inner, library, {})}
    registers = (flip_flop("f", OUT, Q), flip_flop("l", A, OUT))
    whole = timing_model(netlist(*registers, Gate("i", "INV", {"A": Q, "Z": A})), library, {})
    parts = timing_model(
        netlist(*registers, placed=[Placed("p", "inner", {"d": [Q], "out": [A]})]), library, models
    )
    assert parts.paths[0].ns == pytest.approx(whole.paths[0].ns)
    assert parts.paths[0].through == ("inner",)


def test_a_net_of_many_readers_gets_a_tree(library: Library) -> None:
    readers = [flip_flop(f"r{i}", Q, 100 + i) for i in range(101)]
    given = netlist(flip_flop("f", OUT, Q), *readers, outputs={"o": [100]})
    buffered = with_buffers(given, library, {})
    # Eleven buffers read by two, those by the net: 102 readers with the port's own flip-flop.
    assert buffered.buffers == 11 + 2
    slow = timing_model(buffered, library, {}).paths[0].ns
    fast = timing_model(given, library, {}).paths[0].ns
    # 101 inputs of 0.01 pF alone, against 2, 10 and 10 with two buffers in a row.
    assert fast == pytest.approx(0.1 + 1.01 + 0.02)
    assert slow == pytest.approx(0.1 + 0.02 + 2 * 0.2 + 0.02)


@pytest.mark.parametrize(("parts", "buffers"), [(1, 0), (2, 2), (12, 12 + 2)])
def test_a_port_is_as_heavy_as_the_inputs_that_read_it(
    library: Library, parts: int, buffers: int
) -> None:
    readers = [flip_flop(f"r{i}", D, 100 + i) for i in range(8)]
    part = timing_model(netlist(*readers, inputs={"clk": [CLK], "d": [D]}), library, {})
    assert part.readers == {"clk": [8], "d": [8]}
    placed = [Placed(f"p{i}", "part", {"clk": [CLK], "d": [Q]}) for i in range(parts)]
    given = netlist(flip_flop("f", OUT, Q), placed=placed)
    buffered = with_buffers(given, library, {"part": part.readers})
    # A buffer for each port of eight inputs; of twelve of these two more.
    assert buffered.buffers == buffers
    assert with_buffers(given, library, {"part": {"d": [1]}}).buffers == (2 if parts == 12 else 0)


def test_memories_are_macros(library: Library) -> None:
    memory = Memory("m", 64, 1, reads=[(False, [Q], [], [A])], writes=[([Q], [], [])])
    model = timing_model(
        netlist(flip_flop("f", OUT, Q), flip_flop("l", A, OUT), memories=[memory]), library, {}
    )
    read = memory_ns(64, boundary_of(library))
    pins = 2 * boundary_of(library).load / 4
    assert model.paths[0].ns == pytest.approx(REGISTER + pins + read + 0.02)


def test_a_loop_is_one_sentence(library: Library) -> None:
    loop = [Gate("a", "INV", {"A": A, "Z": B}), Gate("b", "INV", {"A": B, "Z": A})]
    with pytest.raises(DesignError, match="top must have no loop without a register, got one"):
        timing_model(netlist(*loop), library, {})
