"""Blocks that a simulator would never run: nothing that they read changes.

`always @*` runs when something that it reads changes. A register that has its value from an
`initial` line changes at time zero, an input may be the same from the beginning, as an address that
a bench sets where it declares it. A block that reads no such register reads one more, which nothing
else does.

    reg awake;  // it changes at time 0: a block whose inputs stay as they are runs once
    initial awake = 1'h1;
    always @* begin
      if (awake) begin end
      found = 1'h0;
      ...
"""

import re
from collections.abc import Iterator, Sequence

from hwgen.chip.rtl.atoms import CONSTANT
from hwgen.chip.rtl.netlist_text import Net, NetlistText
from hwgen.chip.rtl.wiring import NAMES

AWAKE = "awake"
SENTENCE = "it changes at time 0: a block whose inputs stay as they are runs once"
COMBINATIONAL = "  always @*"
NUMBER = re.compile(CONSTANT)


def wake(module: NetlistText) -> str:
    """Let each combinational block run at time zero; return the name of a register for it.

    The name is empty if no block needs one.
    """
    first = {name for name, net in module.nets.items() if net.initial}
    blocks = [lines for lines in module.blocks if lines[0].startswith(COMBINATIONAL)]
    asleep = [lines for lines in blocks if first.isdisjoint(names_in(lines))]
    if not asleep:
        return ""
    name = AWAKE
    while name in module.nets:
        name += "_"
    module.nets[name] = Net(1, is_register=True, initial="1'h1")
    for lines in asleep:
        body = lines[1:-1] if lines[0].endswith(" begin") else lines[1:]
        lines[:] = [f"{COMBINATIONAL} begin", f"    if ({name}) begin end", *body, "  end"]
    return name


def names_in(lines: Sequence[str]) -> Iterator[str]:
    """Yield the names in a block, whose own targets are none of the registers with a value."""
    for line in lines[1:]:
        yield from NAMES.findall(NUMBER.sub("", line))
