"""Plus one: a family of one adder behind the shell; an example of a package with a chip."""

from hwgen.chip.family import FamilyDescription

FAMILY = FamilyDescription(
    name="adder", offers={"architectures": "plus_one.facts", "verilog": "plus_one.rtl"}
)
