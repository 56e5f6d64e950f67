"""The tables of the paper's whole memory: what they count, and that the page has them."""

from dataclasses import replace
from pathlib import Path

import pytest
from hwgen_studies.cadnn_paper.seed_chip import CHIP, measured, page_tables, taken_by
from hwgen_studies.cadnn_paper.shapes import resnet20

from hwgen.files.shipped import tables
from hwgen.mram.facts.arch import Arch, load_arch
from hwgen.mram.model.energy import default_table

PAGE = Path(__file__).parents[3] / "docs/mram-chip.md"


@pytest.fixture(scope="module")
def arch() -> Arch:
    return load_arch(tables("mram")[CHIP])


def test_the_chip_has_512_mb(arch: Arch) -> None:
    assert arch.sub_arrays * arch.array.rows * arch.array.columns == 512 << 20


def test_sub_arrays_are_kernels_and_their_copies() -> None:
    """ResNet20 has 7 layers of 16 kernels, 6 of 32, 6 of 64, and 10 classes."""
    network = resnet20((1.0, 0.5))
    whole = {"first layer": 16, "stage 1": 96, "stage 2": 192, "stage 3": 384, "FC": 10}
    assert taken_by(network, 0, 1) == whole
    half = {part: count // 2 for part, count in whole.items()} | {"FC": 10}
    assert taken_by(network, 1, 4) == {part: 4 * count for part, count in half.items()}


def test_more_copies_than_fit_are_refused(arch: Arch) -> None:
    with pytest.raises(ValueError, match="5584 sub-arrays for the layers of a chip of 4096"):
        measured(replace(arch, kernel_copies=8), default_table())


@pytest.mark.promise(
    "the page of the paper's whole memory has the sub-arrays, area, cycles and energy that the"
    " model predicts of 4,096 sub-arrays"
)
def test_the_page_has_the_tables(arch: Arch) -> None:
    text = PAGE.read_text("utf-8")
    for title, lines in page_tables(arch, default_table()).items():
        assert "\n".join([f"## {title}", "", *lines]) in text, title
