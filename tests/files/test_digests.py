"""Digests of what a result was made from: which fields of a specification count."""

from dataclasses import dataclass

from hwgen.files.digests import digest_of, used_facts


@dataclass(frozen=True, kw_only=True)
class Part:
    """A specification in another one."""

    rows: int
    bits: int = 8


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A specification with a key that a file may leave out."""

    name: str
    part: Part
    more: Part | None = None
    fast: bool = False


def test_fields_that_hold_their_default_are_left_out_at_every_depth() -> None:
    plain = Whole(name="a", part=Part(rows=4))
    assert used_facts(plain) == {"name": "a", "part": {"rows": 4}}
    used = Whole(name="a", part=Part(rows=4, bits=4), more=Part(rows=8), fast=True)
    more = {"part": {"rows": 4, "bits": 4}, "more": {"rows": 8}, "fast": True}
    assert used_facts(used) == {"name": "a", **more}
    assert used_facts(used, without=("name",)) == more
    assert digest_of(used_facts(plain)) == digest_of({"part": {"rows": 4}, "name": "a"})
