"""Assertions of a module: apart from its logic while that becomes a text, behind it at the end.

Yosys writes an assertion as a block. It goes, with the registers and nets that only assertions
read, so the logic has the text that it would have without them. Then conditions are made of the
nets that are left:

    `ifdef HWGEN_ASSERTIONS
      reg asserted_output_waits;
      initial asserted_output_waits = 1'h0;
      always @(posedge clk) begin
        asserted_output_waits <= output__valid & !output__ready;
        if (!rst) begin
          assert (level <= 7'h40) `HWGEN_ELSE("level must be 0 to 64");
        end
      end
    `endif

Yosys reads `assert` without a message; `HWGEN_ELSE` is empty there.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hwgen.chip.rtl.atoms import CONSTANT, PRIVATE
from hwgen.chip.rtl.checks import KEPT
from hwgen.chip.rtl.inlined import inline
from hwgen.chip.rtl.netlist_text import Net, NetlistText
from hwgen.chip.rtl.wiring import (
    NAMES,
    narrowed,
    owner_of,
    unread,
    whole_assignments,
    without_copies,
    without_unread,
    without_wiring,
)

MACRO = "HWGEN_ASSERTIONS"
BEGIN = f"`ifdef {MACRO}"
END = "`endif"
ELSE = """\
`ifndef HWGEN_ELSE
`ifdef YOSYS
`define HWGEN_ELSE(message)
`else
`define HWGEN_ELSE(message) else $error(message)
`endif
`endif"""
"""Each file has it, and the first one that is read defines it."""
SECTION = re.compile(rf"^{BEGIN}\n.*?^{END}\n(?=endmodule)", re.M | re.S)
ASSERTED = re.compile(r"      assert \((.*)\);")
SAID = re.compile(r'        \$write\("(.*)"\);')
ALWAYS = "    if (1'h1) begin"
EDGE = "  always @(posedge clk)"
STORED = re.compile(rf"    ({KEPT}\w+) *<= (.*);")
NUMBER = re.compile(CONSTANT)
AGAIN = "0" * 6
"""Behind the number of a net: no module has so many."""
BEFORE = re.compile(rf"== ((?:\$signed\()?{KEPT}\w+)")
CONDITION = re.compile(r"    if \((.*)\)")


@dataclass
class Checks:
    """Assertions of a module before its text is made, and what they read.

    conditions: with their messages; stores: registers that only they read, with their values
    assigns, nets, widths, hints: of the module as Yosys wrote it
    """

    conditions: list[tuple[str, str]] = field(default_factory=list)
    stores: list[tuple[str, str]] = field(default_factory=list)
    assigns: list[tuple[str, str]] = field(default_factory=list)
    nets: dict[str, Net] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)


def without_checks(module: NetlistText) -> Checks:
    """Take the assertions out of a module, with what only they read, and return them."""
    checks, blocks = Checks(), []
    for lines in module.blocks:
        if said := conditions_of(lines):
            checks.conditions += said
        elif lines[0] == EDGE and (stored := STORED.fullmatch(lines[1])):
            checks.stores.append((stored[1], stored[2]))
        else:
            blocks.append(lines)
    if not checks.conditions:
        return checks
    module.blocks = blocks
    checks.assigns = list(module.assigns)
    checks.nets = {name: replace(net) for name, net in module.nets.items()}
    checks.widths, checks.hints = dict(module.widths), module.hints
    for name, _ in checks.stores:
        del module.nets[name]
    remove_unread(module, cone(checks, stop=frozenset()))
    return checks


def conditions_of(lines: list[str]) -> list[tuple[str, str]]:
    """Return conditions and messages of a block that has assertions; of another one none.

    Raises ValueError for an assertion within an `if`.
    """
    found = [one[1] for line in lines if (one := ASSERTED.fullmatch(line))]
    if not found:
        return []
    said = [one[1] for line in lines if (one := SAID.fullmatch(line))]
    if not len(found) == len(said) == lines.count(ALWAYS):
        raise ValueError(f"an assertion must hold in each cycle, got {lines}")
    return list(zip(found, said, strict=True))


def cone(checks: Checks, *, stop: frozenset[str]) -> dict[str, list[str]]:
    """Return the nets that assertions read, through assignments up to those of `stop`.

    Each with the values that are assigned to it, in the order in which they are found.
    """
    assigned: dict[str, list[str]] = {}
    for target, value in checks.assigns:
        assigned.setdefault(owner_of(target), []).append(value)
    texts = [text for text, _ in checks.conditions] + [text for _, text in checks.stores]
    waiting = [name for text in texts for name in NAMES.findall(text)]
    found: dict[str, list[str]] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name in stop or name not in assigned:
            continue
        found[name] = assigned[name]
        waiting += [each for value in assigned[name] for each in NAMES.findall(value)]
    return found


def remove_unread(module: NetlistText, candidates: Mapping[str, list[str]]) -> None:
    """Remove those of some nets that nothing reads any more."""
    reads = Counter(name for line in module.lines() for name in NAMES.findall(line))
    removed = unread(module, reads, dict(candidates))
    module.assigns = [one for one in module.assigns if owner_of(one[0]) not in removed]
    for name in removed:
        del module.nets[name]


def check_module(module: NetlistText, checks: Checks) -> NetlistText:
    """Return conditions as a module of their own, which reads the nets that are left of the first.

    Its blocks are a register each, then a condition each, in their order.
    """
    kept = frozenset(
        name
        for name, net in module.nets.items()
        if name not in checks.nets or net.width == checks.nets[name].width
    )
    needed = cone(checks, stop=kept)
    stores = [name for name, _ in checks.stores]
    # A net of which the logic reads fewer bits is there once more, whole.
    again = {name: f"{name}{AGAIN}" for name in needed if name in module.nets}

    def renamed(text: str) -> str:
        return PRIVATE.sub(lambda found: again.get(found[0], found[0]), text)

    own = NetlistText(module.name, [], widths=dict(checks.widths), hints=checks.hints)
    for name in (*needed, *stores):
        own.nets[again.get(name, name)] = checks.nets[name]
        own.widths[again.get(name, name)] = checks.nets[name].width
    for old, new in again.items():
        own.hints[new] = own.hints.get(old, "")
    assigns = [one for one in checks.assigns if owner_of(one[0]) in needed]
    own.assigns = [(renamed(target), renamed(value)) for target, value in assigns]
    own.blocks = [[EDGE, renamed(f"    {name} <= {value};")] for name, value in checks.stores]
    own.blocks += [["", renamed(f"    if ({condition})")] for condition, _ in checks.conditions]
    whole_assignments(own)
    without_wiring(own)
    without_copies(own)
    narrowed(own)
    inline(own)
    without_unread(own)
    missing = names_read(own) - kept - own.nets.keys()
    if missing:
        raise ValueError(f"an assertion of {module.name} must read signals, got {sorted(missing)}")
    return own


def names_read(own: NetlistText) -> set[str]:
    """Return the nets that assertions read."""
    texts = [value for _, value in own.assigns]
    texts += [line for lines in own.blocks for line in lines[1:]]
    return {name for text in texts for name in NAMES.findall(NUMBER.sub("", text))} - {"if"}


def assertions(own: NetlistText, checks: Checks, *, resets: bool) -> Iterator[str]:
    """Yield the lines of the section of assertions, apart from declarations.

    own: see `check_module`; resets: the module has a reset, in which nothing need hold
    """
    stores, conditions = own.blocks[: len(checks.stores)], own.blocks[len(checks.stores) :]
    for name, _ in checks.stores:
        yield f"  initial {name} = {own.nets[name].initial};"
    yield from (f"  assign {target} = {same_bits(value)};" for target, value in own.assigns)
    yield f"{EDGE} begin"
    yield from (lines[1] for lines in stores)
    indent = "      " if resets else "    "
    if resets:
        yield "    if (!rst) begin"
    for lines, (_, message) in zip(conditions, checks.conditions, strict=True):
        found = CONDITION.fullmatch(lines[1])
        assert found is not None
        yield f'{indent}assert ({same_bits(found[1])}) `HWGEN_ELSE("{message}");'
    if resets:
        yield "    end"
    yield "  end"


def same_bits(text: str) -> str:
    """Return a text that compares with what was before by `===`: undefined bits stay undefined."""
    return BEFORE.sub(r"=== \1", text)


def without_assertions(text: str) -> str:
    """Return the Verilog of a module, or of several, without their assertions."""
    return SECTION.sub("", text)
