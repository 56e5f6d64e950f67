"""Multipliers do nothing without a tap or a sum, whatever their inputs do."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.sim.cache import ENVIRONMENT
from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.rtl.residual_adder import ResidualAdder
from hwgen.dbpim.rtl.simd_lane import SimdLane
from hwgen.physical.activity import activity_of
from hwgen.physical.flat import Flattener
from hwgen.physical.modules import Modules, sources_of
from hwgen.physical.power import energy_pj
from tests.cli.given import TINY
from tests.physical.test_modules import LIBERTY, LIBRARY, emitted

CYCLES = 300
SWITCHES = {
    "simd_lane": (
        lambda: SimdLane(arch=load_arch(TINY)),
        ("take", "tap", "enable", "complete", "scale"),
        (),
    ),
    "residual_adder": (
        lambda: ResidualAdder(arch=load_arch(TINY)),
        ("result__valid",),
        ("request__ready", "layer"),
    ),
}
"""What is tested, the inputs that say that there is work, and inputs that are high."""
MOST = 0.25
"""Energy without work over that with work; what is left are gates before the masks."""


@pytest.mark.long
@pytest.mark.parametrize("name", SWITCHES)
def test_no_work_takes_little_energy(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    make, works, highs = SWITCHES[name]
    part = make()
    manifest, texts = emitted(part, tmp_path / "rtl")
    modules = Modules(sources_of(manifest, texts, ()), LIBRARY, LIBERTY, builds=tmp_path / "builds")
    flattener = Flattener(LIBRARY, modules.netlist, lambda _: "all")
    flat = flattener.whole(part.module_name)
    spent = {}
    for working in (1, 0):
        drawn = np.random.default_rng(1)
        columns = []
        for port, bits in flat.inputs.items():
            noise = drawn.integers(0, 2, (CYCLES, len(bits)), dtype=np.uint8)
            if port in works:
                noise[:] = working
            elif port in highs or port == "rst":
                noise[:] = port in highs
            columns.append(noise)
        found = activity_of(flat, flattener.order, np.hstack(columns))
        spent[working] = energy_pj(flat, found, LIBRARY)["all"]
    assert spent[0] < MOST * spent[1]
