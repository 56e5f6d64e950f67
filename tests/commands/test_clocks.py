"""A time is told at the clock of its own chip, and without a measured one not at all."""

from pathlib import Path

import pytest
import yaml

from hwgen import api
from hwgen.commands.clocks import CLOCKS, measured, timed
from hwgen.commands.families import families
from hwgen.crossbar.facts import load_arch as load_crossbar
from hwgen.crossbar.model.events import leakage_pj
from hwgen.dbpim.facts import load_arch
from hwgen.files.shipped import shipped_folder, tables
from hwgen.mram.facts import load_arch as load_mram
from hwgen.report.clocks import MeasuredClock, MeasuredClocks, read_clocks
from hwgen.report.files import write_report

NETWORK, CHIP = "digits_small_cnn", "dbpim/tiny"
TINY = shipped_folder() / "dbpim" / "tiny.yaml"
PUBLISHED = "dbpim/paper_published"
"""It keeps the clock of the paper, which its file says."""


def noted(folder: Path, arch: object, ns: float) -> None:
    """Write a file of clocks for a chip."""
    chip = MeasuredClock(
        architecture="x",
        digest=arch.digest,  # type: ignore[attr-defined]
        ns=ns,
        mapped="modules",
        start="a",
        end="b",
        through=[],
    )
    clocks = MeasuredClocks(
        format="hwgen.report.measured_clocks",
        version=1,
        library="cells",
        corner=None,
        digest="0" * 64,
        chips=[chip],
    )
    write_report(clocks, folder / CLOCKS)


def changed(folder: Path, **values: object) -> Path:
    """Return the file of the smallest chip with other values."""
    file = folder / "chip.yaml"
    content = yaml.safe_load(TINY.read_text(encoding="utf-8")) | values
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


@pytest.mark.promise("a time is told at the clock of its own chip, and not at all without one")
def test_a_chip_without_a_measured_clock_has_cycles_alone(tmp_path: Path) -> None:
    file = changed(tmp_path, queue_depth=4)
    context = api.Context(work=tmp_path / "work", console=None)
    found = api.model(NETWORK, file, images=1, context=context)
    assert found.cycles_model > 0 and (found.time_us, found.clock) == (None, None)
    assert found.energy is not None and found.energy.clock_mhz == load_arch(file).clock_mhz
    noted(tmp_path, load_arch(file), 10.0)
    again = api.model(NETWORK, file, images=1, context=context)
    assert again.time_us == pytest.approx(again.cycles_model / 100)
    assert again.clock is not None and again.clock.library == "cells"
    assert again.energy is not None and again.energy.clock_mhz == 100
    # What leaks by time leaks longer at a slower clock.
    assert again.energy.time_nj > found.energy.time_nj


def test_a_file_may_name_a_slower_clock(tmp_path: Path) -> None:
    for mhz, ns, of_file in ((50.0, 20.0, True), (100.0, 10.0, False), (500.0, 10.0, False)):
        file = changed(tmp_path, queue_depth=4, clock_mhz=mhz)
        noted(tmp_path, load_arch(file), 10.0)
        found = timed(families()["dbpim"], load_arch(file), file)
        assert found.clock is not None and (found.clock.ns, found.clock.of_file) == (ns, of_file)
        assert found.arch.clock_mhz == 1000 / ns and found.arch.digest == load_arch(file).digest


def test_a_copy_has_the_clock_of_what_ships(tmp_path: Path) -> None:
    file = changed(tmp_path, name="mine")
    assert measured(load_arch(file), file) == measured(load_arch(TINY), TINY) is not None


@pytest.mark.promise("the clock that a shipped chip names is one that its netlist reaches")
def test_shipped_files_name_clocks_that_netlists_reach() -> None:
    clocks = read_clocks(shipped_folder() / CLOCKS)
    reached = []
    for family, load in (("dbpim", load_arch), ("mram", load_mram)):
        for name, file in tables(family).items():
            arch = load(file)
            clock = clocks.of(arch.digest)
            if clock is not None and name != PUBLISHED:
                reached.append(name)
                assert clock.mhz - 1 < arch.clock_mhz <= clock.mhz, name
    assert {"dbpim/tiny", "dbpim/paper", "mram/paper"} <= set(reached)
    assert load_arch(tables("dbpim")[PUBLISHED]).clock_mhz == 500


def test_energy_by_time_of_a_crossbar_chip_is_at_its_clock(tmp_path: Path) -> None:
    chip = "crossbar/digits_small_cnn"
    found = api.model(NETWORK, chip, images=1, context=api.Context(work=tmp_path, console=None))
    assert found.clock is not None and found.energy is not None
    arch = load_crossbar(tables("crossbar")[chip])
    assert found.energy.clock_mhz == found.clock.mhz < arch.clock_mhz == 1000
    at_file, at_netlist = leakage_pj(1000, arch), leakage_pj(1000, arch.at_clock(found.clock.mhz))
    assert at_netlist == pytest.approx(at_file * 1000 / found.clock.mhz)
    assert arch.at_clock(found.clock.mhz).digest == arch.digest
