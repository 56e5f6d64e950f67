"""What a family of accelerators says of itself, so that the commands find what it offers."""

from collections.abc import Mapping
from dataclasses import dataclass

GROUP = "hwgen.families"
"""Entry points of this group name a `FamilyDescription`; the entry point has the family's name."""


@dataclass(frozen=True, kw_only=True)
class FamilyDescription:
    """A family: its name, and the module in which each of its capabilities stands.

    An installed package declares it as an entry point, in its `pyproject.toml`:

        [project.entry-points."hwgen.families"]
        adder = "my_adder.family:FAMILY"

    name: as in the formats of its files, `hwgen.<name>.architecture`
    offers: importable module by capability; `hwgen.flow.capabilities` lists the capabilities and
        `hwgen.flow.protocols` says what each module exports
    """

    name: str
    offers: Mapping[str, str]
