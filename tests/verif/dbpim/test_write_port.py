"""The write port of a core, each result in its cycle, under both simulators."""

from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.write_port import WritePort
from verif.dbpim.component import narrow, settings, small
from verif.dbpim.feed_sizes import other_sizes, wide
from verif.lint import lint_part
from verif.runner import Waves, build, run


def run_write_port(
    arch: Arch, folder: Path, waves: Waves | None, *, simulator: str = "verilator"
) -> None:
    bench = build(WritePort(arch=arch), simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_write_port", folder=folder, settings=settings(arch))


@pytest.mark.promise(
    "private results reach the own banks, all others the bus, position after position"
)
@pytest.mark.promise("a private result waits for a word of the bus, and only for that")
@pytest.mark.promise(
    "words for different lanes go at once, and a private result waits for its own banks alone"
)
def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_write_port(small(), tmp_path, waves)


@pytest.mark.long
def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    run_write_port(wide(), tmp_path, waves)


@pytest.mark.long
def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_write_port(narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", other_sizes())
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_write_port(other_sizes()[size], tmp_path, waves)


@pytest.mark.promise("Verilator -Wall is silent")
def test_lint_clean() -> None:
    assert lint_part(WritePort(arch=small())) == ""
    assert lint_part(WritePort(arch=narrow())) == ""
