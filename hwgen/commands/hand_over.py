"""What a flow of layout needs beside the Verilog of a chip: abstracts of its memories.

Tests: `tests/soc/test_librelane.py`.
"""

import re
from typing import TYPE_CHECKING, Literal

from hwgen.physical.abstracts import Abstract, times_of
from hwgen.physical.read_library import default_library, load_library
from hwgen.physical.timing_model import boundary_of
from hwgen.physical.wires import wire_table

if TYPE_CHECKING:
    from hwgen.chip.rtl.part import Part

Flow = Literal["librelane", "ulx3s", "tang20k", "arty"]
PIN_LAYER = "Metal3"
"""As IHP SG13G2 and GF180 name it; SKY130 says met3."""
LAYER = re.compile(r"(\w*[a-zA-Z_])(\d+)")
LEAST_BITS = 4096
"""Of a memory that is a block of a layout; a smaller one becomes gates."""
PORT = re.compile(r"^  (?:input|output) wire (?:\[(\d+):0\] )?\w+,?$", re.M)


def memory_abstracts(top: "Part", layer: str) -> list[Abstract]:
    """Return an abstract for each memory of a chip that is large, sized as in IHP SG13G2.

    layer: of its pins; power is on the next one
    """
    from hwgen.chip.rtl.memory_part import MemoryPart
    from hwgen.chip.rtl.replace import replaceable

    memories = [
        (part, part.asked())
        for part in replaceable(top).values()
        if isinstance(part, MemoryPart) and part.replacement is None
    ]
    large = [(part, cells) for part, cells in memories if cells.depth * cells.bits >= LEAST_BITS]
    if not large:
        return []
    library, _ = load_library(default_library())
    found, boundary = wire_table(library.name), boundary_of(library)
    assert found is not None
    return [
        Abstract(
            name=part.module_name,
            ports=tuple(part.ports()),
            words=cells.depth,
            bits=cells.depth * cells.bits,
            um2=found.table.memory_um2(cells.depth * cells.bits),
            layer=layer,
            power_layer=next_layer(layer),
            clocked=cells.read_en is not None,
            **times_of(cells.depth, boundary),
        )
        for part, cells in large
    ]


def next_layer(layer: str) -> str:
    """Return the name of the metal above another one."""
    found = LAYER.fullmatch(layer)
    assert found is not None
    return f"{found[1]}{int(found[2]) + 1}"


def pins_in(wrapper: str) -> int:
    """Return the pins of a wrapper, one a bit."""
    return sum(int(high or 0) + 1 for high in PORT.findall(wrapper))
