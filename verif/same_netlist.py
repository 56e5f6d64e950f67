"""Whether the Verilog of a part is the logic of its netlist, by a SAT solver.

The other side is Amaranth's own conversion to RTLIL, which shares nothing with the printer but the
source of the part. On both sides registers, reads of memories and what is placed are cut out: their
outputs are inputs of the comparison, the same on both sides, and their inputs (next values, clocks,
addresses, data, enables) are outputs, like the ports. Proved is that all of these are the same, so
no run tells both apart, whatever the state. Values at first are compared where the Verilog has any.
Which register of the Verilog is which of the netlist the printer says: a wrong answer is not
proved.

    python -m verif.same_netlist ARCH ... [--seconds 60] [--modules WORD]     files of chips

Tests: `tests/verif/test_same_netlist.py`.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pyosys
from amaranth.back import rtlil

from hwgen.chip.family import Family
from hwgen.chip.rtl.emit import parts_below_first, verilog_modules
from hwgen.chip.rtl.fields import without_field_nets
from hwgen.chip.rtl.logic import equal_runs
from hwgen.chip.rtl.module_text import prepared
from hwgen.chip.rtl.names import names_from_source
from hwgen.chip.rtl.netlists import bits_unchecked, netlist_of
from hwgen.chip.rtl.nodes import ZERO, PartNetlist, outputs_of
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.places import Places, free_name
from hwgen.commands.families import load_architecture
from verif.yosys import run_yosys

SECONDS = 60
"""Of the solver for a module, after which nothing is known."""
ABC = Path(pyosys.__file__).parent / "yosys-abc"
SAME, DIFFERS, UNKNOWN = "proved", "differs", "timed out"
ANSWERS = {
    "Networks are equivalent": SAME,
    "NOT EQUIVALENT": DIFFERS,
    "UNDECIDED": UNKNOWN,
}
OUTPUT = re.compile(r"^Output po(\d+):", re.M)
TAGGED = ("emit_flip_flop", "emit_write_port", "emit_read_port")
TAG = re.compile(r"(?:^|[.\\])cell_(\d+)$")
CELL = re.compile(r"^(\s*cell \$(?:dff|adff|memwr_v2|memrd_v2)) \S+$", re.M)
STATE = ("$dff", "$adff")
REMOVED = ("$meminit", "$meminit_v2", "$check", "$print", "$assert", "$scopeinfo")
BEFORE, AFTER = "before", "after"
AS_JSON = """
{read}
hierarchy -top {name}
proc -norom
flatten
opt_clean
write_json {name}.{side}.json
design -reset
"""
TO_GATES = """
read_json cut.json
setundef -undriven -zero
techmap
setundef -zero
clean
write_blif gates.blif
"""
MODEL = re.compile(r"^\.model (\S+)$.*?^\.end$", re.M | re.S)

Bits = list[Any]
"""Nets of a module in Yosys' JSON: numbers, and "0", "1", "x"."""


@dataclass(frozen=True)
class Compared:
    """A module, what is known of it, how long that took, and where both differ."""

    name: str
    verdict: str
    seconds: float
    said: str = ""


@dataclass
class Cut:
    """A side without registers, memories and placed modules: what it gets, and what it gives."""

    module: dict[str, Any]
    given: dict[str, Bits] = field(default_factory=dict)
    found: dict[str, Bits] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)
    last: int = 0

    def __post_init__(self) -> None:
        """Begin with the ports, which are those of the module."""
        self.last = highest(self.module)
        for name, port in sorted(self.module["ports"].items()):
            side = self.given if port["direction"] == "input" else self.found
            side[f"port {name}"] = port["bits"]

    def fresh(self, width: int) -> Bits:
        """Return new nets."""
        self.last += width
        return list(range(self.last - width + 1, self.last + 1))


def highest(module: Mapping[str, Any]) -> int:
    """Return the highest number of a net of a module."""
    bits = [bit for one in module["netnames"].values() for bit in one["bits"]]
    for cell in module["cells"].values():
        bits += [bit for one in cell["connections"].values() for bit in one]
    return max((bit for bit in bits if isinstance(bit, int)), default=1)


# --- the netlist ---------------------------------------------------------------------------------


