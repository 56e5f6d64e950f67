"""Names of the nets that are left: after the variable of the source, else `_n1`, `_n2`.

The name ends in `_wide` where not all bits are read: Yosys' nets are as wide as the operation.
"""

import re
from collections import Counter

from hwgen.chip.rtl.atoms import NAME, PRIVATE
from hwgen.chip.rtl.clocked import TARGET
from hwgen.chip.rtl.netlist_text import NetlistText
from hwgen.chip.rtl.wiring import READ

NAMELESS = "_n"
WIDE = "_wide"
INSTANCE = re.compile(rf"  {NAME} ?(?:#\(|({NAME}) ?\()$")
WORDS = """
accept_on alias always and assert assign assume automatic before begin bind bins binsof bit break
buf byte case casex casez cell chandle checker class clocking config const constraint context
continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge
else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable
endtask enum event expect export extends extern final first_match for force foreach forever fork
forkjoin function generate genvar global highz0 highz1 if iff ifnone implies import incdir include
initial inout input inside instance int integer interface intersect join join_any join_none large
let liblist library local localparam logic longint macromodule matches medium modport module nand
negedge new nexttime nor noshowcancelled not notif0 notif1 null or output package packed parameter
pmos posedge primitive priority program property protected pull0 pull1 pulldown pullup pure rand
randc randcase randsequence rcmos real realtime ref reg reject_on release repeat restrict return
rnmos rpmos rtran s_always s_eventually s_nexttime s_until scalared sequence shortint shortreal
showcancelled signed small soft solve specify specparam static string strong strong0 strong1
struct super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time
timeprecision timeunit tran tri tri0 tri1 triand trior trireg type typedef union unique unique0
unsigned until untyped use uwire var vectored virtual void wait wand weak weak0 weak1 while
wildcard wire with within wor xnor xor
"""
"""Words of Verilog and SystemVerilog."""
TAKEN = frozenset(WORDS.split())


def names_of_nets(module: NetlistText, *more: NetlistText) -> dict[str, str]:
    """Return a name for each net without a signal, in the order in which the text has them.

    more: what stands behind it in the same text, such as assertions

    Of several with one variable the second has `_2` behind it, and so on.
    """
    modules = [module, *more]
    taken = {name.strip().removeprefix("\\") for one in modules for name in one.nets}
    for lines in module.instances:
        found = INSTANCE.fullmatch(lines[0])
        if found and found[1]:
            taken.add(found[1].strip().removeprefix("\\"))
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    wide = set[str]().union(*map(read_in_part, modules))
    order = dict.fromkeys(n for one in modules for n in one.nets if PRIVATE.fullmatch(n))
    for target, value in (pair for one in modules for pair in one.assigns):
        for name in PRIVATE.findall(f"{target} {value}"):
            order.setdefault(name)
    for name in order:
        hint = module.hints.get(name, "")
        if hint and name in wide:
            hint += WIDE
        stem, number = (hint, counts.get(hint, 0)) if hint else (NAMELESS, counts.get("", 0))
        while True:
            number += 1
            one = f"{stem}{number}" if not hint else (stem if number == 1 else f"{stem}_{number}")
            if one not in taken and one not in TAKEN:
                break
        counts[hint] = number
        taken.add(one)
        names[name] = one
    return names


def read_in_part(module: NetlistText) -> set[str]:
    """Return the nets without a signal of which some bits are read, and others are not."""
    masks: Counter[str] = Counter()
    for line in module.lines():
        assigned = TARGET.fullmatch(line)
        for name, high, low in READ.findall(assigned[3] if assigned else line):
            bits = (2 << int(high)) - (1 << int(low or high)) if high else -1
            masks[name] |= bits
    return {
        name for name, mask in masks.items() if ~mask & ((1 << module.widths[name]) - 1) and mask
    }
