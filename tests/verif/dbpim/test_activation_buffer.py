"""The activation buffer against golden, under both simulators."""

from pathlib import Path

import pytest

from hwgen.dbpim.rtl.activation_buffer import ActivationBuffer
from verif.dbpim.component import narrow, small
from verif.dbpim.feed_sizes import other_sizes, run_feed_bench, wide
from verif.lint import lint_part
from verif.runner import Waves


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("activation_buffer", small(), tmp_path, waves)


@pytest.mark.long
def test_wide(tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("activation_buffer", wide(), tmp_path, waves)


def test_narrow_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("activation_buffer", narrow(), tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", other_sizes())
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_feed_bench("activation_buffer", other_sizes()[size], tmp_path, waves)


def test_lint_clean() -> None:
    assert lint_part(ActivationBuffer(arch=small())) == ""
    assert lint_part(ActivationBuffer(arch=narrow())) == ""