@contextmanager
def numbers_of_cells(found: list[int]) -> Iterator[None]:
    """Note the numbers of registers and ports of memories, in the order of the RTLIL."""
    with ExitStack() as stack:
        for name in TAGGED:
            right = getattr(rtlil.ModuleEmitter, name)

            def noted(emitter: Any, number: int, cell: Any, right: Any = right) -> None:
                found.append(number)
                right(emitter, number, cell)

            setattr(rtlil.ModuleEmitter, name, noted)
            stack.callback(setattr, rtlil.ModuleEmitter, name, right)
        yield


def rtlil_of(part: Part) -> str:
    """Return the RTLIL of a part, in which a register is called after its number."""
    numbers: list[int] = []
    with names_from_source(), without_field_nets(), numbers_of_cells(numbers):
        text = rtlil.convert(part, name=part.module_name, emit_src=False)
    left = iter(numbers)
    text = CELL.sub(lambda found: f"{found[1]} \\cell_{next(left)}", text)
    if any(True for _ in left):
        raise ValueError(f"each register of {part.module_name} must be a cell of its RTLIL")
    return text


def cut_netlist(cut: Cut, netlist: PartNetlist) -> None:
    """Cut out of a netlist what keeps or is placed."""
    module = cut.module
    instances = placed_in(netlist)
    for name, cell in list(module["cells"].items()):
        kind, pins = cell["type"], cell["connections"]
        if kind[0] == "$" and kind not in (*STATE, "$memrd_v2", "$memwr_v2", *REMOVED):
            continue
        del module["cells"][name]
        if kind[0] != "$":
            placed(cut, netlist, instances[free_name(name.rpartition(".")[2], ())], pins)
        elif kind not in REMOVED:
            tag = TAG.search(name)
            if tag is None:
                raise ValueError(
                    f"{kind} must have its number, got {name} of {module['attributes']}"
                )
            kept(cut, int(tag[1]), cell)


def kept(cut: Cut, number: int, cell: Mapping[str, Any]) -> None:
    """Cut out a register of the netlist, or a port of a memory."""
    kind, pins = cell["type"], cell["connections"]
    if kind in STATE:
        cut.given[f"state {number}"] = pins["Q"]
        cut.found[f"next {number}"] = pins["D"]
        cut.found[f"reset {number}"] = pins.get("ARST", ["0"])
    else:
        cut.found[f"address {number}"] = pins["ADDR"]
    if kind == "$memwr_v2":
        data = bitwise(cut, "$and", pins["DATA"], pins["EN"])
        cut.found |= {f"data {number}": data, f"enable {number}": pins["EN"]}
    is_clocked = kind != "$memrd_v2" or int(cell["parameters"]["CLK_ENABLE"], 2)
    if kind == "$memrd_v2":
        word = cut.given[f"word {number}"] = (
            cut.fresh(len(pins["DATA"])) if is_clocked else pins["DATA"]
        )
        if is_clocked:
            cut.given[f"state {number}"] = pins["DATA"]
            cut.found[f"next {number}"] = chosen(cut, pins["EN"], word, pins["DATA"])
    if is_clocked:
        cut.found[f"clock {number}"] = pins["CLK"]
        cut.firsts[f"edge {number}"] = cell["parameters"]["CLK_POLARITY"][-1]


def chosen(cut: Cut, condition: Bits, one: Bits, other: Bits) -> Bits:
    """Return the nets of a new choice between two values."""
    result = cut.fresh(len(one))
    cut.module["cells"][f"chosen_{result[0]}"] = {
        "type": "$mux",
        "parameters": {"WIDTH": f"{len(one):032b}"},
        "attributes": {},
        "port_directions": {"A": "input", "B": "input", "S": "input", "Y": "output"},
        "connections": {"A": other, "B": one, "S": condition, "Y": result},
    }
    return result


def placed_in(netlist: PartNetlist) -> dict[str, int]:
    """Return the cells of what is placed by name."""
    nodes = enumerate(netlist.nodes)
    return {free_name(node.what[1], ()): n for n, node in nodes if node.kind == "instance"}


