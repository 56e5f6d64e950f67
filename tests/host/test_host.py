"""A host at the end of a simulated line: images in, answers out, equal to golden."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from golden.network import outputs
from tests.host.chips import board

LINES: tuple[Literal["spi", "uart"], ...] = ("uart", "spi")


@pytest.mark.dear("dbpim-uart")
@pytest.mark.promise(
    "over an UART, and over SPI, a host loads a program, sends images and gets golden's answers"
)
@pytest.mark.parametrize(
    ("family", "kind"),
    [(family, kind) for family in ("dbpim", "mram", "crossbar") for kind in LINES],
    ids=lambda each: each,
)
def test_answers_over_a_line(family: str, kind: Literal["spi", "uart"], tmp_path: Path) -> None:
    given = board(family, kind, tmp_path)
    expected = outputs(given.subject.network, given.images)
    with given.line() as line:
        host = given.host(line)
        host.load(given.network)
        found, cycles = host.run(given.images), host.cycles
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name].dtype == values.dtype
        assert np.array_equal(found[name], values), name
    assert cycles > 0


PAGE = Path(__file__).parents[2] / "docs/howto/host.md"


@pytest.mark.long
def test_the_page_prints_what_it_says(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    build = re.search(r"^\$ hwgen (build .*)$", page, re.M)
    code = re.search(r"^```python\n(.*?)^```$", page, re.M | re.S)
    said = re.search(r"^prints `(.*?)`", page, re.M)
    assert build and code and said
    for command in (
        [sys.executable, "-m", "hwgen", *build[1].split()],
        [sys.executable, "-c", code[1]],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said[1]
