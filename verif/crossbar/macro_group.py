"""Macros of a chip with a wire from each to those that it sends to, in place of routers."""

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.layouts import flit, layer_strobes
from hwgen.crossbar.rtl.macro import Macro
from hwgen.crossbar.rtl.shifts import any_of


def group_strobes(chip: Chip) -> data.StructLayout:
    """The strobes of all layers of a chip."""
    return data.StructLayout(
        {f"layer{layer.place}": layer_strobes(chip, layer) for layer in chip.layers}
    )


class MacroGroup(Part):
    """All macros of a chip; what comes goes to all, each takes what is its own.

    Ports
        strobes   in   group_strobes
        link_in   in   flit
        link_out  out  flit           of the macro that gives the answer
        late      out  macros         whether a macro was late since the reset
        overflow  out  macros         the same of what ran over
    Latency  a clock from a macro to another one
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip) -> None:
        self._chip = chip
        self._macros = [Macro(chip=chip, macro=one.macro) for one in chip.macros]
        self.parts = self._macros
        count = len(self._macros)
        super().__init__(
            {
                "strobes": In(group_strobes(chip)),
                "link_in": In(flit(chip)),
                "link_out": Out(flit(chip)),
                "late": Out(count),
                "overflow": Out(count),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chip, placed = self._chip, []
        for number, part in enumerate(self._macros):
            m.submodules[f"macro_{number}"] = macro = part.instance()
            for place in chip.layers_in(number):
                m.d.comb += macro.strobes[f"layer{place}"].eq(self.strobes[f"layer{place}"])
            placed.append(macro)
        for number, macro in enumerate(placed):
            node = chip.macros[number].node
            sources = {
                one.source
                for one in chip.travels
                if one.kind in ("chain", "gather") and node in one.targets
            }
            links = [self.link_in]
            links += [p.link_out for k, p in enumerate(placed) if chip.macros[k].node in sources]
            came = any_of([Mux(one.valid, Value.cast(one), 0) for one in links])
            m.d.sync += Value.cast(macro.link_in).eq(came)
        m.d.comb += [
            self.link_out.eq(placed[chip.layers[-1].merge_macro].link_out),
        ]
        m.d.sync += [
            self.late.eq(self.late | Cat(macro.late for macro in placed)),
            self.overflow.eq(self.overflow | Cat(macro.overflow for macro in placed)),
        ]
        return m