def placed(cut: Cut, netlist: PartNetlist, number: int, pins: Mapping[str, Bits]) -> None:
    """Cut out a placed module, of either side."""
    _, _, inputs, outputs, _ = netlist.nodes[number].what
    if pins.keys() != {*inputs, *outputs}:
        raise ValueError(f"pins of an instance must be the same, got {pins.keys()}")
    for name, bits in pins.items():
        side = cut.given if name in outputs else cut.found
        side[f"pin {number} {name}"] = bits


# --- the Verilog ---------------------------------------------------------------------------------


def cut_verilog(
    before: Cut, cut: Cut, netlist: PartNetlist, live: Sequence[int], places: Places
) -> None:
    """Cut out of a Verilog text what keeps or is placed."""
    cells = cut.module["cells"]
    of_kind: dict[str, list[Any]] = {kind: [] for kind in (*STATE, "$memrd", "$memwr")}
    instances = placed_in(netlist)
    for name, cell in sorted(cells.items(), key=lambda one: line_of(one[1])):
        kind = cell["type"].removesuffix("_v2")
        if kind[0] != "$":
            # A signal of the same name has sent an instance behind an underscore.
            number = instances[name if name in instances else name.rstrip("_")]
            placed(cut, netlist, number, cell["connections"])
        elif kind in of_kind:
            of_kind[kind].append(cell)
        elif kind == "$dlatch" or kind.startswith(("$aldff", "$dffsr")):
            raise ValueError(f"a register must be one of {STATE}, got {kind}")
        elif kind not in REMOVED:
            continue
        del cells[name]
    registers(cut, netlist, places, live, [*of_kind["$dff"], *of_kind["$adff"]])
    words(cut, netlist, live, of_kind["$memrd"])
    writes(before, cut, netlist, live, of_kind["$memwr"])


def line_of(cell: Mapping[str, Any]) -> tuple[int, ...]:
    """Return where a cell is in its text."""
    return tuple(map(int, re.findall(r"\d+", cell["attributes"].get("src", "").rpartition(":")[2])))


def registers(
    cut: Cut,
    netlist: PartNetlist,
    places: Places,
    live: Sequence[int],
    cells: Sequence[Mapping[str, Any]],
) -> None:
    """Cut registers out; those of the netlist by the names that the printer gave them."""
    by_bit = {bit: (cell, at) for cell in cells for at, bit in enumerate(cell["connections"]["Q"])}
    names, taken = cut.module["netnames"], set()
    for number in live:
        node = netlist.nodes[number]
        if node.kind not in ("register", "clocked read"):
            continue
        state, following, clocks, resets = [], [], [], []
        for place, net in enumerate(outputs_of(number, node.width)):
            if net not in places.of:
                continue
            name, bit = places.of[net]
            q = names[name]["bits"][bit]
            cell, at = by_bit[q]
            pins, facts = cell["connections"], cell["parameters"]
            taken.add(q)
            state.append((place + node.below, q))
            following.append(pins["D"][at])
            clocks += pins["CLK"]
            resets += pins.get("ARST", ["0"])
            cut.firsts[f"edge {number}"] = facts["CLK_POLARITY"][-1]
            if node.kind == "register":
                first = names[name]["attributes"].get("init", "")[::-1]
                told = [str(node.what[0] >> place & 1), *first[bit : bit + 1]]
                if "ARST" in pins:
                    told.append(facts["ARST_VALUE"][::-1][at])
                if len(set(told)) > 1:
                    raise ValueError(f"{name}[{bit}] must have one first value, got {told}")
        cut.given[f"state {number}"] = state
        cut.found[f"next {number}"] = following
        cut.found[f"clock {number}"] = clocks
        if node.kind == "register":
            cut.found[f"reset {number}"] = resets
    cut.given["left"] = [bit for bit in by_bit if bit not in taken]


def words(
    cut: Cut, netlist: PartNetlist, live: Sequence[int], cells: Sequence[Mapping[str, Any]]
) -> None:
    """Cut reads of memories out: those at once come first in the text."""
    nodes = netlist.nodes
    order = [n for n in live if nodes[n].kind == "read"]
    order += [n for n in live if nodes[n].kind == "clocked read"]
    for number, cell in zip(order, cells, strict=True):
        node, pins = nodes[number], cell["connections"]
        memory = nodes[node.what if node.kind == "read" else node.what[0]]
        if cell["parameters"]["MEMID"].removeprefix("\\") != memory.what[0]:
            raise ValueError(f"{number} must read {memory.what[0]}, got {cell['parameters']}")
        cut.given[f"word {number}"] = pins["DATA"]
        cut.found[f"address {number}"] = pins["ADDR"]


