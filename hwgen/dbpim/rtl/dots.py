"""The array of a macro that computes; another one with these ports can replace the module."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod

from amaranth.hdl import ClockDomain, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.replacement import ArraySpec, Replacement
from hwgen.chip.rtl.array_part import ArrayPart
from hwgen.chip.rtl.part import PartInstance
from hwgen.chip.rtl.replaceable import Placed
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import WEIGHT_BITS, Arch
from hwgen.dbpim.rtl.adder_tree import AdderTree
from hwgen.dbpim.rtl.cell_array import read_enable
from hwgen.dbpim.rtl.compartment import Compartment
from hwgen.dbpim.rtl.digits import pair_port
from hwgen.dbpim.rtl.foreign_dots import ForeignDots, Shape
from hwgen.dbpim.rtl.layouts import dots, row_cells, row_meta
from hwgen.dbpim.rtl.meta_array import MetaArray
from hwgen.network.sparsity import PHI_LIMIT


class Dots(ArrayPart):
    """Compartments, their metadata and an adder tree a filter: a bit plane times a row of weights.

    ``sums[f] = sum(x[c] * weight[row][c][f] for c in compartments)``

    Ports
        clk          in   1          rising edge; there is no reset
        valid        in   1          there is a bit plane [with ``array_cycles`` of 2]
        x            in   C          one bit of each compartment's input byte
        row          in   row_bits   unsigned, below ``rows``: the row that computes
        read_en      in   1          ``row`` computes in the next cycle [with synchronous cells]
        enable       in   2 x F      bits 2f, 2f + 1: first, second cell of filter f counts
        pair         in   1          the cells of a filter are of two [with pair tiles]
        write_en     in   1          store a row at this clock edge
        write_row    in   row_bits   unsigned, below ``rows``
        write_cells  in   row_cells  cell bits, for each compartment
        write_meta   in   row_meta   signs, indices and constants for the enabled cell columns
                                     [with ``weight_bits``]
        sums         out  dots       two's complement, of each filter [with ``pairs``: those of
                                     the second cells follow, 0 without ``pair``]
    Latency  ``array_cycles`` - 1 from ``x`` and ``enable`` to ``sums``, and from ``row``, which
             synchronous cells get a cycle before ``x``
    Rate     one bit plane in each cycle; a row is written in a cycle without ``row`` of one
    Errors   none: ``Arch`` has checked the sizes; a row never written holds garbage
    Golden   ``verif.reference.dbpim.macro`` of one row and inputs of one bit
    Source   seed 002, V-C; docs/dbpim-microarchitecture.md, "Cell array and macro"
    """

    family = "dbpim"
    optional = ("valid", "read_en")
    one_pin = ("row", "write_row")

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self.array_cycles, self.cells = arch.array_cycles, arch.cells
        self._compartment = Compartment(arch=arch)
        self._adder_tree = AdderTree(arch=arch)
        self.parts = [self._compartment, self._adder_tree]
        ports = {
            "clk": In(1),
            "x": In(arch.macro.compartments),
            "row": In(bits_for_index(arch.macro.rows)),
            **read_enable(arch),
            "enable": In(PHI_LIMIT * arch.filters),
            **pair_port(arch),
            "write_en": In(1),
            "write_row": In(bits_for_index(arch.macro.rows)),
            "write_cells": In(row_cells(arch)),
            "sums": Out(dots(arch)),
        }
        if arch.array_cycles > 1:
            ports["valid"] = In(1)
        if arch.sparsity.weight_bits:
            self._meta_array = MetaArray(arch=arch)
            self.parts += [self._meta_array]
            ports["write_meta"] = In(row_meta(arch))
        super().__init__(ports)

    @property
    def sizes(self) -> Mapping[str, int]:
        """Rows, and what a row has: compartments are the inputs of an array."""
        macro = self._arch.macro
        return {"rows": macro.rows, "inputs": macro.compartments, "filters": self._arch.filters}

    @property
    def pins(self) -> Sequence[str]:
        """Filters without a cell are no business of a module."""
        return [name for name in super().pins if name != "enable"]

    def placed(self, replacement: Replacement[ArraySpec]) -> Placed:
        """Refuse an array, whose weights are int8, where cells hold digits or narrower weights."""
        given = ""
        if self._arch.sparsity.weight_bits:
            given = "a chip whose cells are digits"
        elif (bits := self._arch.macro.weight_bits) < WEIGHT_BITS:
            given = f"a chip whose macro.weight_bits is {bits}"
        if given:
            raise replacement.refuse(
                "kind",
                "for a chip whose sparsity.weight_bits is false: an array has int8 weights",
                given,
            )
        return super().placed(replacement)

    def tiled(self, replacement: Replacement[ArraySpec]) -> Placed:
        """Return how many modules it takes: for its inputs, and for its filters."""
        module = self._module_shape(replacement.spec)
        if module.rows < self._arch.macro.rows:
            raise replacement.refuse(
                "sizes.rows", f"at least the {self._arch.macro.rows} of the part", module.rows
            )
        return Placed(columns=prod(Shape(**self.sizes).tiles(module)))

    def _module_shape(self, spec: ArraySpec) -> Shape:
        """Return the shape of one module of a replacement."""
        return Shape(**{name: spec.sizes.get(name, size) for name, size in self.sizes.items()})

    def module_widths(self, replacement: Replacement[ArraySpec]) -> dict[str, int]:
        """Return the widths of the ports of one module."""
        module = self._module_shape(replacement.spec)
        row = bits_for_index(module.rows)
        return super().module_widths(replacement) | {
            "x": module.inputs,
            "row": row,
            "write_row": row,
            "write_cells": WEIGHT_BITS * module.inputs * module.filters,
            "sums": module.filters * module.sum_bits,
        }

    def ways(self, replacement: Replacement[ArraySpec]) -> Iterator[tuple[str, str]]:
        """Yield the ways of an array of one cycle: from inputs and row to the sums."""
        if replacement.spec.cycles == 1:
            yield "x", "sums"
            if replacement.spec.cells == "combinational":
                yield "row", "sums"

    def around(self, m: Module) -> None:
        """Place the modules of the replacement."""
        assert self.replacement is not None
        spec = self.replacement.spec
        pins = [spec.pin(name) for name in self.one_pin]
        ForeignDots(
            m,
            ports={name: Value.cast(getattr(self, name)) for name in self.signature.members},
            part=Shape(**self.sizes),
            module=self._module_shape(spec),
            cycles=self.array_cycles,
            late=self.array_cycles - spec.cycles,
            connect=self.connected,
            one_row=pins[0] == pins[1],
        ).place()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._arch.array_cycles > 1:
            m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
            m.d.comb += array_clock.clk.eq(self.clk)
        if self.replacement is None:
            self._compute(m)
        else:
            self.around(m)
        return m

    def _compute(self, m: Module) -> None:
        """Place compartments, metadata and trees."""
        active_row = Mux(self.write_en, self.write_row, self.row)
        meta = self._metadata(m, row=active_row) if self._arch.sparsity.weight_bits else None
        compartments = self._place_compartments(m, row=active_row, meta=meta)
        for number in range(self._arch.sums):
            m.submodules[f"adder_tree_{number}"] = tree = self._adder_tree.instance()
            given = [
                (tree.terms[index], compartment.terms[number])
                for index, compartment in enumerate(compartments)
            ]
            if meta is not None:
                given.append((tree.constant, meta.constants[number]))
            for place, (port, value) in enumerate(given):
                if self._arch.array_cycles == 1:
                    m.d.comb += port.eq(value)
                    continue
                kept = Signal(len(port), name=f"kept_{number}_{place}")
                m.d.comb += port.eq(kept)
                with m.If(self.valid):
                    m.d.array += kept.eq(value)
            m.d.comb += self.sums[number].eq(tree.sum)

    def _place_compartments(
        self, m: Module, *, row: Value, meta: data.View | None
    ) -> list[PartInstance]:
        """Place the compartments; they have their cells from the active row."""
        compartments = [self._compartment.instance() for _ in self.x]
        for index, compartment in enumerate(compartments):
            m.submodules[f"compartment_{index}"] = compartment
            m.d.comb += [
                compartment.clk.eq(self.clk),
                compartment.write_en.eq(self.write_en),
                compartment.row.eq(row),
                compartment.write_data.eq(self.write_cells[index]),
                compartment.x.eq(self.x[index]),
                compartment.enable.eq(self.enable),
            ]
            if self._arch.pairs:
                m.d.comb += compartment.pair.eq(self.pair)
            if meta is not None:
                m.d.comb += compartment.meta.eq(meta.cells[index])
            if self._arch.reads_at_edge:
                m.d.comb += compartment.read_en.eq(self.read_en)
        return compartments

    def _metadata(self, m: Module, *, row: Value) -> data.View:
        """Place the metadata; return that of the active row."""
        m.submodules.meta_array = meta_array = self._meta_array.instance()
        m.d.comb += [
            meta_array.clk.eq(self.clk),
            meta_array.write_en.eq(self.write_en),
            meta_array.row.eq(row),
            meta_array.write_data.eq(self.write_meta),
        ]
        if self._arch.reads_at_edge:
            m.d.comb += meta_array.read_en.eq(self.read_en)
        return data.View(row_meta(self._arch), meta_array.meta)
