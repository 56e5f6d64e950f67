"""A YAML file holds the values of JSON, is bounded, and is refused at once where it is not."""

import os
import time
from pathlib import Path

import pytest

from hwgen.errors import ConfigError
from hwgen.files.yaml_file import MOST_BYTES, MOST_VALUES, read_mapping

AT_ONCE_S = 5.0
"""Of processor time."""

ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]\n" for i in range(1, 12)
)
MERGES = (
    "a: &a {" + ", ".join(f"k{i}: 1" for i in range(500)) + "}\n"
    "b: {<<: [" + ", ".join(["*a"] * 500) + "]}\n"
)

REFUSED = {
    "itself": ("rows: &a\n  k: *a\n", "rows.k must be free of itself, got an alias"),
    "itself in a list": ("rows: &a [*a]\n", "rows.0 must be free of itself, got an alias"),
    "aliases": (ALIASES, f"the config must be of at most {MOST_VALUES:,} values"),
    "merges": (MERGES, f"the config must be of at most {MOST_VALUES:,} values"),
    "values": ("a: [" + "1," * 60_000 + "]", f"the config must be of at most {MOST_VALUES:,}"),
    "levels": ("a: " + "[" * 1000 + "]" * 1000, "the config must be at most 50 levels deep"),
    "bytes": ("#" * (MOST_BYTES + 1), f"the config must be a file of at most {MOST_BYTES:,} bytes"),
    "integer key": ("1: 2\n", "every key of the config must be text, got 1 (int)"),
    "date key": ("2026-01-01: 1\n", "every key of the config must be text, got 2026-01-01 (date)"),
    "no key": ("a: {~: 1}\n", "every key of a must be text, got None (NoneType)"),
    "true key": ("a: [{yes: 1}]\n", "every key of a.0 must be text, got True (bool)"),
    "date": ("a: 2026-01-01\n", "a must be text, a number, a list or a mapping, got 2026-01-01"),
    "bytes value": ("a: !!binary aGVsbG8=\n", "a must be text, a number, a list or a mapping"),
    "set": ("a: !!set {b, c}\n", "a must be text, a number, a list or a mapping, got"),
    "nan": ("a: {b: .nan}\n", "a.b must be a finite number, got nan"),
    "infinity": ("a: -.inf\n", "a must be a finite number, got -inf"),
    "long integer": (f"a: {'9' * 400}\n", "a must be an integer of at most 64 bits"),
    "longer integer": (f"a: {'9' * 5000}\n", "the config must be YAML, got Exceeds"),
    "longest integer": (f"a: 0x{'f' * 9000}\n", "a must be an integer of at most 64 bits"),
    "object": ("a: !!python/object/apply:os.system [true]\n", "the config must be YAML, got"),
}


@pytest.mark.promise(
    "YAML holds the values of JSON, bounded, each key once; anything else is refused at once"
)
@pytest.mark.parametrize("case", REFUSED)
def test_what_json_does_not_have(case: str, tmp_path: Path) -> None:
    text, sentence = REFUSED[case]
    path = tmp_path / "given.yaml"
    path.write_text(text)
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        read_mapping(path)
    assert time.process_time() - began < AT_ONCE_S
    assert str(caught.value).startswith(sentence)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "."])
def test_what_is_no_file(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"the config must be a file, got a (device|folder)"):
        read_mapping(tmp_path / name)


def test_an_alias_may_stand_twice(tmp_path: Path) -> None:
    path = tmp_path / "given.yaml"
    path.write_text("a: &a {k: [1, 2.5, yes, ~, x]}\nb: *a\nc: *a\n")
    content = read_mapping(path)
    assert content["a"] == content["b"] == content["c"] == {"k": [1, 2.5, True, None, "x"]}