def writes(
    before: Cut,
    cut: Cut,
    netlist: PartNetlist,
    live: Sequence[int],
    cells: Sequence[Mapping[str, Any]],
) -> None:
    """Cut writes of memories out: a statement for each run of bits with one enable."""
    left = iter(cells)
    grouped: dict[object, list[int]] = {}
    for number in live:
        node = netlist.nodes[number]
        if node.kind == "write":
            grouped.setdefault((*node.what, node.inputs[3]), []).append(number)
    for number in chain.from_iterable(grouped.values()):
        data: Bits = []
        enables: Bits = []
        for net, low, _ in equal_runs(netlist.nodes[number].inputs[2]):
            if net == ZERO:
                continue
            cell = next(left, None)
            if cell is None:
                raise ValueError(f"write {number} must be in the Verilog")
            pins = cell["connections"]
            # Each statement writes bits of its own; where none is enabled its address is any.
            masked = bitwise(cut, "$and", pins["DATA"], pins["EN"])
            data = bitwise(cut, "$or", data, masked) if data else masked
            enables = bitwise(cut, "$or", enables, pins["EN"]) if enables else pins["EN"]
            sides = [(before, before.found[f"address {number}"], before.found[f"enable {number}"])]
            sides.append((cut, pins["ADDR"], pins["EN"]))
            for side, address, enable in sides:
                used = bitwise(side, "$and", address, [enable[low]] * len(address))
                side.found[f"address {number} of {low}"] = used
            cut.found[f"clock {number}"] = pins["CLK"]
            cut.firsts[f"edge {number}"] = cell["parameters"]["CLK_POLARITY"][-1]
        cut.found |= {f"data {number}": data, f"enable {number}": enables}
    if any(True for _ in left):
        raise ValueError("each write of the Verilog must be one of the netlist")


def bitwise(cut: Cut, kind: str, one: Bits, other: Bits) -> Bits:
    """Return the nets of a new AND or OR."""
    result = cut.fresh(len(one))
    width = f"{len(one):032b}"
    cut.module["cells"][f"{kind[1:]}_{result[0]}"] = {
        "type": kind,
        "parameters": dict.fromkeys(("A_WIDTH", "B_WIDTH", "Y_WIDTH"), width)
        | dict.fromkeys(("A_SIGNED", "B_SIGNED"), "0" * 32),
        "attributes": {},
        "port_directions": {"A": "input", "B": "input", "Y": "output"},
        "connections": {"A": one, "B": other, "Y": result},
    }
    return result


# --- products ------------------------------------------------------------------------------------


def cut_products(before: Cut, after: Cut) -> bool:
    """Cut products out, where both sides have as many: they are the same if their factors are.

    Which is which their order says; a wrong answer is not proved. Returns whether there are any.
    """
    found = [products_of(cut.module["cells"]) for cut in (before, after)]
    if not found[0] or len(found[0]) != len(found[1]):
        return False
    for number, pair in enumerate(zip(*found, strict=True)):
        factors = [[as_signed(cell, side) for side in "AB"] for _, cell in pair]
        width = max(len(cell["connections"]["Y"]) for _, cell in pair)
        for cut, (name, cell), mine, others in zip(
            (before, after), pair, factors, reversed(factors), strict=True
        ):
            bits = cell["connections"]["Y"]
            cut.given[f"product {number}"] = bits + cut.fresh(width - len(bits))
            for place, (one, other) in enumerate(zip(mine, others, strict=True)):
                more = [one[-1]] * (len(other) - len(one))
                cut.found[f"factor {number} {place}"] = one + more
            del cut.module["cells"][name]
    return True


