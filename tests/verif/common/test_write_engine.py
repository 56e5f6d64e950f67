"""The write engine alone, for two families and under both simulators."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.verif.common.families import FAMILIES, LAUNCHES, NARROW, OTHER_SIZES
from verif.common.parts import run_common_bench
from verif.runner import Waves


@pytest.mark.dear("dbpim")
@pytest.mark.promise(
    "no AXI output of any family is ever undefined, and bytes that hold no answer have no strobe"
)
@pytest.mark.promise(
    "memory holds the words and nothing but the words, at any pauses and wherever pages end"
)
@pytest.mark.promise(
    "addresses, beats, strobes and responses come in their cycles; address and data do not wait"
    " for each other"
)
@pytest.mark.promise(
    "a bad response ends the store with an error; a stop carries the burst to its response"
)
@pytest.mark.parametrize("family", LAUNCHES)
def test_families(family: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("write_engine", FAMILIES[family], tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("family", NARROW)
def test_narrow_under_icarus(family: str, icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("write_engine", NARROW[family], tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("size", OTHER_SIZES)
def test_other_sizes(size: str, tmp_path: Path, waves: Waves | None) -> None:
    run_common_bench("write_engine", OTHER_SIZES[size], tmp_path, waves)


@pytest.mark.dear
def test_a_word_is_a_beat(tmp_path: Path, waves: Waves | None) -> None:
    """Rows of words as wide as the port: no bits of a beat count words."""
    facts = FAMILIES["dbpim"]
    whole = replace(facts, word_bits=facts.port_bits)
    run_common_bench("write_engine", whole, tmp_path, waves)
