"""A module as a text for people: ports with what they are, nets, assignments, instances, blocks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hwgen.chip.rtl.atoms import PRIVATE
from hwgen.chip.rtl.awake import SENTENCE, wake
from hwgen.chip.rtl.check_text import (
    BEGIN,
    ELSE,
    END,
    Checks,
    assertions,
    check_module,
    without_checks,
)
from hwgen.chip.rtl.clocked import clock_registers
from hwgen.chip.rtl.inlined import inline
from hwgen.chip.rtl.net_names import names_of_nets
from hwgen.chip.rtl.netlist_text import Net, NetlistText, read_netlist
from hwgen.chip.rtl.unused import bits_read, unused_bits
from hwgen.chip.rtl.wiring import (
    narrowed,
    whole_assignments,
    without_copies,
    without_unread,
    without_wiring,
)

WIDEST = 160
"""Characters of a line."""
CLOCKS = ("clk", "rst")
BREAK = re.compile(r"(?<=[,&|+^?:]) ")
COMMENT_COLUMN = 100
MANY_DIGITS = re.compile(r"\b(\d+)'h([0-9a-fxz]{9,})")
MOST_DIGITS = 32
"""Of a number in one piece."""


@dataclass(frozen=True)
class Sentences:
    """What is known of a module beside its netlist.

    ports: names in their order; others come last
    of_ports, of_registers: a sentence by name
    """

    ports: Sequence[str] = ()
    of_ports: Mapping[str, str] = field(default_factory=dict)
    of_registers: Mapping[str, str] = field(default_factory=dict)


def readable(text: str, sentences: Sentences) -> str:
    """Return a module as Yosys wrote it as a text for people, with the same behaviour."""
    module = read_netlist(text)
    checks = without_checks(module)
    read = bits_read(module)
    whole_assignments(module)
    without_unread(module)
    without_wiring(module)
    without_copies(module)
    without_unread(module)
    narrowed(module)
    inline(module)
    without_unread(module)
    clock_registers(module)
    unused = unused_bits(module, read)
    own = check_module(module, checks)
    if awake := wake(module):
        said = {**sentences.of_registers, awake: SENTENCE}
        sentences = replace(sentences, of_registers=said)
    names = names_of_nets(module, own)
    every = [*lines_of(module, sentences, unused), *section(own, checks), "endmodule"]
    lines = PRIVATE.sub(lambda found: names[found[0]], "\n".join(every))
    lines = MANY_DIGITS.sub(shorter, lines)
    return "".join(f"{one}\n" for line in lines.split("\n") for one in wrapped(line))


def lines_of(module: NetlistText, sentences: Sentences, unused: str) -> Iterator[str]:
    """Yield the lines of a module's logic; unused: a net that reads what nothing else does."""
    yield from header(module, sentences)
    inner = [(name, net) for name, net in module.nets.items() if not net.direction]
    for name, net in sorted(inner, key=lambda one: (not one[1].is_register, not one[1].initial)):
        yield from declared(name, net, sentences.of_registers.get(name, ""))
    for name, net in module.nets.items():
        if net.initial:
            yield f"  initial {name} = {net.initial};"
    yield from (f"  assign {target} = {value};" for target, value in module.assigns)
    for lines in (*module.instances, *module.blocks):
        yield from lines
    if unused:
        yield unused


def section(own: NetlistText, checks: Checks) -> Iterator[str]:
    """Yield the lines of the assertions of a module; none if it has none."""
    if not checks.conditions:
        return
    yield BEGIN
    yield ELSE
    for name, net in own.nets.items():
        yield from declared(name, net, "")
    yield from assertions(own, checks, resets="rst" in checks.nets)
    yield END


def header(module: NetlistText, sentences: Sentences) -> Iterator[str]:
    """Yield the header: a port a line, with its sentence behind it or above it."""
    order = dict.fromkeys([*CLOCKS, *sentences.ports])
    places = {name: place for place, name in enumerate(order)}
    ports = sorted(module.ports, key=lambda name: places.get(name, len(places)))
    if not ports:
        yield f"module {module.name}();"
        return
    yield f"module {module.name}("
    for name in ports:
        net = module.nets[name]
        kind = f"{net.direction} reg" if net.is_register else net.direction
        comma = "" if name == ports[-1] else ","
        declaration = f"  {kind} {bits(net)}{name}{comma}"
        yield from commented(declaration, sentences.of_ports.get(name, ""))
    yield ");"


def declared(name: str, net: Net, sentence: str) -> Iterator[str]:
    """Yield the declaration of a net, a register or a memory."""
    kind = "reg" if net.is_register else "wire"
    words = f" [{net.words}]" if net.words else ""
    yield from commented(f"  {kind} {bits(net)}{name}{words};", sentence)


def bits(net: Net) -> str:
    """Return the range of a net, a space behind it; empty for one bit."""
    signed = "signed " if net.signed else ""
    return f"{signed}[{net.width - 1}:0] " if net.width > 1 else signed


def commented(declaration: str, sentence: str) -> Iterator[str]:
    """Yield a declaration with a sentence behind it, or above it if it is long."""
    if not sentence:
        yield declaration
    elif len(declaration) + len(sentence) + 4 <= COMMENT_COLUMN:
        yield f"{declaration}  // {sentence}"
    else:
        yield f"  // {sentence}"
        yield declaration


def shorter(found: re.Match[str]) -> str:
    """Return a long number with fewer digits: zeros as one, a pattern once, the rest in pieces."""
    width, digits = int(found[1]), found[2]
    count = len(digits)
    if set(digits) == {"0"}:
        return f"{width}'h0"
    if count <= MOST_DIGITS:
        return found[0]
    if width == 4 * count:
        for size in range(1, MOST_DIGITS + 1):
            if count % size == 0 and digits == digits[:size] * (count // size):
                return f"{{{count // size}{{{4 * size}'h{digits[:size]}}}}}"
    first = count % MOST_DIGITS or MOST_DIGITS
    pieces = [f"{width - 4 * (count - first)}'h{digits[:first]}"]
    for place in range(first, count, MOST_DIGITS):
        pieces.append(f"{4 * MOST_DIGITS}'h{digits[place : place + MOST_DIGITS]}")
    return f"{{ {', '.join(pieces)} }}"


def wrapped(line: str) -> Iterator[str]:
    """Yield a line in pieces of at most `WIDEST` characters, broken behind commas and operators."""
    if len(line) <= WIDEST:
        yield line
        return
    indent = " " * (len(line) - len(line.lstrip()))
    comment = "// " if line.lstrip().startswith("//") else ""
    pieces = line.split(" ") if comment else BREAK.split(line)
    text = ""
    for piece in pieces:
        longer = f"{text} {piece}" if text else piece
        if text and len(longer) > WIDEST:
            yield text
            text = f"{indent}{comment or '    '}{piece}"
        else:
            text = longer
    yield text
