r"""Compute next values of registers at the clock edge: simulators evaluate them once a cycle.

Yosys writes a register as two blocks. One computes its next value whenever any signal that it reads
changes, the reset included; one stores the value at the clock edge.

    always @* begin                 always @(posedge clk) begin
      if (\$start ) begin end
      \$7  = sum;                     \$7  = sum;
      if (rst) begin                  if (rst) begin
        \$7  = 8'h00;                   \$7  = 8'h00;
      end                             end
    end                               total <= \$7 ;
    always @(posedge clk)           end
      total <= \$7 ;

Where Verilator compiles a module on its own, it evaluates several times a cycle all logic that a
port reaches; the reset reaches all of the first form, and none of the second.
"""

import re
from collections import Counter

NAME = re.compile(r"\\\S+")
STORE = re.compile(
    r"^  always @\(posedge clk\)\n    (?P<register>\S+) +<= (?P<next>\\\S+) ;\n", re.M
)
LOGIC = re.compile(
    r"^  always @\* begin\n    if \(\\\$start \) begin end\n(?P<body>.*?)^  end\n", re.M | re.S
)
ASSIGNED = re.compile(r"^ +(?![ /])(.*?)(?: = .*)?;$", re.M)
"""The left side of each assignment of a block: a signal, a part of one, or several in braces."""


def clocked(module: str) -> str:
    """Return the text of a module with the next value of each register computed at the clock edge.

    module: as Yosys writes it. A block stays as it is unless it only assigns one signal that
    nothing but one register reads.
    """
    uses = Counter(NAME.findall(module))
    registers = {store["next"]: store["register"] for store in STORE.finditer(module)}
    moved: set[str] = set()

    def at_the_edge(block: re.Match[str]) -> str:
        body = block["body"]
        targets = {name for side in ASSIGNED.findall(body) for name in NAME.findall(side) or [""]}
        name = targets.pop() if len(targets) == 1 else ""
        # Beside its own block, a declaration and a register hold the name once each.
        if name not in registers or uses[name] != NAME.findall(body).count(name) + 2:
            return block[0]
        moved.add(name)
        return f"  always @(posedge clk) begin\n{body}    {registers[name]} <= {name} ;\n  end\n"

    text = LOGIC.sub(at_the_edge, module)
    return STORE.sub(lambda store: "" if store["next"] in moved else store[0], text)
