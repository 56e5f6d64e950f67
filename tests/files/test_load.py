"""A config is complete, or one sentence says what is wrong with it and where."""

from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import ConfigError, FieldError
from hwgen.files.load import EXACT, load_spec, read_mapping, validate_spec


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Round:
    """One member of a union."""

    kind: Literal["round"]
    radius_mm: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Square:
    """The other one."""

    kind: Literal["square"]
    side_mm: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Config:
    """A config with one field of each sort."""

    rows: Annotated[int, Field(ge=1, le=256)]
    clock_mhz: float
    skip: bool
    colour: Literal["red", "blue"]
    shape: Annotated[Round | Square, Field(discriminator="kind")]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=8)] = "it"
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = "0" * 64
    sizes: Annotated[tuple[int, ...], Field(max_length=2)] = ()
    stem: Round | None = None
    rounds: tuple[Round, ...] = ()

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a pair of sizes that are equal."""
        if len(set(self.sizes)) < len(self.sizes):
            raise FieldError(f"sizes of {self.name}|a", "each | of another | size", self.sizes)
        return self


GOOD = """
rows: 3
clock_mhz: 500
skip: true
colour: red
shape: {kind: round, radius_mm: 2}
"""


def load(text: str, folder: Path) -> Config:
    path = folder / "mine.yaml"
    path.write_text(text)
    return load_spec(Config, path)


def test_complete_config(tmp_path: Path) -> None:
    config = load(GOOD, tmp_path)
    shape = Round(kind="round", radius_mm=2.0)
    assert config == Config(rows=3, clock_mhz=500.0, skip=True, colour="red", shape=shape)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("rows: 3\n", "", "rows must be present, got nothing"),
        (
            "rows: 3\n",
            "rows: 3\nspeed: 1\n",
            "speed must be a known key, got the unknown key speed",
        ),
        (
            "rows: 3\n",
            "rwos: 3\n",
            "rwos must be a known key, got the unknown key rwos: did you mean rows?",
        ),
        (
            "rows: 3\n",
            "rows: 3\nsize: [1]\n",
            "size must be a known key, got the unknown key size: did you mean sizes?",
        ),
        (
            "radius_mm: 2",
            "radios_mm: 2",
            "shape.round.radios_mm must be a known key, got the unknown key radios_mm: did you mean"
            " radius_mm?",
        ),
        (
            "rows: 3",
            "rows: 3\nrounds: [{kind: round, radius_mm: 2}, {kind: round, radius: 2}]",
            "rounds.1.radius must be a known key, got the unknown key radius: did you mean"
            " radius_mm?",
        ),
        ("rows: 3", "rows: 0", "rows must be greater than or equal to 1, got 0"),
        ("rows: 3", "rows: 257", "rows must be less than or equal to 256, got 257"),
        ("rows: 3", "rows: yes", "rows must be a valid integer, got True"),
        ("rows: 3", "rows: '3'", "rows must be a valid integer, got '3'"),
        ("rows: 3", "rows: 3.5", "rows must be a valid integer, got 3.5"),
        ("skip: true", "skip: 1", "skip must be a valid boolean, got 1"),
        ("colour: red", "colour: pink", "colour must be 'red' or 'blue', got 'pink'"),
        ("radius_mm: 2", "", "shape.round.radius_mm must be present, got nothing"),
        (
            "kind: round",
            "kind: oval",
            "shape.kind must be one of 'round', 'square', got 'oval'",
        ),
        ("kind: round, ", "", "shape.kind must be present, got nothing"),
        (
            "rows: 3",
            "rows: 3\nname: größe",
            "name must be of letters from A to z, digits, _ and -, got 'größe'",
        ),
        (
            "rows: 3",
            "rows: 3\ndigest: abc",
            "digest must be a digest: 64 digits from 0 to f, got 'abc'",
        ),
        (
            "rows: 3",
            "rows: 3\nname: a_long_name",
            "name must be at most 8 characters long, got 'a_long_name'",
        ),
        ("rows: 3", "rows: 3\nsizes: [1, 2, 3]", "sizes must be at most 2 long, got [1, 2, 3]"),
        ("rows: 3", "rows: 3\nsizes: 3", "sizes must be a list, got 3"),
        ("rows: 3", "rows: 3\nstem: 3", "stem must be a mapping, got 3"),
        (
            "rows: 3",
            "rows: 3\nsizes: [1, 1]",
            "sizes of it|a must be each | of another | size, got (1, 1)",
        ),
    ],
)
def test_mistakes_are_one_sentence(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new), tmp_path)
    assert str(caught.value) == f"{sentence} ({tmp_path / 'mine.yaml'})"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- 1\n", "the config must be a mapping, got a list"),
        ("", "the config must be a mapping, got nothing"),
        ("# only a comment\n", "the config must be a mapping, got nothing"),
        ("3\n", "the config must be a mapping, got a single value"),
        (
            "rows: [",
            "the config must be YAML, got a mistake in line 1, column 8: expected the node content,"
            " but found the end of the file",
        ),
        ("rows: 3\n  name: x", "the config must be YAML, got a mistake in line 2, column 7: "),
        ("rows: 2020-13-45", "the config must be YAML, got"),
        ("[" * 1000, "the config must be at most 50 levels deep, got more"),
        ("rows: !!python/object:os.system 1", "the config must be YAML, got"),
    ],
)
def test_files_that_are_no_config(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, tmp_path)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value) and "<unicode string>" not in str(caught.value)


def test_missing_unreadable_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the config must be a file, got no file"):
        load_spec(Config, tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="the config must be a file, got a folder"):
        load_spec(Config, tmp_path)
    (tmp_path / "image.yaml").write_bytes(bytes([0x89, 0xFF, 0x00]))
    with pytest.raises(ConfigError, match="the config must be YAML, got"):
        load_spec(Config, tmp_path / "image.yaml")


def test_a_long_value_is_cut() -> None:
    given = {"rows": {"nested": list(range(100))}}
    with pytest.raises(ConfigError) as caught:
        validate_spec(Config, given, source="here")
    assert len(str(caught.value)) < 140


DUPLICATES = {
    "at the top": ("rows: 1\nskip: true\nrows: 1\n", "rows", "in lines 1 and 3"),
    "inside": ("shape:\n  kind: round\n  'kind': round\n", "kind", "in lines 2 and 3"),
    "in one line": ("shape: {a: 1, a: 1}\n", "a", "twice in line 1"),
    "in a list": ("- {a: 1}\n- b: 1\n  b: 2\n", "b", "in lines 2 and 3"),
    "of one value": ("yes: 1\ntrue: 2\n", "True", "in lines 1 and 2"),
    "two merges": ("a: &a {k: 1}\nb: {<<: *a, <<: *a}\n", "<<", "twice in line 2"),
    "under an anchor": ("a: &a\n  k: 1\n  k: 1\nb: {<<: *a}\n", "k", "in lines 2 and 3"),
}


@pytest.mark.promise(
    "a key that a YAML gives twice is one sentence with its lines; merges give way"
)
@pytest.mark.parametrize("case", DUPLICATES)
def test_a_key_that_is_given_twice(case: str, tmp_path: Path) -> None:
    text, key, places = DUPLICATES[case]
    path = tmp_path / "twice.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_mapping(path)
    assert str(caught.value) == (
        f"the key {key} must be given once in its mapping, got it {places} ({path})"
    )


def test_one_key_in_several_mappings(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text("a: {k: 1}\nb: {k: 2, a: {k: 3}}\n'=': 1\n")
    assert read_mapping(path) == {"a": {"k": 1}, "b": {"k": 2, "a": {"k": 3}}, "=": 1}


def test_a_merge_gives_way(tmp_path: Path) -> None:
    path = tmp_path / "merged.yaml"
    path.write_text(
        "a: &a {k: 1, l: 1}\nb: &b {<<: *a, k: 2}\nc: {<<: *b, l: 3}\nd: {<<: [*b, *a]}\n"
    )
    merged = read_mapping(path)
    assert [merged[name] for name in "bcd"] == [
        {"k": 2, "l": 1},
        {"k": 2, "l": 3},
        {"k": 2, "l": 1},
    ]


@pytest.mark.promise(
    "YAML holds the values of JSON, bounded, each key once; anything else is refused at once"
)
@pytest.mark.parametrize("value", ["true", "1.0"])
def test_a_version_is_an_integer(value: str, tmp_path: Path) -> None:
    """Python takes true and 1.0 for 1."""
    with pytest.raises(ConfigError, match="version must be an integer, got"):
        load(f"version: {value}\n{GOOD}", tmp_path)
