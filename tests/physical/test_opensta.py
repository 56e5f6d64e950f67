"""OpenSTA, an engine of other people, gets the same times from the same netlists."""

import json
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import emit
from hwgen.chip.rtl.write_engine import WriteEngine
from hwgen.commands.netlists import default_library
from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.rtl.ipu import Ipu
from hwgen.dbpim.rtl.vector_pixels import VectorPixels
from hwgen.physical.liberty import liberty_text
from hwgen.physical.modules import Modules, sources_of
from hwgen.physical.read_library import load_library
from hwgen.physical.timing_model import NEVER
from tests.cli.given import TINY
from verif.opensta import worst_times

MOST = 0.05
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
