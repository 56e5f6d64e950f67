"""Rules: two sets have a name, and one mixture is told apart from those that are refused."""

import pytest

from hwgen.crossbar.facts.rules import (
    PUBLISHED,
    STRICT,
    Rules,
    check_mixture,
    name_of,
    rules_of,
)
from hwgen.errors import ConfigError

OTHERS = ("", "Strict", "loose", "strict without clocks")


@pytest.mark.promise(
    "a crossbar chip is judged by published rules or by strict ones, and by no others"
)
def test_there_are_two() -> None:
    assert rules_of("strict") == STRICT and all(STRICT)
    assert rules_of("published") == PUBLISHED and not any(PUBLISHED)
    assert (name_of(STRICT), name_of(PUBLISHED)) == ("strict", "published")


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"--rules must be strict or published, got {name}"):
        rules_of(name)


def test_mixtures_that_no_evaluator_supports_are_refused() -> None:
    for rules in (PUBLISHED, STRICT, STRICT._replace(chain_before_activation=False)):
        check_mixture(rules)
    for name in Rules._fields:
        if name != "chain_before_activation":
            with pytest.raises(ConfigError, match="rules must be all charges or none"):
                check_mixture(STRICT._replace(**{name: False}))
        with pytest.raises(ConfigError, match=f"got {name}"):
            check_mixture(PUBLISHED._replace(**{name: True}))
