"""The cells of a memory, replaced by modules of another one, side by side and in banks.

Tests: `tests/verif/common/test_replaced.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace

from amaranth.hdl import Cat, ClockDomain, Const, Instance, Module, Mux, Signal, Value

from hwgen.chip.replacement import MemorySpec, Port, Replacement
from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.replaceable import Placed
from hwgen.chip.widths import bits_for_index


@dataclass(frozen=True)
class Tiling(Placed):
    """How modules of a replacement become the cells of a part.

    writer: port that stores; readers: ports that read; shared: it is one port
    """

    _: KW_ONLY
    writer: int
    readers: tuple[int, ...]

    @property
    def shared(self) -> bool:
        """Whether one port reads and writes."""
        return self.readers == (self.writer,)


def tiling(cells: Cells, replacement: Replacement[MemorySpec], *, needs_old: bool) -> Tiling:
    """Return how a replacement becomes the cells of a part.

    needs_old: see `MemoryPart.reads_what_it_writes`
    Errors: ConfigError where it cannot, one sentence for the first reason
    """
    spec = replacement.spec
    if spec.read_cycles > cells.read_cycles:
        raise replacement.refuse(
            "read_cycles",
            f"at most {cells.read_cycles}, as the part has it",
            spec.read_cycles,
        )
    if is_late(replacement, needs_old=needs_old) and (cells.read_cycles or cells.slices > 1):
        raise replacement.refuse(
            "read_during_write",
            "old: the part reads words in the cycle in which they are written, slices of them alone"
            if cells.slices > 1
            else "old: the part reads words in the cycle in which they are written",
            spec.read_during_write,
        )
    check_units(cells, replacement)
    banks = -(-cells.depth // spec.words)
    if banks > 1 and spec.words & (spec.words - 1):
        raise replacement.refuse(
            "words",
            f"a power of two, or at least the {cells.depth} of the part",
            spec.words,
        )
    writer, readers = chosen_ports(cells, replacement, needs_old=needs_old)
    return Tiling(
        banks=banks,
        columns=-(-cells.bits // spec.bits),
        copies=-(-len(cells.reads) // len(readers)),
        writer=writer,
        readers=readers,
    )


def is_late(replacement: Replacement[MemorySpec], *, needs_old: bool) -> bool:
    """Return whether words are written a cycle late: one that is being written is undefined."""
    return needs_old and replacement.spec.read_during_write == "undefined"


def check_units(cells: Cells, replacement: Replacement[MemorySpec]) -> None:
    """Refuse a replacement that cannot write a slice of a word alone."""
    spec, size = replacement.spec, cells.bits // cells.slices
    if cells.slices == 1 or size % spec.unit == 0:
        return
    if spec.mask_bits is None:
        raise replacement.refuse(
            "mask_bits",
            f"a divisor of {size}: the part writes slices of {size} bits alone",
            "no mask",
        )
    raise replacement.refuse(
        "mask_bits", f"a divisor of {size}, the bits of a slice of the part", spec.mask_bits
    )


def chosen_ports(
    cells: Cells, replacement: Replacement[MemorySpec], *, needs_old: bool
) -> tuple[int, tuple[int, ...]]:
    """Return the port that writes, and those that read."""
    ports = list(enumerate(replacement.spec.ports))
    both = [number for number, port in ports if port.kind == "rw"]
    if both and cells.one_address and not needs_old and len(cells.reads) == 1:
        return both[0], (both[0],)
    writers = [number for number, port in ports if port.kind == "w"] + both
    readers = tuple(number for number, port in ports if port.reads and number not in writers[:1])
    if not writers or not readers:
        raise replacement.refuse(
            "ports",
            "one that writes and another one that reads, as the part does both in a cycle",
            ", ".join(port.kind for _, port in ports),
        )
    return writers[0], readers


def replaced(
    m: Module, cells: Cells, replacement: Replacement[MemorySpec], *, needs_old: bool
) -> None:
    """Place the modules of a replacement, with what chooses among them.

    Errors: as `tiling`
    """
    tiles = tiling(cells, replacement, needs_old=needs_old)
    m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
    m.d.comb += array_clock.clk.eq(cells.clk)
    if is_late(replacement, needs_old=needs_old):
        cells = written_late(m, cells)
    served = len(tiles.readers)
    for number in range(tiles.copies):
        reads = cells.reads[number * served : (number + 1) * served]
        Copy(m, cells, replacement.spec, tiles, reads).place(f"copy_{number}")


def written_late(m: Module, cells: Cells) -> Cells:
    """Return cells that are written a cycle late, past which reads see the word that waits.

    No word is then read from its module in the cycle in which that writes it.
    """
    waits, index = Signal(), Signal(len(cells.write_index))
    data = Signal(cells.bits, name="waiting")
    m.d.array += [
        waits.eq(cells.write_en),
        index.eq(cells.write_index),
        data.eq(Value.cast(cells.write_data)),
    ]
    reads = []
    for number, (place, word) in enumerate(cells.reads):
        stored = Signal(cells.bits, name=f"stored_{number}")
        m.d.comb += word.eq(Mux(waits & (index == place), data, stored))
        reads.append((place, stored))
    return replace(
        cells,
        write_en=waits,
        write_index=index,
        write_data=data,
        read_data=reads[0][1],
        further_reads=reads[1:],
    )


@dataclass(frozen=True)
class Copy:
    """One copy of the content of a part, which serves some of its reads."""

    m: Module
    cells: Cells
    spec: MemorySpec
    tiles: Tiling
    reads: Sequence[tuple[Value, Value]]

    @property
    def read_en(self) -> Value:
        """Whether the part reads; without an enable it always does."""
        return Const(1) if self.cells.read_en is None else self.cells.read_en

    def place(self, name: str) -> None:
        """Place all modules, and give each read its word."""
        words: list[list[Signal]] = [[] for _ in self.reads]
        for bank in range(self.tiles.banks):
            columns = [
                self.module(bank, column, name=f"{name}_{bank}_{column}")
                for column in range(self.tiles.columns)
            ]
            for read, parts in enumerate(zip(*columns, strict=True)):
                word = Signal(self.cells.bits, name=f"{name}_{bank}_read_{read}")
                self.m.d.comb += word.eq(Cat(parts))
                words[read].append(word)
        for read, (index, word) in enumerate(self.reads):
            port = self.spec.ports[self.tiles.readers[read]]
            # A port without a select reads in every cycle.
            holds = self.spec.holds and port.select is not None
            found = self.in_time(words[read], index, name=f"{name}_read_{read}", holds=holds)
            self.m.d.comb += word.eq(found)

    def module(self, bank: int, column: int, *, name: str) -> list[Signal]:
        """Place one module; return what it gives for each read."""
        pins: dict[str, Value] = {}
        found: dict[int, Signal] = {}
        for number, port in enumerate(self.spec.ports):
            read = self.tiles.readers.index(number) if number in self.tiles.readers else None
            if read is not None and read >= len(self.reads):
                read = None
            if port.data_out is not None:
                out = Signal(self.spec.bits, name=f"{name}_{port.data_out}")
                pins[f"o_{port.data_out}"] = out
                if read is not None:
                    found[read] = out
            pins |= self.inputs(port, bank, column, read, writes=number == self.tiles.writer)
        self.m.submodules[name] = Instance(self.spec.module, **pins)
        return [found[read] for read in sorted(found)]

    def inputs(
        self, port: Port, bank: int, column: int, read: int | None, *, writes: bool
    ) -> dict[str, Value]:
        """Return what drives a port; read: the number of the read that it serves."""
        if read is None and not writes:
            return self.driven(port, Const(0, 1), select=Const(0), write=Const(0), units=[Const(0)])
        index = self.cells.write_index if read is None else self.reads[read][0]
        here = self.in_bank(index, bank)
        units = list(self.written_units(column)) if writes else [Const(0)]
        stores = here & Cat(units).any() if writes else Const(0)
        senses = Const(0) if read is None else here & self.read_en
        data = self.data(column) if writes else Const(0, 1)
        return self.driven(
            port, index, select=stores | senses, write=stores, units=units, data=data
        )

    def driven(
        self,
        port: Port,
        index: Value,
        *,
        select: Value,
        write: Value,
        units: Sequence[Value],
        data: Value | None = None,
    ) -> dict[str, Value]:
        """Return the value of each input of a port by the name in an instance."""
        found = {f"i_{port.address}": widened(index, bits_for_index(self.spec.words))}
        if port.clock is not None:
            found[f"i_{port.clock}"] = self.cells.clk
        if port.data_in is not None:
            found[f"i_{port.data_in}"] = widened(
                Const(0, 1) if data is None else data, self.spec.bits
            )
        mask = widened(Cat(units), self.spec.bits // self.spec.unit)
        for pin, value in ((port.select, select), (port.write, write), (port.mask, mask)):
            if pin is not None:
                found[f"i_{pin.name}"] = value if pin.active == "high" else ~value
        return found

    def in_bank(self, index: Value, bank: int) -> Value:
        """Return whether an index lies in a bank."""
        return Const(1) if self.tiles.banks == 1 else self.bank_of(index) == bank

    def bank_of(self, index: Value) -> Value:
        """Return the bank of an index."""
        return index[bits_for_index(self.spec.words) :]

    def written_units(self, column: int) -> Iterator[Value]:
        """Yield whether each unit of a module in a column is written: its slice is."""
        cells, spec = self.cells, self.spec
        size = cells.bits // cells.slices
        for place in range(column * spec.bits, (column + 1) * spec.bits, spec.unit):
            yield cells.write_en[place // size] if place < cells.bits else Const(0)

    def data(self, column: int) -> Value:
        """Return what a module in a column is given to write."""
        bits = self.spec.bits
        return Value.cast(self.cells.write_data)[column * bits : (column + 1) * bits]

    def in_time(self, words: Sequence[Signal], index: Value, *, name: str, holds: bool) -> Value:
        """Return the word of a read in the cycle in which the part promises it.

        words: what each bank gives; holds: they stay until the part reads again
        """
        if self.spec.read_cycles == self.cells.read_cycles == 0:
            return self.chosen(words, self.bank_of(index), name=name)
        if self.spec.read_cycles == 0:
            kept = Signal(self.cells.bits, name=f"{name}_kept")
            with self.m.If(self.read_en):
                self.m.d.array += kept.eq(self.chosen(words, self.bank_of(index), name=name))
            return kept
        last = Signal(max(len(self.bank_of(index)), 1), name=f"{name}_bank")
        if len(words) > 1:
            with self.m.If(self.read_en):
                self.m.d.array += last.eq(self.bank_of(index))
        word = self.chosen(words, last, name=name)
        return word if holds else self.held(word, name=name)

    def held(self, word: Value, *, name: str) -> Value:
        """Return a word that is there for one cycle, and then what it was."""
        came = Signal(name=f"{name}_came")
        kept = Signal(self.cells.bits, name=f"{name}_held")
        self.m.d.array += came.eq(self.read_en)
        with self.m.If(came):
            self.m.d.array += kept.eq(word)
        return Mux(came, word, kept)

    def chosen(self, words: Sequence[Signal], bank: Value, *, name: str) -> Value:
        """Return the word of a bank."""
        if len(words) == 1:
            return words[0]
        word = Signal(self.cells.bits, name=name)
        with self.m.Switch(bank):
            for number, one in enumerate(words):
                with self.m.Case(number):
                    self.m.d.comb += word.eq(one)
        return word


def widened(value: Value, bits: int) -> Value:
    """Return the lowest bits of a value, with zeros above what it has."""
    low = value[:bits]
    return Cat(low, Const(0, bits - len(low))) if len(low) < bits else low
