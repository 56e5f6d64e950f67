"""Names of rules: strict and published, and nothing else."""

import pytest
from pydantic import TypeAdapter, ValidationError

from hwgen.crossbar.facts.rules import Rules, is_strict, rules_of
from hwgen.errors import ConfigError

OTHERS = ("", "Strict", "loose", "strict without clocks")


def test_there_are_two() -> None:
    assert is_strict(rules_of("strict")) and not is_strict(rules_of("published"))


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"--rules must be strict or published, got {name}"):
        rules_of(name)
    with pytest.raises(ValidationError):
        TypeAdapter(Rules).validate_python(name)
