"""Cells that are stuck, in a simulation of the emitted Verilog: all cells of a chip, and a bad one.

Each module that is a memory reads one cell as a constant, if the simulation names the instance:
what is written does not matter, as of a cell whose content cannot change.

Tests: `tests/chip/sim/test_stuck.py`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from hwgen.chip.sim.cache import Say, silent
from hwgen.chip.sim.host import TOP, ChipRun, HostedChip, Kept, Work, run_hosted

CONTENT = re.compile(r"^  reg \[(\d+):0\] content \[(\d+):0\];\n", re.M)
READ = re.compile(r"(= )content\[(\w+)\];")
"""Of a word; writes have it on the left."""
INSTANCE = re.compile(r"^  (\w+) (\w+) \($", re.M)
STUCK = """\
  string stuck_path;
  integer stuck_word;
  integer stuck_bit;
  integer stuck_value;
  reg [{high}:0] stuck_mask;
  initial begin
    stuck_word = -1;
    stuck_mask = 0;
    if ($value$plusargs("stuck_path=%s", stuck_path) && stuck_path == $sformatf("%m")) begin
      void'($value$plusargs("stuck_word=%d", stuck_word));
      void'($value$plusargs("stuck_bit=%d", stuck_bit));
      void'($value$plusargs("stuck_value=%d", stuck_value));
      stuck_mask[stuck_bit] = 1;
    end
  end
"""
PLAIN = "`undef HWGEN_ASSERTIONS\n"
"""A chip of silicon has no assertions: only what its host sees finds a fault."""


@dataclass(frozen=True, kw_only=True)
class CellArray:
    """The cells of one memory of a chip: path of the instance, from the chip on, and its module.

    bits: of a word; read_bits: the lowest of them, whose cells count
    """

    path: str
    module: str
    words: int
    bits: int
    read_bits: int

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.words * self.bits

    @property
    def counted(self) -> int:
        """Number of cells that count."""
        return self.words * self.read_bits


@dataclass(frozen=True, kw_only=True)
class StuckCell:
    """A cell that always reads as `value`, 0 or 1."""

    array: CellArray
    word: int
    bit: int
    value: Literal[0, 1]

    @property
    def plusargs(self) -> dict[str, object]:
        """What a simulation of `with_stuck_cells` is told."""
        return {
            "stuck_path": f"{TOP}.chip.{self.array.path}",
            "stuck_word": self.word,
            "stuck_bit": self.bit,
            "stuck_value": self.value,
        }


def cell_arrays(modules: Mapping[str, str], top: str) -> list[CellArray]:
    """Return all memories of a chip; modules: its Verilog by name."""
    return list(arrays_below(modules, top, ""))


def arrays_below(modules: Mapping[str, str], name: str, path: str) -> Iterator[CellArray]:
    """Yield the memories of an instance of a module."""
    text = modules[name]
    for bits, words in CONTENT.findall(text):
        size = int(bits) + 1
        yield CellArray(path=path, module=name, words=int(words) + 1, bits=size, read_bits=size)
    for module, instance in INSTANCE.findall(text):
        if module in modules:
            yield from arrays_below(modules, module, f"{path}.{instance}" if path else instance)


def drawn_cells(arrays: Sequence[CellArray], count: int, seed: int) -> list[StuckCell]:
    """Return cells drawn evenly over all that count, none twice, each stuck at 0 and at 1."""
    ends = np.cumsum([array.counted for array in arrays])
    rng = np.random.default_rng(seed)
    found = []
    for place in rng.choice(ends[-1], min(count, int(ends[-1])), replace=False):
        array = arrays[int(np.searchsorted(ends, place, side="right"))]
        index = int(place - (ends[arrays.index(array)] - array.counted))
        word, bit = divmod(index, array.read_bits)
        found += [
            StuckCell(array=array, word=word, bit=bit, value=0),
            StuckCell(array=array, word=word, bit=bit, value=1),
        ]
    return found


def with_stuck_cells(chip: HostedChip[Kept]) -> HostedChip[Kept]:
    """Return a chip whose simulation may be told of a stuck cell; it asserts nothing."""
    return replace(
        chip,
        name=f"{chip.name} with stuck cells",
        write=lambda: {name: may_stick(text) for name, text in chip.modules.items()},
    )


def may_stick(text: str) -> str:
    """Return the Verilog of a module; of a memory with what a stuck cell needs."""
    found = CONTENT.search(text)
    if found is None:
        return PLAIN + text
    text = READ.sub(
        r"\1(stuck_word == \2 ? (stuck_value == 1 ? content[\2] | stuck_mask"
        r" : content[\2] & ~stuck_mask) : content[\2]);",
        text,
    )
    declared = CONTENT.search(text)
    assert declared is not None
    return f"{PLAIN}{text[: declared.end()]}{STUCK.format(high=found[1])}{text[declared.end() :]}"


def run_stuck(
    work: Work,
    chip: HostedChip[Kept],
    cell: StuckCell | None,
    *,
    builds: Path | None = None,
    say: Say = silent,
) -> list[ChipRun[Kept]]:
    """Return every start of a chip of `with_stuck_cells`; cell: that is stuck, None: none."""
    told = {} if cell is None else cell.plusargs
    return run_hosted(replace(work, plusargs=told), chip, builds=builds, say=say)[0]
