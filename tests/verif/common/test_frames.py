"""The frames of a line alone: equal to golden, under both simulators."""

from pathlib import Path

import pytest

from verif.common.line_parts import run_line_bench
from verif.runner import Waves


@pytest.mark.promise(
    "a chip answers every whole frame of a line as golden does, and no damaged or torn one"
)
def test_frames(tmp_path: Path, waves: Waves | None) -> None:
    run_line_bench("frames", tmp_path, waves)


@pytest.mark.long
def test_frames_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_line_bench("frames", tmp_path, waves, simulator=icarus)
