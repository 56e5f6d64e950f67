"""How readable the Verilog of a chip is: nets without a name, copies of expressions, long lines.

    python -m verif.readable FOLDER ...     folders of `hwgen build`; a line each

A net has no name if a machine numbered it: `$1`, `_n1`. An expression is a value that is assigned
and has an operator; it is a copy if another net of its module has the same one, word for word.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from verif.same_verilog import read_folder
from verif.schemata import in_lines

NET = re.compile(r"^  (?:wire|reg) (?:signed )?(?:\[\d+:0\] )?(\\\S+|[\w$]+)", re.M)
NAMELESS = re.compile(r"\\?\$.*|_n\d+")
ASSIGNED = re.compile(r"^  assign .*? = (.*);", re.M)
OPERATOR = re.compile(r"[&|^+*/%<>=?!~-]")


@dataclass(frozen=True)
class Counted:
    """Of some modules: lines, nets without a name, expressions, copies, the longest line."""

    lines: int
    nameless: int
    expressions: int
    copies: int
    longest: int

    def copied(self) -> float:
        """Return the share of expressions that are copies, in percent."""
        return 100 * self.copies / max(1, self.expressions)


def counted(modules: Iterable[str]) -> Counted:
    """Return the counts of the Verilog of modules, one text each."""
    lines = nameless = expressions = copies = longest = 0
    for text in modules:
        lines += text.count("\n")
        longest = max(longest, *map(len, text.splitlines()))
        nameless += sum(NAMELESS.fullmatch(name) is not None for name in NET.findall(text))
        values = [each for each in ASSIGNED.findall(in_lines(text)) if OPERATOR.search(each)]
        expressions += len(values)
        copies += sum(count - 1 for count in Counter(values).values())
    return Counted(lines, nameless, expressions, copies, longest)


def main() -> None:
    """Print the counts of folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    print("chip | lines | nets without a name | expressions | copies, % | longest line")
    for folder in parser.parse_args().folders:
        one = counted(read_folder(folder).values())
        print(
            f"{folder.name} | {one.lines} | {one.nameless} | {one.expressions}"
            f" | {one.copies}, {one.copied():.1f} | {one.longest}"
        )


if __name__ == "__main__":
    main()
