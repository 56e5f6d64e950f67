"""The base of all parts that several families use."""

import re
from collections.abc import Mapping

from amaranth.lib.wiring import Member

from hwgen.chip.rtl.part import Part


class SharedPart(Part):
    """A part whose module carries the prefix of the family that places it.

    `Fifo(family="dbpim", depth=64, width=64)` becomes `dbpim_fifo_64x64`, so that the chip of one
    family holds no module of another.

    family: prefix of the module name, lower case
    Errors: ValueError for another prefix
    """

    def __init__(self, members: Mapping[str, Member], *, family: str) -> None:
        if not re.fullmatch("[a-z][a-z0-9]*", family):
            raise ValueError(f"family must be a word of lower case and digits, got {family!r}")
        self.family = family
        super().__init__(dict(members))
