"""The index of an output folder, `index.md`: the hierarchy of its modules and what each holds."""

import inspect
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.chip.rtl.check_text import without_assertions
from hwgen.chip.rtl.manifest import instances_in
from hwgen.chip.rtl.part import Part

INDEX = "index.md"

DECLARED = re.compile(
    r"^  (?:output )?reg (?:signed )?(?:\[(?P<high>\d+):0\] )?(?P<name>(?!unused_)\w+)"
    r"(?: \[(?P<last>\d+):0\])?(?:[ ;,]|$)",
    re.M,
)
CLOCKED = re.compile(
    r"^  always @\(posedge clk\).*?(?=^  (?:always|end\n)|^endmodule)", re.M | re.S
)
WRITTEN = re.compile(r"^ +(?:[^;=]*: )?(\{[^}]*\}|\w+)(?:\[[^\]]*\])* <= ", re.M)
NAME = re.compile(r"[A-Za-z_]\w*")
HEAD = """# {top}

{about}.

Each module stands once, the top first. A dot stands for a level below the top, where the module is
first placed. Flip-flops and bits of memories are those of one instance, without what it places; the
last row has those of all instances. `python -m pydoc` with a name of the last column prints what a
module does, port by port.

| module | instances | what it is | lines | flip-flops | memory bits | made by |
| :-- | --: | :-- | --: | --: | --: | :-- |
"""


@dataclass(frozen=True)
class Stored:
    """What a module holds: `flip_flops` and the bits of its memories, `memory_bits`."""

    flip_flops: int
    memory_bits: int


def stored_in(text: str) -> Stored:
    """Return what the logic of a module holds, without the modules that it places."""
    text = without_assertions(text)
    targets = [one for block in CLOCKED.findall(text) for one in WRITTEN.findall(block)]
    clocked = {name for one in targets for name in NAME.findall(one)}
    flip_flops = memory_bits = 0
    for found in DECLARED.finditer(text):
        width = int(found["high"] or 0) + 1
        if found["last"] is not None:
            memory_bits += width * (int(found["last"]) + 1)
        elif found["name"] in clocked:
            flip_flops += width
    return Stored(flip_flops, memory_bits)


def index(parts: dict[str, Part], texts: Mapping[str, str], *, about: str) -> str:
    """Return the index as Markdown.

    parts: by module name, each behind those that it places, the top last
    texts: the Verilog of each, as it is written
    """
    *_, top = parts
    levels: dict[str, int] = {}
    counts: Counter[str] = Counter()

    def place(name: str, level: int, count: int) -> None:
        levels.setdefault(name, level)
        counts[name] += count
        for below, times in placed[name].items():
            if below in parts:
                place(below, level + 1, count * times)

    placed = {name: instances_in(text) for name, text in texts.items()}
    place(top, 0, 1)
    lines, whole = [], Counter[str]()
    for name, level in levels.items():
        stored, length = stored_in(texts[name]), texts[name].count("\n")
        whole += Counter(
            lines=length,
            flip_flops=stored.flip_flops * counts[name],
            memory_bits=stored.memory_bits * counts[name],
        )
        cells = (
            f"{'· ' * level}[{name}]({name}.v)",
            f"{counts[name]:,}",
            first_sentence(parts[name]).replace("|", "\\|"),
            f"{length:,}",
            f"{stored.flip_flops:,}",
            f"{stored.memory_bits:,}",
            f"`{type(parts[name]).__module__}.{type(parts[name]).__name__}`",
        )
        lines.append(f"| {' | '.join(cells)} |\n")
    last = (f"{whole[key]:,}" for key in ("lines", "flip_flops", "memory_bits"))
    lines.append(f"| all instances | {counts.total():,} | | {' | '.join(last)} | |\n")
    return HEAD.format(top=top, about=about or "A design") + "".join(lines)


def first_sentence(part: Part) -> str:
    """Return what a part is: the first line of its docstring."""
    return (inspect.getdoc(part) or "").partition("\n")[0]
