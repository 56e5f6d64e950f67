"""What a layout must be: the gates that were placed, their nets, and where each cell lies.

Tests: `tests/layout/test_checks.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import FormatError
from hwgen.layout.placement import Cell
from hwgen.layout.technology import Technology, technology_of

CIRCUITS = "cells.spice"
"""Of the cells of a technology, in its folder."""
RTL, REFERENCE = "rtl.v", "reference.json"
"""What was mapped, and what a check compares with: placed gates and their nets."""

Bits = Mapping[str, Sequence[int | None]]


@dataclass(frozen=True)
class Reference:
    """The mapped netlist and its places; nets by number.

    corner: of the rows, in nm; inputs, outputs: nets of the bits of each port
    gates: by name the nets of their pins
    """

    technology: Technology
    corner: tuple[int, int]
    inputs: Bits
    outputs: Bits
    gates: Mapping[str, Mapping[str, int]]
    cells: Sequence[Cell]

    def place_of(self, cell: Cell) -> tuple[str, int, int, bool]:
        """Return kind, origin in nm and whether it is mirrored, as GDS has it."""
        x = self.corner[0] + cell.column * self.technology.pitch[0]
        y = self.corner[1] + (cell.row + cell.row % 2) * self.technology.row
        return cell.kind, x, y, bool(cell.row % 2)

    @property
    def ports(self) -> dict[str, int]:
        """The net of each bit of a port."""
        return {
            name if len(bits) == 1 else f"{name}[{bit}]": net
            for ports in (self.inputs, self.outputs)
            for name, bits in ports.items()
            for bit, net in enumerate(bits)
            if net is not None
        }


def load_reference(folder: Path) -> Reference:
    """Return the reference of a folder; FormatError where there is none."""
    file = folder / REFERENCE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Reference(
            technology=technology_of(content["technology"]),
            corner=(content["corner"][0], content["corner"][1]),
            inputs=content["inputs"],
            outputs=content["outputs"],
            gates={name: pins for name, _, pins in content["gates"]},
            cells=[Cell(*each) for each in content["cells"]],
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise no_layout(folder, f"a whole {REFERENCE}") from None


def no_layout(folder: Path, lacks: str) -> FormatError:
    """Return the error of a folder that lacks what each layout has."""
    return FormatError(
        field="--check",
        allowed="a folder that hwgen layout wrote",
        given=f"one without {lacks}",
        source=str(folder),
    )
