"""Whole MRAM chips are lint-clean, and no waiver of theirs has lost its reason."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from hwgen.chip.sim.simulator import WAIVERS
from hwgen.mram.rtl.chip import Chip
from tests.verif.mram.chips import chip_arch
from verif.lint import lint_part
from verif.mram.component import single

WAIVER = re.compile(r'^lint_off -rule UNUSEDSIGNAL -file "(.*)" -match "(.*)"$', re.M)
WARNING = re.compile(r"%Warning-UNUSEDSIGNAL: (?:.*/)?(\w+\.v):\d+:\d+: (.*)")
ARCHS = {name: chip_arch(name) for name in ("tiny", "wide", "small_in_array")} | {
    "single": single()
}
"""Chips in which every waived signal occurs."""


@pytest.mark.dear("tiny")
@pytest.mark.promise("whole MRAM chips are free of lint, and no waiver has lost its reason")
@pytest.mark.parametrize("name", ARCHS)
def test_a_whole_chip_is_clean(name: str) -> None:
    assert lint_part(Chip(arch=ARCHS[name])) == ""


@pytest.mark.dear
def test_every_waiver_names_a_signal_that_is_not_read(tmp_path: Path) -> None:
    others = tmp_path / "others.vlt"
    text = WAIVERS.read_text(encoding="utf-8")
    others.write_text(WAIVER.sub("", text), encoding="utf-8")
    found = {
        warning
        for arch in ARCHS.values()
        for warning in WARNING.findall(lint_part(Chip(arch=arch), waivers=others))
    }
    waivers = [found for found in WAIVER.findall(text) if found[0].startswith("*mram_")]
    assert len(waivers) > 5
    for file, message in waivers:
        literal = message.replace("[", "[[]")
        assert any(fnmatch(name, file) and fnmatch(said, literal) for name, said in found), (
            f"nothing in the chips needs the waiver {file} {message}"
        )
