"""The write engine alone, for two families and under both simulators."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.verif.common.families import FAMILIES, LAUNCHES, NARROW, OTHER_SIZES
from verif.common.parts import run_common_bench
from verif.runner import Waves


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


def test_a_word_is_a_beat(tmp_path: Path, waves: Waves | None) -> None:
    """Rows of words as wide as the port: no bits of a beat count words."""
    facts = FAMILIES["dbpim"]
    whole = replace(facts, word_bits=facts.port_bits)
    run_common_bench("write_engine", whole, tmp_path, waves)
