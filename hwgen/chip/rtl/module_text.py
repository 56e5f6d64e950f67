"""A part as Verilog for people: ports with what they are, nets, assignments, instances, blocks.

Tests: `tests/chip/rtl/test_printed.py`.
"""

import re
from collections.abc import Container, Iterator

from hwgen.chip.rtl.body import Body, bits_of
from hwgen.chip.rtl.check_text import BEGIN, ELSE, END, assertions
from hwgen.chip.rtl.nodes import BIT_PLACES, ONE, Named, Node, PartNetlist
from hwgen.chip.rtl.places import Places
from hwgen.chip.rtl.reduced import Reads, shorten
from hwgen.chip.rtl.sentences import Sentences
from hwgen.chip.rtl.simpler import merge

WIDEST = 160
"""Characters of a line."""
CLOCKS = ("clk", "rst")
BREAK = re.compile(r"(?<=[,&|+^?:]) ")
COMMENT_COLUMN = 100
MANY_DIGITS = re.compile(r"\b(\d+)'h([0-9a-f]{9,})")
MOST_DIGITS = 32
"""Of a number in one piece."""
PLACED = ("instance", "memory", "write")


def readable(netlist: PartNetlist, sentences: Sentences, **at_first: bool) -> str:
    """Return the Verilog of a part; at_first: what memories and registers hold, see `Body`."""
    lines = MANY_DIGITS.sub(shorter, "\n".join(module_lines(netlist, sentences, **at_first)))
    return "".join(f"{one}\n" for line in lines.split("\n") for one in wrapped(line))


def module_lines(netlist: PartNetlist, sentences: Sentences, **at_first: bool) -> Iterator[str]:
    """Yield the lines of a module."""
    checks = [number for number, node in enumerate(netlist.nodes) if node.kind == "property"]
    before = copy_of(netlist) if checks else netlist
    reads, places = prepared(netlist)
    live = [number for number, mask in enumerate(reads.masks) if mask and number]
    ports = netlist.inputs.keys() | netlist.outputs.keys()
    body = Body(netlist.nodes, places, live, given=ports, at_first=at_first)
    body.count(netlist.outputs.values())
    lines = body.lines(netlist.outputs)
    yield from header(netlist, sentences, places, body.logic.registers)
    yield from lines
    if checks:
        yield BEGIN
        yield ELSE
        yield from section(before, checks, places, body, resets="rst" in netlist.inputs)
        yield END
    yield "endmodule"


def prepared(netlist: PartNetlist) -> tuple[Reads, Places]:
    """Reduce a netlist to what is read; return which bits are, and their names."""
    merge(netlist)
    reads = Reads(netlist)
    reads.follow([n for n, one in enumerate(netlist.nodes) if one.kind in ("top", "instance")])
    shorten(netlist, reads)
    return reads, Places(netlist, reads)


def copy_of(netlist: PartNetlist) -> PartNetlist:
    """Return a netlist whose cells may change apart from those of another."""
    nodes = [Node(n.kind, list(n.inputs), n.width, n.what, n.place) for n in netlist.nodes]
    signals = [Named(s.name, s.nets, s.layout, s.values, s.title, s.place) for s in netlist.signals]
    return PartNetlist(netlist.name, nodes, netlist.inputs, dict(netlist.outputs), signals)


def section(
    netlist: PartNetlist, checks: list[int], first: Places, logic: Body, *, resets: bool
) -> Iterator[str]:
    """Yield assertions, with the registers and nets that the logic of the module does not have.

    first, logic: of the module; what its signals are is read, not made again
    """
    # What an assertion says is worked out from registers and signals, and is no copy of the logic
    # that it judges, even where it is the same.
    signals = [*netlist.outputs.values(), *(signal.nets for signal in netlist.signals)]
    merge(netlist, apart={net >> BIT_PLACES for nets in signals for net in nets})
    known = known_nets(netlist, first)
    reads = Reads(netlist, known)
    reads.follow(checks)
    shorten(netlist, reads, whole={net >> BIT_PLACES for net in known})
    given = {name for name in first.widths if name.isidentifier()}
    places = Places(netlist, reads, behind=first, known=known)
    live = [
        number
        for number, mask in enumerate(reads.masks)
        if mask and number and netlist.nodes[number].kind not in ("property", *PLACED)
    ]
    body = Body(netlist.nodes, places, live, given=given, taken=logic.taken)
    tests = [netlist.nodes[number].inputs[0] for number in checks]
    body.count(tests)
    found = []
    for number, test in zip(checks, tests, strict=True):
        node = netlist.nodes[number]
        if node.inputs[1] != (ONE,):
            raise ValueError(f"an assertion must hold in each cycle, got {node.what}")
        found.append((body.texts.whole(test).text, node.what))
    yield from body.lines({}, list(assertions(found, resets=resets)))


def known_nets(netlist: PartNetlist, places: Places) -> dict[int, tuple[str, int]]:
    """Return the nets that a module has as signals: name and bit.

    netlist: as it was before cells had the bits alone that are read
    """
    found: dict[int, tuple[str, int]] = {}
    for name, nets in (*netlist.inputs.items(), *netlist.outputs.items()):
        for bit, net in enumerate(nets):
            if net > ONE:
                found.setdefault(net, (name, bit))
    for place, name in places.named.items():
        for bit, net in enumerate(netlist.signals[place].nets[: places.widths[name]]):
            found.setdefault(net, (name, bit))
    for net, one in places.of.items():
        if netlist.nodes[net >> BIT_PLACES].kind in ("register", "instance"):
            found.setdefault(net, one)
    return found


def header(
    netlist: PartNetlist, sentences: Sentences, places: Places, registers: Container[str]
) -> Iterator[str]:
    """Yield the header: a port a line, with its sentence behind it or above it."""
    names = dict.fromkeys([*CLOCKS, *sentences.ports])
    order = {name: place for place, name in enumerate(names)}
    ports = [*netlist.inputs, *netlist.outputs]
    ports.sort(key=lambda name: order.get(name, len(order)))
    if not ports:
        yield f"module {netlist.name}();"
        return
    yield f"module {netlist.name}("
    for name in ports:
        kind = "input" if name in netlist.inputs else "output"
        kind += " reg" if name in registers else ""
        comma = "" if name == ports[-1] else ","
        declaration = f"  {kind} {bits_of(places.widths[name])}{name}{comma}"
        yield from commented(declaration, sentences.of_ports.get(name, ""))
    yield ");"


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
