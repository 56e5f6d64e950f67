"""The write bus: words to the activation buffers of all cores, or to the logit buffer."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.layouts import bus_write
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.widths import bits_for_index


class WriteBus(Part):
    """Round-robin arbiter: after a grant to core c, core c + 1 has the highest priority.

    Every core sees every word, and stores it if it keeps its row (``ActivationBuffer``).

    Ports
        requests     streams in  cores x bus_write  of each core; ready = granted in this cycle
        image_valid  in          1                  the loader sends a word of the image
        image        in          bus_write          that word
        write_valid  out         1                  a word for all buffers, registered
        write        out         bus_write          that word
    Latency  ``BUS_CYCLES`` from the grant to ``write_valid``
    Rate     one word in each cycle
    Errors   none; an image word has priority, but no core requests while the image is loaded
    Golden   the words of each core in their order
    Source   docs/dbpim-microarchitecture.md, "write_bus"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._cores = arch.cores
        super().__init__(
            {
                "requests": In(stream.Signature(bus_write(arch))).array(arch.cores),
                "image_valid": In(1),
                "image": In(bus_write(arch)),
                "write_valid": Out(1),
                "write": Out(bus_write(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        index_bits = bits_for_index(self._cores)
        first, winner = Signal(index_bits), Signal(index_bits)
        granted = Signal()
        word = Signal.like(self.write)
        with m.Switch(first):
            for highest in range(self._cores):
                with m.Case(highest):
                    self._choose(m, highest=highest, winner=winner, granted=granted)
        with m.Switch(winner):
            for core, request in enumerate(self.requests):
                with m.Case(core):
                    m.d.comb += [
                        word.eq(request.payload),
                        request.ready.eq(granted & ~self.image_valid),
                    ]
        m.d.sync += self.write_valid.eq(self.image_valid | granted)
        with m.If(self.image_valid):
            m.d.sync += self.write.eq(self.image)
        with m.Elif(granted):
            m.d.sync += [self.write.eq(word), first.eq((winner + 1) % self._cores)]
        return m

    def _choose(self, m: Module, *, highest: int, winner: Signal, granted: Signal) -> None:
        """Grant the first core that requests, in the order from `highest` upwards and around."""
        order = [(highest + n) % self._cores for n in range(self._cores)]
        for core in reversed(order):
            with m.If(self.requests[core].valid):
                m.d.comb += [winner.eq(core), granted.eq(1)]