def products_of(cells: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the products of a side in their order, but for those with a constant."""
    found = [
        (name, cell)
        for name, cell in cells.items()
        if cell["type"] == "$mul" and all(set(cell["connections"][s]) - set("01x") for s in "AB")
    ]
    numbers = re.compile(r"\d+")
    return sorted(found, key=lambda one: (line_of(one[1]), list(map(int, numbers.findall(one[0])))))


def as_signed(cell: Mapping[str, Any], side: str) -> Bits:
    """Return a factor as a signed number, without copies of its sign."""
    bits = list(cell["connections"][side])
    if not int(cell["parameters"][f"{side}_SIGNED"], 2):
        bits.append("0")
    while len(bits) > 1 and bits[-1] == bits[-2]:
        bits.pop()
    return bits


# --- both ----------------------------------------------------------------------------------------


def firsts_of_memories(module: Mapping[str, Any]) -> dict[tuple[str, int], int]:
    """Return the words of memories at first, by memory and address; take their cells away."""
    found = {}
    for cell in module["cells"].values():
        if cell["type"] in ("$meminit", "$meminit_v2"):
            pins, facts = cell["connections"], cell["parameters"]
            width = int(facts["WIDTH"], 2)
            first = number_of(pins["ADDR"])
            for word in range(int(facts["WORDS"], 2)):
                value = number_of(pins["DATA"][word * width : (word + 1) * width])
                found[facts["MEMID"].removeprefix("\\"), first + word] = value
    return found


def number_of(bits: Bits) -> int:
    """Return the value of constant nets."""
    return int("".join(reversed(bits)) or "0", 2)


def check_memories(netlist: PartNetlist, live: Sequence[int], after: Cut) -> None:
    """Refuse memories whose words at first are not those of the netlist."""
    promised = {
        (node.what[0], address): word
        for number in live
        if (node := netlist.nodes[number]).kind == "memory"
        for address, word in enumerate(node.what[2])
    }
    if promised != firsts_of_memories(after.module):
        raise ValueError("memories must have the first words of the netlist")


def matched(before: Cut, after: Cut) -> list[str]:
    """Let both sides have one port for all that they get, and one for all that they give.

    Returns what each bit that they give is.
    """
    inputs = list(pairs_given(before, after))
    for name, edge in after.firsts.items():
        if before.firsts[name] != edge:
            raise ValueError(f"{name} must be {before.firsts[name]}, got {edge}")
    names, outputs = [], []
    for name, bits in after.found.items():
        right = before.found[name]
        if len(bits) != len(right):
            # A clock is told for each bit of a register.
            right = right * len(bits)
        outputs.append((right[: len(bits)], bits))
        names += [f"{name}[{bit}]" for bit in range(len(bits))]
    for side, cut in enumerate((before, after)):
        cut.module["ports"] = {
            "i": {"direction": "input", "bits": [bit for both in inputs for bit in both[side]]},
            "o": {"direction": "output", "bits": [bit for both in outputs for bit in both[side]]},
        }
        cut.module["netnames"] = {}
    return names


def pairs_given(before: Cut, after: Cut) -> Iterator[tuple[Bits, Bits]]:
    """Yield what both sides get; what one of them does not read it gets as well.

    Bits of registers that the Verilog lacks have no next value to compare.
    """
    for name, bits in before.given.items():
        spare = after.fresh(len(bits))
        if name.startswith("state "):
            there = dict(after.given.pop(name, ()))
            yield bits, [there.get(at, spare[at]) for at in range(len(bits))]
            following = name.replace("state", "next")
            before.found[following] = [before.found[following][at] for at in there]
        else:
            yield bits, after.given.pop(name, spare)
    left = after.given.pop("left", [])
    yield before.fresh(len(left)), left
    if after.given:
        raise ValueError(f"all that is read must be in the netlist, got {after.given.keys()}")


def compare(
    texts: Sequence[tuple[Part, str]],
    seconds: int = SECONDS,
    kept: Path | None = None,
    *,
    products: bool = True,
) -> Iterator[Compared]:
    """Yield for each part whether a Verilog text of it is the logic of its netlist.

    seconds: of the solver for a part; kept: folder for what the solver gets
    products: are cut out, and what is not proved so is tried again with them
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = kept or Path(scratch)
        run_yosys("".join(to_json(part, text, folder) for part, text in texts), folder)
        cut: dict[str, list[str] | Compared] = {}
        modules: dict[str, Any] = {}
        for part, _ in texts:
            name = part.module_name
            try:
                cut[name] = cut_out(part, folder, modules, products=products)
            except (ValueError, KeyError) as error:
                cut[name] = Compared(name, DIFFERS, 0, f"{type(error).__name__}: {error}")
        (folder / "cut.json").write_text(json.dumps({"modules": modules}), encoding="utf-8")
        run_yosys(TO_GATES, folder)
        for found in MODEL.finditer((folder / "gates.blif").read_text(encoding="utf-8")):
            (folder / f"{found[1]}.blif").write_text(found[0], encoding="utf-8")
        for part, text in texts:
            outputs = cut[part.module_name]
            if isinstance(outputs, Compared):
                yield outputs
                continue
            one = solved(part.module_name, outputs, seconds, folder)
            if products and one.verdict != SAME and any(o[:6] == "factor" for o in outputs):
                one = next(compare([(part, text)], seconds, kept, products=False))
            yield one


def to_json(part: Part, text: str, folder: Path) -> str:
    """Write both sides of a part; return what makes JSON of them."""
    name = part.module_name
    (folder / f"{name}.il").write_text(rtlil_of(part), encoding="utf-8")
    (folder / f"{name}.v").write_text(text, encoding="utf-8")
    sides = {BEFORE: f"read_rtlil {name}.il", AFTER: f"read_verilog {name}.v"}
    return "".join(AS_JSON.format(name=name, read=r, side=side) for side, r in sides.items())


def cut_out(part: Part, folder: Path, modules: dict[str, Any], *, products: bool) -> list[str]:
    """Add both sides of a part, cut, to some modules; return what their outputs are."""
    name = part.module_name
    both = []
    for side in (BEFORE, AFTER):
        design = json.loads((folder / f"{name}.{side}.json").read_text(encoding="utf-8"))
        both.append(design["modules"][name])
    with names_from_source(), without_field_nets(), bits_unchecked():
        netlist = netlist_of(part)
    before, after = map(Cut, both)
    cut_netlist(before, netlist)
    found, places = prepared(netlist)
    live = [n for n, mask in enumerate(found.masks) if mask and n]
    if not part.garbage_at_power_on:
        check_memories(netlist, live, after)
    cut_verilog(before, after, netlist, live, places)
    if products:
        cut_products(before, after)
    outputs = matched(before, after)
    if outputs:
        modules |= {
            f"{name}.{side}": cut.module for side, cut in ((BEFORE, before), (AFTER, after))
        }
    return outputs


def solved(name: str, outputs: Sequence[str], seconds: int, folder: Path) -> Compared:
    """Return what the solver finds; outputs: what those of a module are."""
    if not outputs:
        return Compared(name, SAME, 0)
    solve = f"cec -n -T {seconds} {name}.{BEFORE}.blif {name}.{AFTER}.blif"
    # ABC looks at its clock between steps alone, and one may take hours.
    command = ["sh", "-c", f'ulimit -t {seconds}; exec "$0" -c "$1"', str(ABC), solve]
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    verdict = next((each for mark, each in ANSWERS.items() if mark in done.stdout), UNKNOWN)
    places_of = [outputs[int(one)] for one in OUTPUT.findall(done.stdout)]
    return Compared(name, verdict, time.monotonic() - began, ", ".join(places_of[:8]))


def main() -> None:
    """Compare the modules of chips; exit with 1 where one is not proved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archs", nargs="+", type=Path)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of the solver for a module")
    parser.add_argument("--modules", default="", help="those with a word in their names alone")
    given = parser.parse_args()
    left = 0
    for path in given.archs:
        family, arch = load_architecture(path)
        top = family.need(Family.verilog).make_chip(arch)
        texts = verilog_modules(top)
        parts = {part.module_name: part for part in parts_below_first(top) if not part.is_text}
        asked = [(part, texts[name]) for name, part in parts.items() if given.modules in name]
        verdicts: Counter[str] = Counter()
        for one in compare(asked, given.seconds):
            verdicts[one.verdict] += 1
            if one.verdict != SAME:
                print(f"{one.name}: {one.verdict}, {one.seconds:.0f} s: {one.said}", flush=True)
        left += verdicts.total() - verdicts[SAME]
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
        print(f"{path}: {verdicts.total()} modules, {counts}", flush=True)
    sys.exit(left > 0)


if __name__ == "__main__":
    main()
