"""Modules are synthesized once, and again only if they change; memories are no flip-flops."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib.memory import Memory

from hwgen.chip.rtl.emit import emit
from hwgen.chip.sim.cache import ENVIRONMENT
from hwgen.errors import DesignError, WorkerError
from hwgen.physical import modules as module_costs
from hwgen.physical.liberty import liberty_text
from hwgen.physical.modules import BEHAVIOUR_WORDS, ModuleCost, Modules, Source, sources_of
from hwgen.physical.read_library import default_library, load_library
from hwgen.physical.timing_model import boundary_of, memory_ns
from tests.tiny import Cells, Chain


class Held(Cells):
    """The memory, and registers that gather what is read."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.cells = cells = Memory(shape=8, depth=4, init=[])
        write, read = cells.write_port(), cells.read_port(domain="comb")
        m.d.comb += [
            write.en.eq(self.write_en),
            write.addr.eq(self.write_row),
            write.data.eq(self.write_data),
            read.addr.eq(self.read_row),
        ]
        m.d.sync += self.read_data.eq(self.read_data ^ read.data)
        return m


LIBRARY, _ = load_library(default_library())
LIBERTY = liberty_text(default_library())


@pytest.fixture(autouse=True)
def own_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test have builds of its own."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)


def emitted(part: Any, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the manifest of a part, and the text of each module."""
    emit(part, folder, parameters={})
    manifest = json.loads((folder / "manifest.json").read_text())["modules"]
    return manifest, {name: (folder / each["file"]).read_text() for name, each in manifest.items()}


def synthesized(
    manifest: Mapping[str, Any], texts: Mapping[str, str], builds: Path
) -> tuple[dict[str, ModuleCost], list[str]]:
    """Return the costs of modules, and the names of those that were not cached."""
    found = Modules(sources_of(manifest, texts, ()), LIBRARY, LIBERTY, builds=builds)
    found.synthesize(processes=1)
    return found.costs(), sorted(found.synthesized)


@pytest.mark.promise(
    "a changed module is synthesized alone, with those that place it where its ports change"
)
def test_a_changed_module_is_synthesized_alone(tmp_path: Path) -> None:
    manifest, texts = emitted(Chain(), tmp_path / "rtl")
    names = ["tiny_adder", "tiny_adder_9", "tiny_chain", "tiny_gate"]
    first, made = synthesized(manifest, texts, tmp_path / "builds")
    assert made == names
    again, made = synthesized(manifest, texts, tmp_path / "builds")
    assert (again, made) == (first, [])
    changed = {**texts, "tiny_gate": texts["tiny_gate"].replace("&", "|")}
    assert changed != texts
    _, made = synthesized(manifest, changed, tmp_path / "builds")
    assert made == ["tiny_gate"]
    # With another port, those that place it are synthesized, too.
    wider = json.loads(json.dumps(manifest))
    wider["tiny_gate"]["ports"].append({"name": "more", "direction": "input", "width": 1})
    module = texts["tiny_gate"].replace("endmodule", "input more; endmodule")
    module = module.replace("module tiny_gate(", "module tiny_gate(more, ")
    _, made = synthesized(wider, {**texts, "tiny_gate": module}, tmp_path / "builds")
    assert made == ["tiny_chain", "tiny_gate"]


def test_flip_flops_gates_and_paths(tmp_path: Path) -> None:
    costs, _ = synthesized(*emitted(Chain(), tmp_path / "rtl"), tmp_path / "builds")
    adder = costs["tiny_adder"]
    assert LIBRARY.gate is not None
    # Nine bits of sum and one of valid load together.
    assert (adder.flip_flops, adder.gated, adder.cells[LIBRARY.gate.cell]) == (10, 10, 1)
    assert adder.logic_um2 > 10 * LIBRARY.cells["sg13g2_dfrbp_1"].area
    assert costs["tiny_chain"].timing.paths[0].ns > 0


def test_one_tie_cell_serves_every_flip_flop(tmp_path: Path) -> None:
    """A flip-flop of this library has a reset that must be high; no tree of buffers leads there."""
    manifest, texts = emitted(Chain(), tmp_path / "rtl")
    modules = Modules(sources_of(manifest, texts, ()), LIBRARY, LIBERTY, builds=tmp_path / "builds")
    modules.synthesize(processes=1)
    ties = [LIBRARY.tie_low[0], LIBRARY.tie_high[0]]
    adder = modules.costs()["tiny_adder"]
    assert adder.flip_flops == 10 and [adder.cells.get(tie, 0) for tie in ties] == [0, 1]
    netlist = modules.netlist("tiny_adder")
    (high,) = (gate for gate in netlist.gates if gate.cell == LIBRARY.tie_high[0])
    net = high.pins[LIBRARY.tie_high[1]]
    read_by = [
        gate.cell for gate in netlist.gates if gate is not high and net in gate.pins.values()
    ]
    assert read_by.count("sg13g2_dfrbp_1") == 10 and LIBRARY.buffer not in read_by


def test_a_memory_keeps_the_tie_cells_of_the_logic_beside_it(tmp_path: Path) -> None:
    costs, _ = synthesized(*emitted(Cells(), tmp_path / "cells"), tmp_path / "builds")
    assert not LIBRARY.ties & costs["tiny_cells"].cells.keys()
    costs, _ = synthesized(*emitted(Held(), tmp_path / "held"), tmp_path / "builds")
    assert costs["tiny_held"].flip_flops == 8
    assert costs["tiny_held"].cells["sg13g2_tiehi"] == 1


@pytest.mark.promise(
    "memories are bits of the data sheet and no flip-flops; registers are behind clock gates"
)
def test_a_memory_is_bits_and_no_flip_flops(tmp_path: Path) -> None:
    costs, _ = synthesized(*emitted(Cells(), tmp_path / "rtl"), tmp_path / "builds")
    cells = costs["tiny_cells"]
    assert [(each.words, each.bits) for each in cells.memories] == [(4, 8)]
    assert cells.flip_flops == 0
    assert cells.logic_um2 < 10


@pytest.mark.promise(
    "a Yosys that fails or is killed is one sentence and leaves no entry in the cache"
)
def test_what_yosys_refuses_is_one_sentence_and_leaves_no_entry(tmp_path: Path) -> None:
    manifest, texts = emitted(Cells(), tmp_path / "rtl")
    broken = {"tiny_cells": "module tiny_cells(clk; endmodule\n"}
    with pytest.raises(DesignError, match="Yosys must accept tiny_cells, got "):
        synthesized(manifest, texts | broken, tmp_path / "builds")
    assert not list((tmp_path / "builds").glob("*/complete"))


def test_a_yosys_that_is_killed_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_costs, "RUN", "import os; os.kill(os.getpid(), 9)")
    manifest, texts = emitted(Cells(), tmp_path / "rtl")
    with pytest.raises(WorkerError, match="Yosys must finish tiny_cells, got its end by signal 9"):
        synthesized(manifest, texts, tmp_path / "builds")


def test_what_has_no_gates_is_registers_without_area(tmp_path: Path) -> None:
    ports = [("clk", "input", 1), ("ask", "input", 1), ("sums", "output", 3)]
    bank = Source("bank", "module bank; endmodule", ports, {}, is_behaviour=True)
    modules = Modules({"bank": bank}, LIBRARY, LIBERTY, builds=tmp_path)
    modules.synthesize(processes=1)
    cost, model = modules.costs()["bank"], modules.costs()["bank"].timing
    assert not modules.synthesized
    assert (cost.logic_um2, cost.leakage_uw, cost.flip_flops, cost.memories) == (0, 0, 0, ())
    assert model.outputs["sums"].launch == [memory_ns(BEHAVIOUR_WORDS, boundary_of(LIBRARY))] * 3
    assert list(model.inputs["ask"].capture) == [0.0]
