"""What a line, its frames and its memory take in cells of the library that ships."""

import re
from pathlib import Path

import pytest

from hwgen import api
from hwgen.commands import netlists
from hwgen.commands.context import Context
from hwgen.commands.families import families
from hwgen.dbpim.facts import load_arch
from hwgen.files.shipped import tables
from hwgen.physical.read_library import default_library

PAGE = Path(__file__).parents[2] / "docs/howto/host.md"
SAID = r"line ([\d,]+) um2 \(SPI\)\s+or [\d,]+ um2 \(UART\), frames ([\d,]+) um2, and ([\d,]+) um2"


@pytest.mark.dear
@pytest.mark.promise("the page of few pins tells the area of what stands before a chip, within 5 %")
def test_areas_are_those_of_the_netlists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, name = tmp_path / "chip", "dbpim/tiny"
    api.build(name, folder, pins="spi")
    monkeypatch.setattr(netlists, "verilog_of", lambda *_, **__: folder)
    arch = load_arch(tables("dbpim")[name])
    chip = netlists.synthesized(Context(), families()["dbpim"], arch, default_library())
    found = {row.module: row.logic_um2 + row.buffers_um2 for row in netlists.module_rows(chip)}
    said = re.search(SAID, PAGE.read_text(encoding="utf-8"))
    assert said is not None
    wanted = [float(number.replace(",", "")) for number in said.groups()]
    modules = ("dbpim_spi_pins", "dbpim_frames", "dbpim_line_memory")
    assert [found[module] for module in modules] == pytest.approx(wanted, rel=0.05)
