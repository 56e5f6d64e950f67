"""The fetcher against words of the banks, cycle by cycle, under both simulators."""

from pathlib import Path

import pytest

from hwgen.dbpim.rtl.fetcher import Fetcher
from verif.dbpim.component import narrow, small
from verif.dbpim.feed_sizes import other_sizes, run_feed_bench, wide
from verif.lint import lint_part
from verif.runner import Waves


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("fetcher", small(), tmp_path, waves)


@pytest.mark.long
def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("fetcher", wide(), tmp_path, waves)


def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("fetcher", narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", other_sizes())
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("fetcher", other_sizes()[size], tmp_path, waves)


def test_lint_clean() -> None:
    assert lint_part(Fetcher(arch=small())) == ""
    assert lint_part(Fetcher(arch=narrow())) == ""
