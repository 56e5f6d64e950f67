"""Find the family of a file, and what that family offers.

Commands know no family by name. Every installed package, this one too, declares its families as
entry points of the group `hwgen.families`. Each entry point names a `Family`, an object with a
method for each capability. A command asks for a capability; a family that lacks it is one
sentence. A family that cannot be imported disturbs no command that does not use it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from hwgen.chip.family import GROUP, Family
from hwgen.chip.page_protocols import Graphs
from hwgen.chip.protocols import Architecture
from hwgen.commands.packages import optional_packages
from hwgen.errors import FamilyError, FormatError
from hwgen.files.load import read_mapping
from hwgen.files.shipped import file_of, tables

FORMAT = re.compile(r"hwgen\.(?P<family>\w+)\.(?P<kind>architecture|program)")
ARCHITECTURE = re.compile(r"^format: hwgen\.\w+\.architecture$", re.MULTILINE)
KINDS: dict[str, Callable[[Family], Any]] = {
    "architecture": Family.architectures,
    "program": Family.programs,
}
PROJECT = "hwgen"
"""The package of the families that this project ships."""

SHARED = ("hwgen.chip", "hwgen.files", "hwgen.network")
"""Packages that every family stands on."""

Promise = TypeVar("Promise")


@dataclass(frozen=True)
class InstalledFamily:
    """A family that a package declares; it is imported when something of it is asked for."""

    name: str
    entry_point: EntryPoint

    @property
    def code(self) -> tuple[str, ...]:
        """The packages whose code decides what chips of this family do."""
        return (*SHARED, self.entry_point.module)

    @property
    def package(self) -> str:
        """The installed package that declares the family."""
        return self.entry_point.dist.name if self.entry_point.dist else "an unknown package"

    @cached_property
    def family(self) -> Family:
        """The object that the entry point names, checked."""
        given = self._import(self.entry_point.load)
        if not isinstance(given, Family) or given.name != self.name:
            raise self._broken(f"{self.entry_point.value} must be the family {self.name}")
        unknown = [
            name for name in vars(type(given)) if name[0] != "_" and name not in vars(Family)
        ]
        if unknown:
            raise self._broken(f"{unknown[0]} is no capability")
        return given

    def offers(self, capability: Callable[[Family], Any]) -> bool:
        """Return whether the family has a capability, such as `Family.compiler`."""
        return self.family.offers(capability)

    def need(self, capability: Callable[[Family], Promise]) -> Promise:
        """Return what gives a capability; FamilyError if this family has none."""
        with optional_packages():
            given: Promise = self._import(getattr(self.family, capability.__name__))
        return given

    def _import(self, action: Any) -> Any:
        """Return what `action` imports; in another package every failure is one sentence."""
        try:
            return action()
        except FamilyError:
            raise
        except Exception as error:
            if self.package == PROJECT:
                raise
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise self._broken(f"it cannot be imported ({reason})") from error

    def _broken(self, reason: str) -> FamilyError:
        """Return the error for a package whose entry point does not give what it promises."""
        return FamilyError(
            f"the family {self.name} of the package {self.package} cannot be used: {reason}"
        )


def families() -> dict[str, InstalledFamily]:
    """Return all families by name, in order, without importing any of them.

    Of two with one name the one of this project counts, else that of the first package by name.
    """
    found = [InstalledFamily(each.name, each) for each in entry_points(group=GROUP)]
    if not any(family.package == PROJECT for family in found):
        raise FamilyError(
            "the families of hwgen must be registered by an installation of this version, got none:"
            " run pip install . in its folder, in a checkout scripts/setup"
        )
    found.sort(key=lambda family: (family.name, family.package != PROJECT, family.package))
    known: dict[str, InstalledFamily] = {}
    for family in found:
        known.setdefault(family.name, family)
    return known


def code_of_families() -> tuple[str, ...]:
    """Return the packages whose code decides what any chip does."""
    return (*SHARED, *(family.entry_point.module for family in families().values()))


def offering(capability: Callable[[Family], Any]) -> list[InstalledFamily]:
    """Return the families with a capability; one that cannot be imported has none."""
    able = []
    for family in families().values():
        try:
            if family.offers(capability):
                able.append(family)
        except FamilyError:
            continue
    return able


def graphs() -> Graphs:
    """Return the reader of networks without weights."""
    able = offering(Family.graphs)
    if not able:
        raise FamilyError("no family that is installed reads networks without weights")
    return able[0].need(Family.graphs)


def family_of(name_of_format: object, *, kind: str, source: str) -> InstalledFamily:
    """Return the family of a file by its format, such as hwgen.<family>.architecture."""
    found = FORMAT.fullmatch(str(name_of_format))
    if found is not None and found["kind"] == kind:
        family = families().get(found["family"])
        if family is not None and family.offers(KINDS[kind]):
            return family
    known = " or ".join(f"hwgen.{family.name}.{kind}" for family in offering(KINDS[kind]))
    raise FormatError(
        field="format", allowed=known, given=name_of_format or "nothing", source=source
    )


def load_architecture(path: Path) -> tuple[InstalledFamily, Architecture]:
    """Return an architecture and its family; path: of a file, or the name of one that ships."""
    file = architecture_file(path)
    content = read_mapping(file)
    family = family_of(content.get("format"), kind="architecture", source=str(path))
    return family, family.need(Family.architectures).load_arch(file)


def architecture_file(given: Path) -> Path:
    """Return the file of an architecture that may be named; ConfigError suggests names."""
    return given if given.suffix else file_of(given, architectures(), what="the architecture")


def architectures() -> dict[str, Path]:
    """Return the architectures that ship, by name."""
    found: dict[str, Path] = {}
    for family in offering(Family.compiler):
        for name, path in tables(family.name).items():
            if is_architecture(path):
                found[name] = path
    return found


def is_architecture(path: Path) -> bool:
    """Return whether a file that ships is an architecture, and not a table beside one."""
    return ARCHITECTURE.search(path.read_text(encoding="utf-8")) is not None
