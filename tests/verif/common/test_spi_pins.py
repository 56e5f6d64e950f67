"""`spi_pins` alone, under both simulators."""

from pathlib import Path

import pytest

from verif.common.line_parts import run_line_bench
from verif.runner import Waves


@pytest.mark.promise(
    "a SPI device takes and gives bytes at an eighth of the clock, and drops a torn byte"
)
def test_spi_pins(tmp_path: Path, waves: Waves | None) -> None:
    run_line_bench("spi_pins", tmp_path, waves)


@pytest.mark.long
def test_spi_pins_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_line_bench("spi_pins", tmp_path, waves, simulator=icarus)
