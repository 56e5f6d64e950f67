"""Which family a file belongs to, and the rooms of that family.

Nothing in flow, report or the command line knows a family by name. A new family is a sub-package
of that name in each room, whose `__init__` offers what `hwgen.flow.protocols` says.
"""

import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import hwgen.spec
from hwgen.errors import FormatError
from hwgen.flow.protocols import (
    Architecture,
    CompilerRoom,
    GoldenRoom,
    ModelRoom,
    RtlRoom,
    SpecRoom,
    VerifRoom,
)
from hwgen.flow.rooms import load
from hwgen.spec.load import read_mapping

FORMAT = re.compile(r"hwgen\.(?P<family>\w+)\.(?P<kind>architecture|program)")

ROOMS: Mapping[str, type] = {
    "hwgen.spec": SpecRoom,
    "hwgen.compiler": CompilerRoom,
    "hwgen.model": ModelRoom,
    "hwgen.rtl": RtlRoom,
    "golden": GoldenRoom,
    "verif": VerifRoom,
}


@dataclass(frozen=True)
class Family:
    """One family, its rooms imported when asked for."""

    name: str

    @property
    def spec(self) -> SpecRoom:
        """Formats and facts."""
        return cast(SpecRoom, load(f"hwgen.spec.{self.name}"))

    @property
    def compiler(self) -> CompilerRoom:
        """Programs."""
        return cast(CompilerRoom, load(f"hwgen.compiler.{self.name}"))

    @property
    def model(self) -> ModelRoom:
        """Cycles."""
        return cast(ModelRoom, load(f"hwgen.model.{self.name}"))

    @property
    def rtl(self) -> RtlRoom:
        """Generators."""
        return cast(RtlRoom, load(f"hwgen.rtl.{self.name}"))

    @property
    def golden(self) -> GoldenRoom:
        """Reference."""
        return cast(GoldenRoom, load(f"golden.{self.name}"))

    @property
    def verif(self) -> VerifRoom:
        """Simulation."""
        return cast(VerifRoom, load(f"verif.{self.name}"))


def families() -> list[str]:
    """Return the families that `hwgen.spec` knows."""
    found = pkgutil.iter_modules(hwgen.spec.__path__)
    return sorted(module.name for module in found if module.ispkg)


def family_of(name_of_format: object, *, kind: str, source: str) -> Family:
    """Return the family of a file by its format, such as hwgen.<family>.architecture."""
    found = FORMAT.fullmatch(str(name_of_format))
    if found is None or found["kind"] != kind or found["family"] not in families():
        known = " or ".join(f"hwgen.{name}.{kind}" for name in families())
        raise FormatError(
            field="format", allowed=known, given=name_of_format or "nothing", source=source
        )
    return Family(found["family"])


def load_architecture(path: Path) -> tuple[Family, Architecture]:
    """Return an architecture and its family."""
    content = read_mapping(path)
    family = family_of(content.get("format"), kind="architecture", source=str(path))
    return family, family.spec.load_arch(path)
