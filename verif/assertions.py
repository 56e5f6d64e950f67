"""Faults that let each assertion of a chip's Verilog fire, under Icarus.

A fault makes what an assertion reads random: the signals of the module inside, and its inputs. An
assertion that nothing can break, or whose condition is not what its message says, does not fire.

    python -m verif.assertions FOLDER ...     folders of `hwgen build`: counts of each kind
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.chip.rtl.check_text import SECTION
from hwgen.chip.rtl.checks import KEPT
from hwgen.chip.rtl.manifest import instances_in, ports_in
from hwgen.chip.rtl.words import TAKEN
from hwgen.chip.sim.simulator import ASSERTIONS

KINDS = {
    "handshakes hold": r"must hold its payload",
    "neither over nor under": r"must (?:take|give) no word",
    "one-hot": r"^at most one of",
    "addresses": r"must be below",
    "counters": r"must be (?:in its range|-?\d+ to \d+)",
}
"""How messages of each kind read."""
ASSERTION = re.compile(r'assert \((.*?)\) `HWGEN_ELSE\("([^"]*)"\);')
NEXT_LINE = re.compile(r"\n +")
VALUE = re.compile(r"^  assign (\S+) = (.*?);", re.M)
OWN = re.compile(r"^  (?:wire|reg) (?:signed )?(?:\[\d+:0\] )?([\w$]+);", re.M)
DECLARED = re.compile(
    r"^  (?:(?:input|output) )?(?:wire |reg )?(?:signed )?(?:\[(\d+):0\] )?\\?([\w$]+) ?[;,]?"
    r"(?:  //.*)?$",
    re.M,
)
NUMBER = re.compile(r"\d+'s?[hdb][0-9a-fxz]+")
NAME = re.compile(r"(?<![.\w$'])[A-Za-z_][\w$]*")
CYCLES = 400


@dataclass(frozen=True)
class Assertion:
    """One of a module: what it says, and the signals that it reads."""

    module: str
    message: str
    reads: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Return its kind. Raises ValueError for a message of none, or of several."""
        found = [kind for kind, text in KINDS.items() if re.search(text, self.message)]
        if len(found) != 1:
            raise ValueError(f"an assertion must be of one kind, got {self.message}: {found}")
        return found[0]


def assertions_in(module: str, text: str) -> Iterator[Assertion]:
    """Yield the assertions of a module."""
    found = SECTION.search(text)
    if found is None:
        return
    section = NEXT_LINE.sub(" ", found[0])
    values = dict(VALUE.findall(joined(found[0])))
    own = set(OWN.findall(found[0]))
    stored = dict(re.findall(rf"({KEPT}\w+) <= (.*?);", section))
    for condition, message in ASSERTION.findall(section):
        reads: dict[str, None] = {}
        waiting, seen = names_in(condition), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in own:
                waiting += names_in(values.get(name, "") + " " + stored.get(name, ""))
            else:
                reads[name] = None
        yield Assertion(module, message, tuple(sorted(set(reads) - {"rst", "clk"})))


def joined(text: str) -> str:
    """Return a text with each statement in one line."""
    return re.sub(r"\n      (?! *(?:assert|end))", " ", text)


def names_in(text: str) -> list[str]:
    """Return the signals in an expression."""
    return NAME.findall(NUMBER.sub("", text.replace("$signed", "")))


def widths_of(text: str) -> dict[str, int]:
    """Return the bits of the signals of a module."""
    return {name: int(high or 0) + 1 for high, name in DECLARED.findall(text)}


def fires(modules: Mapping[str, str], module: str, folder: Path) -> tuple[set[str], set[str]]:
    """Return the messages of a module at rest, and those with each assertion's fault."""
    text = modules[module]
    files = []
    for name in {module, *below(modules, module)}:
        files.append(folder / f"{name}.v")
        files[-1].write_text(modules[name], encoding="utf-8")
    bench = folder / "bench.v"
    bench.write_text(bench_of(module, text), encoding="utf-8")
    image = folder / "bench.vvp"
    command = ["iverilog", "-g2012", *ASSERTIONS[1:], "-s", "bench", "-o", str(image)]
    subprocess.run([*command, str(bench), *map(str, files)], check=True, capture_output=True)
    said = subprocess.run(["vvp", "-n", str(image)], check=True, capture_output=True, text=True)
    rest, _, rows = said.stdout.partition("FAULTS\n")
    return messages(rest, module), messages(rows, module)


