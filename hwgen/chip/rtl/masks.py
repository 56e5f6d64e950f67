r"""An AND with a constant is one operation again: Yosys splits it into the bits that it keeps.

    assign { \$1 [3], \$1 [1] } = 2'h0;
    assign { \$1 [2], \$1 [0] } = { bits[2], bits[0] };

is, for simulators, a statement for each bit. It becomes

    assign \$1  = bits[3:0] & 4'h5;
"""

import re
from dataclasses import dataclass

SPLIT = re.compile(
    r"^  assign \{ (?P<cleared>[^}]+) \} = \d+'[dh]0+;\n"
    r"  assign \{ (?P<kept>[^}]+) \} = \{ (?P<source>[^}]+) \};\n",
    re.M,
)
PART = re.compile(r"(?P<name>\\\S+ |\w+)\[(?P<high>\d+)(?::(?P<low>\d+))?\]")
WIRE = re.compile(r"^  wire \[(?P<top>\d+):0\] (?P<name>\\\S+ |\w+);$", re.M)


@dataclass(frozen=True)
class Slice:
    """Bits `low` to `high` of a signal."""

    name: str
    low: int
    high: int

    @property
    def ones(self) -> int:
        """Return a number with ones at these bits."""
        return (2 << self.high) - (1 << self.low)


def masked(module: str) -> str:
    """Return the text of a module with each split AND as one assignment.

    module: as Yosys writes it. Assignments of parts that are no AND stay as they are.
    """
    tops = {wire["name"]: int(wire["top"]) for wire in WIRE.finditer(module)}

    def together(split: re.Match[str]) -> str:
        cleared, kept, source = (slices(split[name]) for name in ("cleared", "kept", "source"))
        targets = {part.name for part in cleared + kept}
        target, given = kept[0].name if kept else "", source[0].name if source else ""
        top, shift = tops.get(target, -1), source[0].low - kept[0].low if kept and source else 0
        moved = [Slice(given, part.low + shift, part.high + shift) for part in kept]
        mask = sum(part.ones for part in kept)
        zeros = sum(part.ones for part in cleared)
        every = (2 << top) - 1
        if targets != {target} or moved != source or mask ^ zeros != every or mask & zeros:
            return split[0]
        if not 0 <= shift <= tops.get(given, -1) - top:
            return split[0]
        return f"  assign {target} = {given}[{top + shift}:{shift}] & {top + 1}'h{mask:x};\n"

    return SPLIT.sub(together, module)


def slices(text: str) -> list[Slice]:
    """Return the slices of a list in braces; none if one of them is something else."""
    parts = [PART.fullmatch(item) for item in text.split(", ")]
    return [
        Slice(part["name"], int(part["low"] or part["high"]), int(part["high"]))
        for part in parts
        if part is not None and None not in parts
    ]
