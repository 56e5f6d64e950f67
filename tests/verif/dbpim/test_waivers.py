# amaranth: UnusedElaboratable=no
"""Whole chips are lint-clean, and no waiver of an unused signal has lost its reason."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from hwgen.rtl.dbpim.chip import Chip
from hwgen.rtl.part import Part
from hwgen.sim.simulator import WAIVERS
from hwgen.spec.dbpim import load_arch, with_sparsity
from verif.lint import lint_part

CONFIGS = Path(__file__).parents[3] / "configs" / "dbpim"
WAIVER = re.compile(r'^lint_off -rule UNUSEDSIGNAL -file "(.*)" -match "(.*)"$', re.M)
WARNING = re.compile(r"%Warning-UNUSEDSIGNAL: (?:.*/)?(\w+\.v):\d+:\d+: (.*)")


ARCHS = {"tiny": "all", "single": "all", "wide": "none"}
"""Chips in which every waived signal occurs, and their sparsity."""


def chip(name: str) -> Part:
    return Chip(arch=with_sparsity(load_arch(CONFIGS / f"{name}.yaml"), ARCHS[name]))


@pytest.mark.parametrize("name", ARCHS)
def test_a_whole_chip_is_clean(name: str) -> None:
    assert lint_part(chip(name)) == ""


def test_every_waiver_names_a_signal_that_is_not_read(tmp_path: Path) -> None:
    others = tmp_path / "others.vlt"
    text = WAIVERS.read_text(encoding="utf-8")
    others.write_text(WAIVER.sub("", text), encoding="utf-8")
    found = {
        warning
        for name in ARCHS
        for warning in WARNING.findall(lint_part(chip(name), waivers=others))
    }
    waivers = WAIVER.findall(text)
    assert len(waivers) > 30
    for file, message in waivers:
        literal = message.replace("[", "[[]")
        assert any(fnmatch(name, file) and fnmatch(said, literal) for name, said in found), (
            f"nothing in the chips needs the waiver {file} {message}"
        )