def messages(said: str, module: str) -> set[str]:
    """Return the messages in what a simulator wrote, of a module itself."""
    return set(re.findall(rf"^ERROR: \S*/{module}\.v:\d+: (.*)$", said, re.M))


def below(modules: Mapping[str, str], module: str) -> set[str]:
    """Return the modules below one."""
    found = set[str]()
    for name in instances_in(modules[module]):
        if name in modules:
            found |= {name, *below(modules, name)}
    return found


def bench_of(module: str, text: str) -> str:
    """Return a bench: a module at rest with all inputs 0, then a fault for each assertion."""
    ports, widths = ports_in(text), widths_of(text)
    inputs = {n: w for n, (direction, w) in ports.items() if direction == "input"}
    free = {name: width for name, width in inputs.items() if name not in ("clk", "rst")}
    lines = ["`timescale 1ns/1ps", "module bench;", "  reg clk = 0, rst = 1;"]
    lines += ["  always #5 clk = !clk;", "  integer k, n;"]
    lines += [f"  reg [{width - 1}:0] in_{name} = 0;" for name, width in free.items()]
    own = [(n, found) for n, found in enumerate(assertions_in(module, text))]
    hurt = sorted({name for _, one in own for name in one.reads if name in widths} - inputs.keys())
    lines += [f"  reg [{widths[name] - 1}:0] to_{name};" for name in hurt]
    given = [f".{name}({name if name in ('clk', 'rst') else f'in_{name}'})" for name in inputs]
    lines += [f"  {module} dut ({', '.join(given)});", "  initial begin"]
    lines += ["    repeat (4) @(negedge clk);", "    rst = 0;", "    repeat (20) @(negedge clk);"]
    lines += ['    $display("FAULTS");']
    for _, one in own:
        forced = [name for name in one.reads if name in hurt]
        lines += ["    rst = 1;", "    repeat (2) @(negedge clk);", "    rst = 0;"]
        lines += [f"    force dut.{place(name)} = to_{name};" for name in forced]
        lines += [f"    for (k = 0; k < {CYCLES}; k = k + 1) begin", "      @(negedge clk);"]
        lines += [line for name in forced for line in random_bits(f"to_{name}", widths[name])]
        lines += [line for name, bits in free.items() for line in random_bits(f"in_{name}", bits)]
        lines += ["    end", *(f"    release dut.{place(name)};" for name in forced)]
    return "\n".join([*lines, "    $finish;", "  end", "endmodule", ""])


def place(name: str) -> str:
    """Return how a signal is called from outside."""
    return f"\\{name} " if name in TAKEN else name


def random_bits(name: str, bits: int) -> Iterator[str]:
    """Yield statements that make a register random, 0, all ones, a power of two, or as it was."""
    yield "      n = $urandom;"
    value = f"{{ {', '.join(['$urandom'] * -(-bits // 32))} }}"
    yield f"      if (n[1:0] == 0) {name} = {value};"
    yield f"      else if (n[1:0] == 1) {name} = {{ {bits}{{n[2]}} }};"
    # A queue is full at a power of two.
    yield f"      else if (n[2]) {name} = {bits}'d1 << n[20:3] % {bits};"


def count(folders: Sequence[Path]) -> Counter[tuple[str, str]]:
    """Return how many assertions of each kind stand in the Verilog of folders."""
    found: Counter[tuple[str, str]] = Counter()
    for folder in folders:
        for file in sorted(folder.glob("*.v")):
            for one in assertions_in(file.stem, file.read_text(encoding="utf-8")):
                found[str(folder), one.kind] += 1
    return found


if __name__ == "__main__":
    for (chip, kind), number in sorted(count([Path(name) for name in sys.argv[1:]]).items()):
        print(f"{chip:<24} {kind:<24} {number:>4}")
