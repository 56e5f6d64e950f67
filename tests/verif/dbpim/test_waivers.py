"""Whole chips are lint-clean, and no waiver of an unused signal has lost its reason."""

import re
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.sim.simulator import WAIVERS
from hwgen.dbpim.facts import load_arch, with_sparsity
from hwgen.dbpim.rtl.chip import Chip
from verif.dbpim.component import dense
from verif.lint import lint_modules

CONFIGS = Path(__file__).parents[3] / "configs" / "dbpim"
WAIVER = re.compile(r'^lint_off -rule UNUSEDSIGNAL -file "(.*)" -match "(.*)"$', re.M)
WARNING = re.compile(r"%Warning-UNUSEDSIGNAL: (?:.*/)?(\w+\.v):\d+:\d+: (.*)")


TINY, SINGLE, WIDE = (load_arch(CONFIGS / f"{name}.yaml") for name in ("tiny", "single", "wide"))
ARCHS = {
    "tiny": TINY,
    "wide": WIDE,
    "rows": load_arch(CONFIGS / "small_rows.yaml"),
    "dense": with_sparsity(SINGLE, "none"),
    "without parts for sparsity": dense(TINY),
    "one stream": replace(load_arch(CONFIGS / "small_rows.yaml"), input_streams="shared"),
    "port wider than all masks": replace(SINGLE, port_bits=512),
}
"""Chips in which every waived signal occurs."""


@cache
def said_of(name: str, waivers: Path) -> str:
    """What Verilator says of a chip."""
    top, modules = verilog_of(name)
    return lint_modules(top, modules, waivers=waivers)


@cache
def verilog_of(name: str) -> tuple[str, Mapping[str, str]]:
    """The top module of a chip, and all its Verilog."""
    chip = Chip(arch=ARCHS[name])
    return chip.module_name, verilog_modules(chip)


@pytest.mark.dear
@pytest.mark.parametrize("name", ARCHS)
def test_a_whole_chip_is_clean(name: str) -> None:
    assert said_of(name, WAIVERS) == ""


@pytest.mark.dear
def test_every_waiver_names_a_signal_that_is_not_read(tmp_path: Path) -> None:
    unwaived = tmp_path / "others.vlt"
    text = WAIVERS.read_text(encoding="utf-8")
    unwaived.write_text(WAIVER.sub("", text), encoding="utf-8")
    found = {warning for name in ARCHS for warning in WARNING.findall(said_of(name, unwaived))}
    others = ("*mram_", "*crossbar_")
    waivers = [found for found in WAIVER.findall(text) if not found[0].startswith(others)]
    assert len(waivers) > 30
    for file, message in waivers:
        literal = message.replace("[", "[[]")
        assert any(fnmatch(name, file) and fnmatch(said, literal) for name, said in found), (
            f"nothing in the chips needs the waiver {file} {message}"
        )
