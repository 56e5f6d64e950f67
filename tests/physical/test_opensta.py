"""OpenSTA, an engine of other people, gets the same times from the same netlists."""

import json
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import emit
from hwgen.chip.rtl.write_engine import WriteEngine
from hwgen.commands.architectures import chip_of
from hwgen.commands.context import Context
from hwgen.commands.netlists import synthesized
from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.rtl.ipu import Ipu
from hwgen.dbpim.rtl.vector_pixels import VectorPixels
from hwgen.physical.liberty import liberty_text
from hwgen.physical.modules import Modules, sources_of
from hwgen.physical.netlist import Gate, Memory, Netlist, Placed
from hwgen.physical.read_library import default_library, load_library
from hwgen.physical.timing import timing_model
from hwgen.physical.timing_model import NEVER, boundary_of, memory_ns
from tests.cli.given import TINY
from tests.physical.clocks import clock_of
from verif.opensta import slowest_path, worst_times

MOST = 0.05
CLK = 0
PARTS = {
    "vector_pixels": lambda: VectorPixels(arch=load_arch(TINY)),
    "ipu": lambda: Ipu(arch=load_arch(TINY)),
    "write_engine": lambda: WriteEngine(
        family="dbpim", port_bits=64, burst_beats=16, word_bits=32, count_bits=16, entries=4
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", PARTS)
def test_within_five_percent(name: str, tmp_path: Path) -> None:
    library, _ = load_library(default_library())
    liberty = liberty_text(default_library())
    part = PARTS[name]()
    emit(part, tmp_path / "rtl", parameters={})
    manifest = json.loads((tmp_path / "rtl/manifest.json").read_text())["modules"]
    texts = {key: (tmp_path / "rtl" / each["file"]).read_text() for key, each in manifest.items()}
    modules = Modules(sources_of(manifest, texts, ()), library, liberty, builds=tmp_path / "builds")
    modules.synthesize(processes=1)
    model = modules.costs()[part.module_name].timing
    launches = [ns for port in model.outputs.values() for ns in port.launch if ns > NEVER / 2]
    ours = {
        "register to register": model.paths[0].ns if model.paths else None,
        "register to output": max(launches, default=None),
        "input to output": max(
            (ns for each in model.arcs for _, _, ns in each.exact), default=None
        ),
    }
    theirs = worst_times(modules.netlist(part.module_name), library, liberty, tmp_path)
    compared = [kind for kind, ns in theirs.items() if ns is not None]
    assert compared
    for kind in compared:
        assert ours[kind] == pytest.approx(theirs[kind], rel=MOST), kind


def registered(name: str, *gates: Gate, **fields: object) -> Netlist:
    """Return a module with a clock."""
    given = {"inputs": {"clk": [CLK]}, "outputs": {}, "memories": [], "placed": [], "names": {}}
    return Netlist(name=name, gates=gates, **given | fields)  # type: ignore[arg-type]


@pytest.mark.long
def test_paths_through_memories_and_modules(tmp_path: Path) -> None:
    """A read without a register, in a placed module that shows one net on two ports."""
    library, _ = load_library(default_library())
    buffer = library.cells[library.buffer]
    enters, leaves = buffer.inputs[0], buffer.outputs[0]
    flip_flop = next(cell for cell in library.cells.values() if cell.is_flip_flop and cell.data)
    out = next(pin for pin in flip_flop.outputs if pin not in flip_flop.inverted)

    def register(name: str, d: int, q: int) -> Gate:
        return Gate(name, flip_flop.name, {flip_flop.data: d, out: q, flip_flop.clock: CLK})

    memory = Memory("m", 64, 1, [(False, [1, 2], [], [3])], [])
    inner = registered(
        "inner",
        inputs={"clk": [CLK], "address": [1, 2]},
        outputs={"data": [3], "same": [3]},
        memories=[memory],
    )
    outer = registered(
        "outer",
        register("first", 9, 5),
        register("second", 9, 6),
        Gate("b", buffer.name, {enters: 8, leaves: 9}),
        placed=[Placed("i", "inner", {"clk": [CLK], "address": [5, 6], "data": [7], "same": [8]})],
    )
    models = {"inner": timing_model(inner, library, {})}
    ours = timing_model(outer, library, models).paths[0].ns
    theirs = slowest_path(
        {"inner": inner, "outer": outer},
        "outer",
        library=library,
        liberty=liberty_text(default_library()),
        folder=tmp_path,
    )
    assert theirs.ns > memory_ns(64, boundary_of(library))
    assert any("/m0/" in point for point in theirs.points)
    assert ours == pytest.approx(theirs.ns, rel=MOST)


@pytest.mark.long
@pytest.mark.parametrize("chip", ["dbpim/tiny", "mram/small"])
def test_whole_chips(chip: str, tmp_path: Path) -> None:
    context = Context(work=tmp_path, console=None)
    loaded = chip_of(context, chip)
    made = synthesized(context, loaded.family, loaded.parameters, default_library())
    clock = clock_of(chip, "", None, made=made)
    assert clock.ns == pytest.approx(clock.sta_ns, rel=MOST)
