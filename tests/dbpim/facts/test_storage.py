"""Memories of a chip: sizes that a person can multiply, and the sum of the paper's chip."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.storage import storage

PAPER = load_arch(Path("configs/dbpim/paper.yaml"))
KIB = 8 * 1024


def bits(arch: Arch) -> dict[str, int]:
    return {memory.name: memory.bits for memory in storage(arch)}


@pytest.mark.promise(
    "the memories of a chip are known; the paper's chip has 384 KB beside 16 KB of cells,"
    " within 1 %"
)
def test_the_papers_chip_has_384_kb_beside_its_cells() -> None:
    """16 KB of cells and 384 KB of SRAM, within 1 %."""
    cells = sum(memory.bits for memory in storage(PAPER) if memory.cells)
    beside = sum(memory.bits for memory in storage(PAPER) if not memory.cells)
    assert cells == 16 * KIB
    assert beside == pytest.approx(384 * KIB, rel=0.01)


def test_memories_of_the_papers_chip_by_hand() -> None:
    """8 cores of 4 macros of 16 x 16 x 16 cells; words of 128 bits."""
    found = bits(PAPER)
    by_hand = {
        "activation buffers": 8 * 32 * KIB,
        "signs and indices": 3 * 16 * KIB,
        "partial sums": 8 * 128 * 8 * 32,
        "masks": 8 * 1024 * 8,
        "tables": 8 * 8 * 256 * 8,
        "depthwise weights": 8 * 2 * (32 * 128 + 16 * 62),
        "logits": 1024 * 32,
        "groups": 8 * 8 * 4 * 128,
        "fetched words": 8 * 4 * 4 * 128,
        "memory beats": 128 * 256,
        "parameters": 8 * 4 * 8 * 62,
        "instructions": 4 * 1472,
    }
    assert found == {"cells": 16 * KIB} | by_hand


def test_a_row_unit_stores_its_floats() -> None:
    rows = bits(load_arch(Path("configs/dbpim/paper_rows.yaml")))
    assert rows["float tables"] == 8 * 4 * 256 * 32
    assert rows["gains and offsets"] == 8 * 256 * 64
    assert not {"float tables", "gains and offsets"} & set(bits(PAPER))


def test_only_a_chip_with_digits_stores_signs_and_indices() -> None:
    dense = bits(with_sparsity(PAPER, "none"))
    assert dense["signs and indices"] == 0
    assert dense["cells"] == bits(PAPER)["cells"]


def test_a_chip_without_parts_for_sparsity_has_none_of_their_memories() -> None:
    chip = with_sparsity(PAPER, "none")
    kept, direct = bits(chip), bits(replace(chip, sparse_parts=False))
    absent = {"signs and indices", "masks", "groups"}
    assert set(kept) - set(direct) == absent
    assert direct == {name: size for name, size in kept.items() if name not in absent}
