"""Plus one: a family of one adder behind the shell; an example of a package with a chip."""

from hwgen.chip.family import Family
from hwgen.chip.protocols import Architectures, Verilog


class PlusOne(Family):
    """What the family offers; each method imports what it returns."""

    name = "adder"

    def architectures(self) -> Architectures:
        from plus_one import facts

        return facts

    def verilog(self) -> Verilog:
        from plus_one import rtl

        return rtl


FAMILY = PlusOne()
