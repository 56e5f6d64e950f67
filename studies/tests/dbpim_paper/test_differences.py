"""The page of differences from the paper: its chips, and that it has what the model says."""

from dataclasses import replace
from pathlib import Path

import pytest
from hwgen_studies.dbpim_paper import differences
from hwgen_studies.dbpim_paper.differences import (
    LANES,
    OTHERS,
    OURS,
    PAIRS,
    PUBLISHED,
    SHARED,
    Chip,
    difference_lines,
    kilobytes,
    page_tables,
    subject_of,
)

from hwgen.commands.clocks import measured
from hwgen.commands.context import Context
from hwgen.commands.prices import Prices
from hwgen.dbpim.facts.arch import Arch

PAGE = Path(__file__).parents[3] / "docs/dbpim-differences.md"


def arch_of(name: str) -> Arch:
    arch = subject_of(name).arch
    assert isinstance(arch, Arch)
    return arch


def test_the_structure_of_the_paper_is_ours_with_its_differences() -> None:
    """One stream, pairs and a requantizer a lane; `paper_lanes` has the requantizers alone."""
    ours, published = arch_of(OURS), arch_of(PUBLISHED)
    named = {name: {"name": name.rpartition("/")[2]} for name in (LANES, PUBLISHED)}
    clocks = {name: {"clock_mhz": arch_of(name).clock_mhz} for name in named}
    lanes = replace(ours, lanes_per_requantizer=1)
    assert arch_of(LANES) == replace(lanes, **named[LANES], **clocks[LANES])
    keys = {**SHARED.keys, **PAIRS.keys}
    shared = replace(lanes, **named[PUBLISHED], **clocks[PUBLISHED], **keys)  # type: ignore[arg-type]
    assert published == shared
    assert OTHERS[0].keys == {"lanes_per_requantizer": 1}


@pytest.mark.promise(
    "`dbpim/paper_published` has the paper's structure: one stream of inputs, 256 KB of buffers for"
    " the chip, one SIMD core, and 16 filters of a core where phi_th is 1"
)
def test_the_structure_of_the_paper_has_one_input_side() -> None:
    arch = arch_of(PUBLISHED)
    assert arch.shares_stream and arch.simd_units == 1
    assert arch.simd_units * arch.buffer_bytes == 256 * 1024
    assert (arch.filters, arch.sums) == (8, 16)
    assert kilobytes(arch) == pytest.approx(365.8, abs=0.05)


@pytest.mark.promise("a study prices a chip at the clock at which `hwgen model` does")
def test_chips_are_priced_at_the_clock_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file has the paper's 500 MHz, its netlist is slower: what takes time takes more."""
    subject = subject_of(PUBLISHED)
    clock = measured(subject.arch, subject.arch_file)
    assert clock is not None and clock.mhz < subject.arch.clock_mhz == 500
    events = {"cycles": 1000, "events": {"groups": 1}, "outside_bytes": 0}
    monkeypatch.setattr(differences, "run_points", lambda *_, **__: [events])
    (chip,) = differences.chips(Context(console=None), PUBLISHED, [])
    slow = Prices(subject.family).leakage_pj(
        1000, subject.family.family.at_clock(subject.arch, clock.mhz)
    )
    fast = Prices(subject.family).leakage_pj(1000, subject.arch)
    assert fast < slow < chip.energy_uj * 1e6 < 1.01 * slow


def test_a_row_says_what_a_difference_costs() -> None:
    arch = arch_of(OURS)
    first = Chip(name="paper", arch=arch, cycles=1000, energy_uj=2.0, area_mm2=5.0)
    second = replace(first, cycles=1500, energy_uj=2.55, area_mm2=4.9)
    *_, row = difference_lines([first, second], [OTHERS[-1]])
    assert row.endswith("| `packed_weights: false` | 1,500 | 1.500 | 2.5 | 4.900 | -0.100 |")


@pytest.mark.promise(
    "the page of differences from the DB-PIM paper has the cycles, energies and areas that model"
    " and table say of each"
)
def test_the_page_has_the_tables(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    for title, lines in page_tables(Context(work=tmp_path, console=None)).items():
        assert "\n".join([f"## {title}", "", *lines]) in text, title
