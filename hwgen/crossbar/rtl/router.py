"""A router of the mesh: a table and ORs, since nobody ever meets there."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose_below
from hwgen.chip.rtl.part import Part
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.routes import PORTS, numbers
from hwgen.crossbar.rtl import layouts


class Router(Part):
    """Hands each packet to all outputs that `exits` has for the number in its header.

    outputs[o] = the flit that goes to o, 0 where there is none

    Ports
        exits    in   numbers x 6    constant: outputs by number, see `routes.masks`
        inputs   in   6 x flit       north, east, south, west, macro, I/O node
        outputs  out  6 x flit       in the same order
        clash    out  1              two flits wanted the same output in the clock before
    Latency  1 clock
    Rate     a flit a clock at every port
    Errors   ``clash``; both flits are then lost in an OR
    Golden   ``verif.crossbar.bench_router``
    Source   docs/crossbar-chip.md, "Links"
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip) -> None:
        self._chip = chip
        ports = data.ArrayLayout(layouts.flit(chip), PORTS)
        super().__init__(
            {
                "exits": In(numbers(chip) * PORTS),
                "inputs": In(ports),
                "outputs": Out(ports),
                "clash": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        exits = [self.exits.word_select(place, PORTS) for place in range(numbers(self._chip))]
        ways = []
        for number in range(PORTS):
            flit = self.inputs[number]
            held = Signal(PORTS, name=f"held{number}")
            way = Signal(PORTS, name=f"way{number}")
            travel = flit.data[: layouts.TRAVEL_BITS]
            m.d.comb += way.eq(
                Mux(flit.valid, Mux(flit.head, choose_below(exits, travel), held), 0)
            )
            with m.If(flit.valid & flit.head):
                m.d.sync += held.eq(way)
            ways.append(way)
        clashes = []
        for number in range(PORTS):
            here = [way[number] for way in ways]
            words = [
                Value.cast(self.inputs[source])
                & one.replicate(len(Value.cast(self.inputs[source])))
                for source, one in enumerate(here)
            ]
            whole = words[0]
            for word in words[1:]:
                whole = whole | word
            m.d.sync += Value.cast(self.outputs[number]).eq(whole)
            clashes.append(sum(here[1:], here[0]) > 1)
        m.d.sync += self.clash.eq(Cat(*clashes).any())
        return m
