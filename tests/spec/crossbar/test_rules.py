"""Names of rules: strict, strict without some corrections, published."""

import pytest
from pydantic import TypeAdapter, ValidationError

from hwgen.errors import ConfigError
from hwgen.spec.crossbar.rules import (
    CORRECTIONS,
    NONE,
    OLD_STRICT,
    Rules,
    corrections_of,
    is_strict,
    rules_without,
)


def test_all_corrections_are_on_in_strict_rules_and_none_in_others() -> None:
    assert all(corrections_of("strict"))
    assert corrections_of("published") == corrections_of(OLD_STRICT) == NONE
    assert is_strict("strict") and is_strict(OLD_STRICT) and not is_strict("published")


@pytest.mark.parametrize("name", CORRECTIONS)
def test_each_can_be_switched_off(name: str) -> None:
    rules = rules_without("strict", name)
    assert rules == f"strict without {name}"
    found = corrections_of(rules)._asdict()
    assert [each for each, on in found.items() if not on] == [name]


def test_order_and_spaces_do_not_matter() -> None:
    assert rules_without("strict", "parts, clocks") == rules_without("strict", "clocks,parts")
    assert rules_without("strict", "") == "strict"
    assert rules_without("published", "") == "published"
    assert rules_without("strict", "all") == OLD_STRICT


@pytest.mark.parametrize(
    ("rules", "without", "words"),
    [
        ("loose", "", ["--rules", "strict or published", "loose"]),
        ("strict", "speed", ["--without", "clocks", "speed"]),
        ("published", "clocks", ["--without", "--rules strict", "published"]),
    ],
)
def test_others_are_refused(rules: str, without: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        rules_without(rules, without)
    for word in words:
        assert word in str(refused.value)


def test_a_file_holds_a_name() -> None:
    adapter = TypeAdapter(Rules)
    assert adapter.validate_python(OLD_STRICT) == OLD_STRICT
    for name in ("", "strict without", "Strict", "strict without "):
        with pytest.raises(ValidationError):
            adapter.validate_python(name)
