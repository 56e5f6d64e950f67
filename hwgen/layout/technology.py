"""A technology: lattice, metals, cuts, rails, straps and fillers of a PDK, and its cells.

Tests: `tests/layout/test_layout.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from hwgen.chip.figures import Positive
from hwgen.errors import ConfigError
from hwgen.files.load import EXACT, load_spec
from hwgen.files.shipped import shipped_folder
from hwgen.physical.cells import Library
from hwgen.physical.read_library import load_library

Text = Annotated[str, Field(min_length=1)]
Length = Annotated[int, Field(gt=0)]
"""In nm."""
Pair = Annotated[list[int], Field(min_length=2, max_length=2)]
"""A layer of GDS and its data type, or a size in x and y."""


@checked(frozen=True, kw_only=True, config=EXACT)
class Metal:
    """A metal of the router.

    across: its wires are horizontal; every: of the tracks one in so many is used; area: the least,
    in nm2; thick: its height; ohm, pf: of 1 um
    """

    name: Text
    gds: Pair
    across: bool
    width: Length
    space: Length
    every: Literal[1, 2]
    area: Length
    thick: Length
    ohm: Positive
    pf: Positive


@checked(frozen=True, kw_only=True, config=EXACT)
class Cut:
    """A via: side of its cut, and width and height of its pads on the metal below and above."""

    name: Text
    gds: Pair
    size: Length
    below: Pair
    above: Pair
    ohm: Positive


@checked(frozen=True, kw_only=True, config=EXACT)
class CutRow:
    """A row of cuts of a strap; first: left edge of the first, from the middle of the strap."""

    gds: Pair
    size: Length
    first: int
    step: Length
    count: Length


@checked(frozen=True, kw_only=True, config=EXACT)
class Pad:
    """A pad around a point: half its width and height."""

    gds: Pair
    half: Pair


@checked(frozen=True, kw_only=True, config=EXACT)
class Straps:
    """Pairs of power straps on the highest metal; gap: of their middles; every: of the pairs."""

    width: Length
    gap: Length
    every: Length
    cuts: list[CutRow]
    pads: list[Pad]


@checked(frozen=True, kw_only=True, config=EXACT)
class Rail:
    """The power rails between rows: half their height."""

    gds: Pair
    half: Length


@checked(frozen=True, kw_only=True, config=EXACT)
class PinLayer:
    """Where pins are: the number of the metal, the layer of pins and that of their names."""

    metal: int
    gds: Pair
    label: Pair


@checked(frozen=True, kw_only=True, config=EXACT)
class Label:
    """Names that cells and pins have: texts of a layer, on which layer of metal."""

    layer: Pair
    gds: Pair


@checked(frozen=True, kw_only=True, config=EXACT)
class Deck:
    """The rules of a PDK: package and file, its parts, other switches, and rules in all parts."""

    package: Text
    file: Text
    parts: list[Text]
    switches: list[Text]
    rules: Length


@checked(frozen=True, kw_only=True, config=EXACT)
class Technology:
    """A file of `configs/layout`; lengths in nm.

    microlane: its name of the PDK; corners: of the libraries, the usual one first
    pitch: of the tracks in x and y; a site is as wide as the first; row: height of a row
    cap, tap: cells at the ends of rows and within; tap_every: sites; fillers: the widest first
    power: nets of low and high; wells: pins of cells that are on them
    conductors: layers from the pins of cells up, metals and cuts by turns
    antenna: most um2 of side walls of a metal over a um2 of gates
    """

    format: Literal["hwgen.layout"]
    version: Literal[1]
    name: Text
    microlane: Text
    corners: list[Text]
    pitch: Pair
    row: Length
    cap: Text
    tap: Text
    tap_every: Length
    fillers: list[Text]
    metals: list[Metal]
    cuts: list[Cut]
    pin_cut: Cut
    rail: Rail
    straps: Straps
    power: Annotated[list[Text], Field(min_length=2, max_length=2)]
    wells: dict[Text, Text]
    pin: PinLayer
    power_pin: PinLayer
    boundary: Pair
    conductors: list[Pair]
    labels: list[Label]
    antenna: Positive
    deck: Deck
    source: Text

    @property
    def folder(self) -> Path:
        """The folder of its libraries and circuits."""
        return shipped_folder() / "layout" / self.name

    def library(self, corner: str) -> Library:
        """Return the library of a corner."""
        return load_library(self.folder / f"{corner}.lib.gz")[0]

    def net_of(self, pin: str) -> str:
        """Return the power net of a power pin or well."""
        return self.wells.get(pin, pin)


def technologies() -> list[str]:
    """Return the names of the technologies that ship."""
    return sorted(path.stem for path in (shipped_folder() / "layout").glob("*.yaml"))


def technology_of(name: str) -> Technology:
    """Return the technology of a name; ConfigError for one that does not ship."""
    if name not in technologies():
        raise ConfigError(
            field="--pdk", allowed=", ".join(technologies()), given=name, source="command line"
        )
    return load_spec(Technology, shipped_folder() / "layout" / f"{name}.yaml")


@dataclass(frozen=True)
class Access:
    """A point where a pin of a cell may be met: layer, x and y in nm from its corner."""

    layer: str
    x: int
    y: int


@dataclass(frozen=True)
class Shape:
    """The outside of a cell.

    sites: its width; pins: ways to meet each; blocked: layer and box of inner metal; nm
    logic: it has a circuit of its own in the netlist
    """

    sites: int
    pins: Mapping[str, Sequence[Access]]
    blocked: Sequence[tuple[str, int, int, int, int]]
    logic: bool


class Drawings:
    """The drawn cells of a technology, as the package microlane holds them."""

    def __init__(self, technology: Technology) -> None:
        from microlane.tech import load_tech_data

        self._data: Mapping[str, Any] = load_tech_data(technology.microlane)

    @property
    def gds(self) -> Path:
        """The file of all cells."""
        return Path(self._data["std_cells_gds"])

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """The outside of each cell."""
        return {
            name: Shape(
                sites=each["sites"][0],
                pins={
                    pin: [Access(*access[:3]) for access in found]
                    for pin, found in each["pins"].items()
                },
                blocked=each["blockages"],
                logic="logic" in each["roles"],
            )
            for name, each in self._data["std_cells"].items()
        }
