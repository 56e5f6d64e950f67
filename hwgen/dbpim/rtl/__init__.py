"""Generators of the DB-PIM chip, one component a file.

Every component but ``Requantizer`` and ``SimdLane`` has one keyword parameter, ``arch``: the sizes
and sparsity switches of the chip. ``Arch`` checks all sizes when it is made, so that no component
refuses one.

Example: the Verilog modules of one macro

    from hwgen.dbpim.rtl.macro import Macro
    from hwgen.chip.rtl.emit import verilog_modules

    modules = verilog_modules(Macro(arch=arch))  # {"dbpim_ipu": ..., "dbpim_macro": ...}
"""

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts import Arch


def make_chip(arch: Arch) -> Part:
    """Return the chip of an architecture, the top of its Verilog."""
    # Late: whoever uses one component does not need all the others.
    from hwgen.dbpim.rtl.chip import Chip

    return Chip(arch=arch)


def named_adders(arch: Arch) -> dict[str, str]:
    """Return Verilog for synthesis: by module name, the adder tree in its body of named adders.

    The adder tree replaces the module of the same name of the chip; the adders come beside it.
    """
    from hwgen.chip.rtl.emit import verilog_modules
    from hwgen.dbpim.rtl.adder_tree import AdderTree

    return verilog_modules(AdderTree(arch=arch, adders=True))
