"""A line of its own model: what a chip answers to noise, wrong speed, breaks and torn frames."""

import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from verif.common.line_parts import line_parts
from verif.common.line_wave import (
    SCENARIOS,
    Scenario,
    breaks,
    build,
    clean,
    false_starts,
    glitches,
    sent,
    torn_data,
    wrong_baud,
)

Play = Callable[[random.Random], Scenario]
PINS, FRAMES = "few_uart_pins", "few_frames"


@cache
def modules() -> dict[str, str]:
    """Return the Verilog of the parts behind a line."""
    parts = {part.module_name: part for part in line_parts().parts}
    return {name: verilog_modules(parts[name])[name] for name in (PINS, FRAMES)}


@pytest.mark.promise(
    "a chip answers each whole frame of a line at once: behind damaged headers, noise that looks"
    " like a start, glitches, breaks, at a speed 3 % off; torn data are over when the line is quiet"
)
def test_what_a_chip_answers(icarus: str, tmp_path: Path) -> None:
    image = build(modules(), tmp_path)
    for play in SCENARIOS:
        wave, wanted = play(random.Random(play.__name__))
        assert sent(image, wave, tmp_path) == wanted, play.__name__


FAULTS = [
    pytest.param(PINS, r"(received__valid <= )line\[1\];", r"\g<1>1'h1;", breaks, id="stop bit"),
    pytest.param(PINS, r"& line\[2\]", "", breaks, id="a break is no byte"),
    pytest.param(PINS, r"line\[1\] \? 4'h0 : \w+", "4'h9", glitches, id="start bit"),
    pytest.param(PINS, r"(wait_0 <= )3'h6", r"\g<1>3'h5", clean, id="bit"),
    pytest.param(PINS, r"(wait_0 <= )3'h2", r"\g<1>3'h0", wrong_baud, id="middle of a bit"),
    pytest.param(FRAMES, r"(again <= )4'h9;", r"\g<1>4'h0;", false_starts, id="no second look"),
    pytest.param(FRAMES, r"(\n *if \()ended(\) begin)", r"\g<1>1'h0\2", torn_data, id="no end"),
]


@pytest.mark.promise("the bench of a line sees each fault that is planted into pins or frames")
@pytest.mark.usefixtures("icarus")
@pytest.mark.parametrize(("module", "right", "wrong", "play"), FAULTS)
def test_a_planted_fault_is_seen(
    module: str, right: str, wrong: str, play: Play, tmp_path: Path
) -> None:
    text, count = re.subn(right, wrong, modules()[module])
    assert count
    image = build({**modules(), module: text}, tmp_path)
    wave, wanted = play(random.Random(play.__name__))
    assert sent(image, wave, tmp_path) != wanted
