"""Emitted Verilog: each module once, the same bytes every time, nothing that cannot fit."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Out

from hwgen.chip.rtl.emit import check_port_widths, emit, verilog_modules
from hwgen.chip.rtl.part import Part
from hwgen.errors import DesignError
from tests.tiny import Adder, Cells, Chain, Gate

EMIT_CHAIN = """
import sys
from pathlib import Path
from hwgen.chip.rtl.emit import emit
from tests.tiny import Chain
emit(Chain(), Path(sys.argv[1]), parameters={"bias": 1})
"""


class TwoAdders(Part):
    """Two uses of one part, and whatever else a test lists."""

    def __init__(self, *others: Part) -> None:
        self._adder = Adder()
        self.parts = [self._adder, *others]
        super().__init__({})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.first = self._adder.instance()
        m.submodules.second = self._adder.instance()
        return m


@pytest.mark.promise("each different module is written once, whatever the number of its uses")
def test_each_module_once() -> None:
    modules = verilog_modules(TwoAdders(Adder(), Gate()))
    assert list(modules) == ["tiny_adder", "tiny_gate", "two_adders"]
    text = "".join(modules.values())
    assert re.findall(r"^module (\w+)", text, re.M) == list(modules)
    assert len(re.findall(r"^  tiny_adder \S+ \($", text, re.M)) == 2


def test_a_module_reads_the_same_alone_and_in_a_design() -> None:
    assert verilog_modules(Adder())["tiny_adder"] == verilog_modules(Chain())["tiny_adder"]


def test_names_have_family_and_size() -> None:
    assert list(verilog_modules(Chain())) == [
        "tiny_adder",
        "tiny_adder_9",
        "tiny_gate",
        "tiny_chain",
    ]


@pytest.mark.promise("the same design gives the same bytes in every process")
def test_same_bytes_in_every_process(tmp_path: Path) -> None:
    outputs = []
    for hash_seed in ("1", "2"):
        out = tmp_path / hash_seed
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        subprocess.run([sys.executable, "-c", EMIT_CHAIN, str(out)], check=True, env=environment)
        outputs.append({file.name: file.read_bytes() for file in out.iterdir()})
    assert outputs[0] == outputs[1]


def test_every_file_says_its_licence(tmp_path: Path) -> None:
    for file in emit(Chain(), tmp_path / "rtl", parameters={}):
        assert file.read_text().startswith("// SPDX-License-Identifier: Apache-2.0\n")


@pytest.mark.promise("the manifest names top, parameters, versions, ports, instances and hashes")
def test_manifest(tmp_path: Path) -> None:
    files = emit(Chain(), tmp_path / "rtl", parameters={"bias": 1})
    assert (tmp_path / "rtl/files.f").read_text().split() == [file.name for file in files]
    manifest = json.loads((tmp_path / "rtl/manifest.json").read_text())
    assert (manifest["top"], manifest["parameters"]) == ("tiny_chain", {"bias": 1})
    assert set(manifest["versions"]) == {"hwgen", "amaranth"}
    assert manifest["modules"]["tiny_chain"]["instances"] == {
        "tiny_adder": 1,
        "tiny_adder_9": 1,
        "tiny_gate": 1,
    }
    assert manifest["modules"]["tiny_gate"] == {
        "file": "tiny_gate.v",
        "ports": [
            {"name": "a", "direction": "input", "width": 1},
            {"name": "b", "direction": "input", "width": 1},
            {"name": "out", "direction": "output", "width": 1},
        ],
        "instances": {},
    }
    for file in files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert manifest["files"][file.name] == {"sha256": digest}


@pytest.mark.promise("a module whose ports or instances cannot fit is refused in one sentence")
def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(DesignError, match=r"got two different parts named tiny_adder$"):
        verilog_modules(TwoAdders(Adder(bias=2)))


def test_wrong_clock_ports_are_refused() -> None:
    gate = Gate()
    gate.clock_ports = ("clk", "rst")
    with pytest.raises(DesignError, match=r"got a difference in clk, rst$"):
        verilog_modules(gate)


class Wide(Part):
    """A signal of more bits than a vector of Verilog may have."""

    family = "tiny"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wide = Signal(1 + (1 << 16))
        m.d.sync += wide.eq(wide + 1)
        m.d.comb += self.top.eq(wide[-1])
        return m


def test_a_signal_of_too_many_bits_is_refused() -> None:
    with pytest.raises(DesignError, match=r"at most 65,536 bits, .* got 65,537 in tiny_wide: "):
        verilog_modules(Wide({"top": Out(1)}))


def test_a_port_of_too_many_bits_is_refused_unwritten() -> None:
    class Never(Part):
        """A part that may not be elaborated."""

        family = "tiny"

        def elaborate(self, platform: object) -> Module:
            raise AssertionError

    top = Never({"top": Out(1)})
    top.parts = [Never({"below": Out(1 << 16)})]
    check_port_widths(top)
    top.parts = [Wide({"below": Out(1 + (1 << 16))})]
    with pytest.raises(DesignError, match=r"at most 65,536 bits, .* got 65,537 in tiny_wide: "):
        check_port_widths(top)


def test_an_unlisted_part_is_refused() -> None:
    design = TwoAdders()
    design.parts = []
    with pytest.raises(DesignError, match=r"of a listed part, got tiny_adder$"):
        verilog_modules(design)


@pytest.mark.promise("memories that are garbage at power-on have no initial content")
def test_garbage_at_power_on() -> None:
    cells, ordinary = Cells(), Cells()
    ordinary.garbage_at_power_on = False
    assert "initial" not in verilog_modules(cells)["tiny_cells"]
    assert "initial" in verilog_modules(ordinary)["tiny_cells"]
