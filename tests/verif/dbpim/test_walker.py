"""The walker against the planned order and golden's windows, under both simulators."""

from pathlib import Path

import pytest

from hwgen.dbpim.rtl.walker import Walker
from verif.dbpim.component import narrow, small
from verif.dbpim.feed_sizes import other_sizes, run_feed_bench, wide
from verif.lint import lint_part
from verif.runner import Waves


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("walker", small(), tmp_path, waves)


@pytest.mark.long
def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("walker", wide(), tmp_path, waves)


@pytest.mark.long
def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("walker", narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", other_sizes())
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("walker", other_sizes()[size], tmp_path, waves)


def test_lint_clean() -> None:
    assert lint_part(Walker(arch=small())) == ""
    assert lint_part(Walker(arch=narrow())) == ""
