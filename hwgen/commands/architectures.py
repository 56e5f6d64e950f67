"""Architectures that are read and checked, and requests for them.

Tests: `tests/api/test_chip_shown.py`, `tests/commands/test_sweep.py`.
"""

from dataclasses import KW_ONLY, dataclass, replace
from html import escape
from pathlib import Path
from typing import Annotated, Any

from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture
from hwgen.commands.context import Context
from hwgen.commands.families import InstalledFamily
from hwgen.commands.fields import ArchFile, File, Sparsity
from hwgen.commands.request import Is, Request, said_of, told_in_python
from hwgen.commands.subject import configuration_of, load_chip
from hwgen.files.load import shortened


@dataclass(frozen=True, kw_only=True, repr=False)
class LoadedArchitecture:
    """An architecture that was read and checked.

    parameters: the dataclass of its family, a field for each key of the file
    """

    file: Path
    family: InstalledFamily
    parameters: Architecture

    def __repr__(self) -> str:
        """Return family, name, clock and digest."""
        chip = self.parameters
        return f"<{self.family.name} chip {chip.name}, {chip.clock_mhz:g} MHz, {chip.digest[:16]}>"

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows: each key with its value."""
        rows = "".join(
            f"<tr><th>{escape(key)}</th><td>{escape(shortened(str(value)))}</td></tr>"
            for key, value in self.configuration.items()
        )
        return f"<table><caption>{escape(repr(self))}</caption>{rows}</table>"

    def __fspath__(self) -> str:
        """Return the path of the file."""
        return str(self.file)

    @property
    def name(self) -> str:
        """The name in the file."""
        return self.parameters.name

    @property
    def configuration(self) -> dict[str, Any]:
        """Every key with its value, as it takes effect."""
        return configuration_of(self.parameters)

    @property
    def switches(self) -> tuple[str, ...]:
        """The kinds of sparsity that can be on or off; empty for a family that has none."""
        return (
            tuple(self.family.need(Family.sparsity).SWITCHES)
            if self.family.offers(Family.sparsity)
            else ()
        )

    def with_sparsity(self, switches: str) -> "LoadedArchitecture":
        """Return the same chip with exactly these switches on: `all`, `none`, or names with commas.

        Raises ConfigError for an unknown switch, FamilyError for a family without switches.
        """
        with told_in_python(LoadArchitecture):
            parameters = self.family.need(Family.sparsity).with_sparsity(self.parameters, switches)
        return replace(self, parameters=parameters)


@dataclass(frozen=True)
class LoadArchitecture(Request):
    """Return the architecture of a YAML file, checked.

    Raises FormatError or ConfigError for a file of another format and for each wrong key.
    """

    file: ArchFile
    _: KW_ONLY
    sparsity: Sparsity = None

    def run(self) -> LoadedArchitecture:
        """Read the file."""
        file = Path(self.file)
        family, parameters = load_chip(file, self.sparsity)
        return LoadedArchitecture(file=file, family=family, parameters=parameters)


Arch = Annotated[
    Annotated[LoadedArchitecture, Is(LoadedArchitecture)] | File,
    said_of(ArchFile),
]
"""An architecture, or the path of its file."""


def chip_of(
    context: Context, architecture: Arch, sparsity: str | None = None
) -> LoadedArchitecture:
    """Return an architecture that may be the path of its file, with the switches asked for.

    The first file of some chips on a machine waits until what judges their steps is compiled.
    """
    if not isinstance(architecture, LoadedArchitecture):
        with context.progress(f"reading the architecture {architecture}"):
            return LoadArchitecture(architecture, sparsity=sparsity).run()
    return architecture if sparsity is None else architecture.with_sparsity(sparsity)
