"""`uart_pins` alone, under both simulators."""

from pathlib import Path

import pytest

from verif.common.line_parts import run_line_bench
from verif.runner import Waves


@pytest.mark.promise(
    "an UART takes and gives bytes bit by bit, drops what is none, and ends a torn frame when quiet"
)
def test_uart_pins(tmp_path: Path, waves: Waves | None) -> None:
    run_line_bench("uart_pins", tmp_path, waves)


@pytest.mark.long
def test_uart_pins_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_line_bench("uart_pins", tmp_path, waves, simulator=icarus)
