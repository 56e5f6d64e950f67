"""The description of a family of accelerators, by which the commands find its capabilities."""

from collections.abc import Mapping
from dataclasses import dataclass

GROUP = "hwgen.families"
"""Entry points of this group name a `FamilyDescription`; the entry point has the family's name."""


@dataclass(frozen=True, kw_only=True)
class FamilyDescription:
    """A family: its name, and the module of each of its capabilities.

    An installed package declares it as an entry point, in its `pyproject.toml`:

        [project.entry-points."hwgen.families"]
        adder = "my_adder.family:FAMILY"

    name: as in the formats of its files, `hwgen.<name>.architecture`
    offers: importable module by capability; `hwgen.commands.capabilities` lists the capabilities,
        and `hwgen.chip.protocols` defines what each module exports
    """

    name: str
    offers: Mapping[str, str]
