"""Which family a file belongs to, and the rooms of that family.

Commands that start from an architecture know no family by name. A new family is a sub-package of
that name in each room, whose `__init__` offers what `hwgen.flow.protocols` says. It may begin with
`hwgen.spec` alone: `ROOMS` there names the others that it has, and a command that needs another one
says so in a sentence.
"""

import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import hwgen.spec
from hwgen.errors import FamilyError, FormatError
from hwgen.flow.protocols import (
    Architecture,
    CompilerRoom,
    GoldenRoom,
    ModelRoom,
    ProgramRoom,
    RtlRoom,
    SpecRoom,
    VerifRoom,
)
from hwgen.flow.rooms import load
from hwgen.spec.load import read_mapping

FORMAT = re.compile(r"hwgen\.(?P<family>\w+)\.(?P<kind>architecture|program)")


@dataclass(frozen=True)
class Room:
    """One room of a family: what it exports, and what to say where it is missing.

    package: where it stands, as `<package>.<family>`
    """

    package: str
    promise: type
    cannot: str
    lacks: str


ROOMS: Mapping[str, Room] = {
    "program": Room("hwgen.spec", ProgramRoom, "run a network", "programs"),
    "compiler": Room("hwgen.compiler", CompilerRoom, "compile a network", "compiler"),
    "model": Room("hwgen.model", ModelRoom, "predict cycles of programs", "cycle model"),
    "rtl": Room("hwgen.rtl", RtlRoom, "be built", "Verilog generator"),
    "golden": Room("golden", GoldenRoom, "compute golden answers", "reference"),
    "verif": Room("hwgen.sim", VerifRoom, "be simulated", "simulation"),
}
"""Every room but `hwgen.spec.<family>` itself, by the name that `ROOMS` there uses."""


@dataclass(frozen=True)
class Family:
    """One family, its rooms imported when asked for."""

    name: str

    @property
    def spec(self) -> SpecRoom:
        """Formats and facts."""
        return cast(SpecRoom, load(f"hwgen.spec.{self.name}"))

    @property
    def program(self) -> ProgramRoom:
        """Files of programs."""
        return cast(ProgramRoom, self.room("program"))

    @property
    def compiler(self) -> CompilerRoom:
        """Programs."""
        return cast(CompilerRoom, self.room("compiler"))

    @property
    def model(self) -> ModelRoom:
        """Cycles."""
        return cast(ModelRoom, self.room("model"))

    @property
    def rtl(self) -> RtlRoom:
        """Generators."""
        return cast(RtlRoom, self.room("rtl"))

    @property
    def golden(self) -> GoldenRoom:
        """Reference."""
        return cast(GoldenRoom, self.room("golden"))

    @property
    def verif(self) -> VerifRoom:
        """Simulation."""
        return cast(VerifRoom, self.room("verif"))

    def has(self, room: str) -> bool:
        """Return whether the family has a room."""
        return room in self.spec.ROOMS

    def room(self, name: str) -> Any:
        """Return a room, or say what this family cannot do without it."""
        room = ROOMS[name]
        if not self.has(name):
            raise FamilyError(
                f"the family {self.name} cannot {room.cannot} yet: it has no {room.lacks}"
            )
        return load(f"{room.package}.{self.name}")


def families() -> list[str]:
    """Return the families that `hwgen.spec` knows."""
    found = pkgutil.iter_modules(hwgen.spec.__path__)
    return sorted(module.name for module in found if module.ispkg)


def family_of(name_of_format: object, *, kind: str, source: str) -> Family:
    """Return the family of a file by its format, such as hwgen.<family>.architecture."""
    found = FORMAT.fullmatch(str(name_of_format))
    able = [name for name in families() if kind == "architecture" or Family(name).has(kind)]
    if found is None or found["kind"] != kind or found["family"] not in able:
        known = " or ".join(f"hwgen.{name}.{kind}" for name in able)
        raise FormatError(
            field="format", allowed=known, given=name_of_format or "nothing", source=source
        )
    return Family(found["family"])


def load_architecture(path: Path) -> tuple[Family, Architecture]:
    """Return an architecture and its family."""
    content = read_mapping(path)
    family = family_of(content.get("format"), kind="architecture", source=str(path))
    return family, family.spec.load_arch(path)
