"""An architecture file is complete, and its numbers follow from each other."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from hwgen.crossbar.facts import load_arch
from hwgen.crossbar.facts.arch import Arch, arch_of, arch_text, fabric_of_chip
from hwgen.errors import ConfigError
from tests.synthesis import SMALL, handed_on

Change = tuple[tuple[str | int, ...], object]


@pytest.fixture(scope="module")
def arch() -> Arch:
    return handed_on()[0]


@pytest.fixture
def written(arch: Arch, tmp_path: Path) -> Callable[..., Path]:
    """Write the architecture with some values changed; `...` leaves a key out."""

    def write(*changes: Change) -> Path:
        content: Any = yaml.safe_load(arch_text(arch))
        for (*path, last), value in changes:
            place = content
            for key in path:
                place = place[key]
            if value is ...:
                del place[last]
            else:
                place[last] = value
        file = tmp_path / "arch.yaml"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        return file

    return write


@pytest.mark.promise(
    "an architecture file is complete, and every number that follows from others is checked"
)
def test_what_is_written_is_read(arch: Arch, tmp_path: Path) -> None:
    file = tmp_path / "arch.yaml"
    file.write_text(arch_text(arch), encoding="utf-8")
    again = load_arch(file)
    assert again == arch
    assert again.digest == arch.digest
    assert arch_text(again) == arch_text(arch)


def test_it_holds_the_whole_network(arch: Arch) -> None:
    assert arch.whole_network == SMALL


def test_a_file_can_be_read_by_a_person(arch: Arch) -> None:
    lines = arch_text(arch).splitlines()
    assert max(map(len, lines)) < 140
    fabric = lines.index("fabric:")
    assert fabric < 40 + 20 * len(arch.layers)
    assert len(lines) < fabric + 100 + 20 * arch.mesh.macros * len(arch.layers)


def test_only_the_name_is_free(arch: Arch) -> None:
    assert replace(arch, name="other").digest == arch.digest
    assert replace(arch, power_budget_w=4.0).digest != arch.digest


STEM, JOIN, DEEP, HEAD = 0, 2, 4, 6


@pytest.mark.dear("changes22-words22")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([(("adc_bits",), 9)], ["adc_bits", "8", "9"]),
        ([(("point", "rram_ratio"), 0.3)], ["point.rram_ratio", "strict", "0.3"]),
        ([(("network", "digest"), "0" * 64)], ["network.digest", "0000"]),
        ([(("layers", DEEP, "output", "channels"), 301)], ["network.digest"]),
        ([(("layers", JOIN, "providers"), [0, 5])], ["join.providers", "layers before it", "5"]),
        (
            [(("layers", JOIN, "name"), "a|b"), (("layers", JOIN, "providers"), [0, 5])],
            ["a|b.providers must be layers before it, got 5 ("],
        ),
        ([(("layers", STEM, "name"), "left")], ["another name", "left"]),
        ([(("layers", STEM, "mapping", "blocks"), 31)], ["layers.0.mapping.blocks", "32", "31"]),
        ([(("layers", JOIN, "mapping", "copies"), 5)], ["layers.2.mapping.copies", "4", "5"]),
        ([(("layers", DEEP, "mapping", "rows"), 289)], ["layers.4.mapping.rows", "288", "289"]),
        (
            [(("layers", DEEP, "mapping", "crossbars"), 143)],
            ["layers.4.mapping.crossbars", "copies x tiles x slices", "144", "143"],
        ),
        ([(("layers", STEM, "place", "partner"), None)], ["layers.4.place.partner", "4", "None"]),
        ([(("layers", STEM, "place", "partner"), 99)], ["layers.0.place.partner", "another", "99"]),
        (
            [(("layers", STEM, "place", "partner"), JOIN)],
            ["layers.0.place.partner", "weights", "2"],
        ),
        ([(("layers", DEEP, "place", "macros"), 2)], ["layers.4.place.macros", "3", "2"]),
        ([(("layers", 1, "place", "first_macro"), 2)], ["layers.1.place.first_macro", "3", "2"]),
        ([(("layers", 1, "place", "merge_macro"), 3)], ["layers.1.place.merge_macro", "4", "3"]),
        ([(("layers", JOIN, "place", "merge_macro"), 1)], ["layers.2.place.merge_macro", "2"]),
        ([(("layers", HEAD, "counts", "adc"), 0)], ["layers.6.counts.adc", "at least 1", "0"]),
        ([(("layers", DEEP, "counts", "adc"), 0)], ["layers.0.counts.adc", "its partner", "0"]),
        ([(("layers", JOIN, "counts", "adc"), 1)], ["layers.2.counts.adc", "0", "1"]),
        ([(("layers", DEEP, "counts", "dac"), 1)], ["layers.4.counts.dac", "13824", "1"]),
        ([(("mesh", "macros"), 7)], ["mesh.macros", "6", "7"]),
        ([(("mesh", "columns"), 3)], ["mesh.columns", "2", "3"]),
        ([(("mesh", "rows"), 4)], ["mesh.rows", "3", "4"]),
    ],
)
def test_numbers_that_do_not_follow(
    written: Callable[..., Path], changes: list[Change], words: list[str]
) -> None:
    refused(written(*changes), words)


@pytest.mark.dear("changes8-words8")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([(("step_ns",), ...)], ["step_ns", "present"]),
        ([(("layers", STEM, "counts", "pool"), ...)], ["layers.0.counts.pool", "present"]),
        ([(("speed",), 1)], ["speed", "unknown key"]),
        ([(("step_ns",), 0)], ["step_ns", "greater than 0"]),
        ([(("step_ns",), float("inf"))], ["step_ns", "finite"]),
        ([(("layers", STEM, "mapping", "copies"), 0)], ["layers.0.mapping.copies", "0"]),
        ([(("layers",), [])], ["layers", "at least 1"]),
        ([(("version",), 5)], ["version", "4", "5"]),
        ([(("digest",), ...)], ["digest", "present"]),
        ([(("power_budget_w",), 4.0)], ["digest", "not changed by hand"]),
    ],
)
def test_incomplete_files(
    written: Callable[..., Path], changes: list[Change], words: list[str]
) -> None:
    refused(written(*changes), words)


def test_more_macros_than_row_tiles_of_all_copies(written: Callable[..., Path]) -> None:
    head = ("layers", HEAD, "place")
    more = [((*head, "macros"), 4), ((*head, "merge_macro"), 8), (("mesh", "macros"), 9)]
    refused(written(*more), ["layers.6.place.macros", "at most copies x row_tiles (3)", "4"])


@pytest.mark.parametrize("version", [1, 2, 3])
def test_earlier_versions(written: Callable[..., Path], version: int) -> None:
    """The sentence has the command that makes a new file."""
    words = ["version must be 4", "`hwgen synthesize NETWORK --power-w 3`", f"got {version}"]
    refused(written((("version",), version)), words)


def test_published_rules_describe_no_chip(arch: Arch) -> None:
    assert fabric_of_chip(arch, "arch.yaml") is arch.fabric
    other = SimpleNamespace(fabric=None, power_budget_w=3.0, rules="published")
    with pytest.raises(ConfigError, match="`hwgen synthesize NETWORK --power-w 3 --rules strict`"):
        fabric_of_chip(cast(Arch, other), "arch.yaml")


Keys = tuple[str | int, ...]


def leaves(content: Any, path: Keys = ()) -> Iterator[tuple[Keys, object]]:
    """Yield the path and the value of everything that holds nothing else."""
    if isinstance(content, dict | list):
        pairs = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in pairs:
            yield from leaves(value, (*path, key))
    else:
        yield path, content


def test_no_field_can_be_changed(arch: Arch) -> None:
    """One value of each field, the last one of a list; what differs is told in one sentence."""
    content: Any = yaml.safe_load(arch_text(arch))
    fields: dict[str, tuple[Keys, object]] = {}
    for path, value in leaves(content):
        fields[".".join("" if isinstance(key, int) else key for key in path)] = path, value
    assert len(fields) > 200
    arch_of(content, "arch.yaml")
    for (*place, last), value in fields.values():
        if last == "name" and not place:
            continue
        changed = deepcopy(content)
        inside = changed
        for key in place:
            inside = inside[key]
        inside[last] = other_than(value)
        with pytest.raises(ConfigError) as error:
            arch_of(changed, "arch.yaml")
        assert "\n" not in str(error.value) and "arch.yaml" in str(error.value), (place, last)


def other_than(value: object) -> object:
    """A value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}1"


def refused(file: Path, words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load_arch(file)
    for word in (*words, "arch.yaml"):
        assert word in str(error.value)
    assert "\n" not in str(error.value)
