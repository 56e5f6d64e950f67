"""The reports of `hwgen list`, what ships, and of `hwgen doctor`, what is installed."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, Fraction


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ShippedFile:
    """A file that ships: what it is in a line, and the name that a command takes for it.

    weights, classes: of a network, null for any other file
    accuracy: in integers on the test images, where the record of its training lies beside it
    """

    kind: str
    name: str
    about: str
    weights: Count | None = None
    classes: Count | None = None
    accuracy: Fraction | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CatalogueReport:
    """The files that ship."""

    format: Literal["hwgen.report.list"]
    version: Literal[1]
    files: list[ShippedFile]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Tool:
    """A program that hwgen calls; found: its version and its path, null where there is none.

    need: what it is for; cure: how it is installed
    """

    name: str
    need: str
    found: str | None
    cure: str


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Extra:
    """An extra of hwgen: the packages that it brings, and the names of those that are not there.

    packages: with the range of their versions; versions: of those that are there, by name
    outdated: installed packages, with their version, that are not of the range that hwgen asks for
    """

    name: str
    need: str
    packages: list[str]
    versions: dict[str, str]
    missing: list[str]
    outdated: list[str]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class DoctorReport:
    """What is installed beside hwgen, and what this machine gives it.

    cores: that this process may use; cache_bytes: of the user's cache and of the work folder's
    extras: what hwgen itself needs first, under the name of the package
    """

    format: Literal["hwgen.report.doctor"]
    version: Literal[1]
    hwgen: str
    python: str
    machine: str
    cores: Count
    cache: str
    work: str
    cache_bytes: Count
    families: list[str]
    tools: list[Tool]
    extras: list[Extra]
