"""The write bus: words to the activation buffers of all cores, or to the logit buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import one_hot
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.layouts import bus_write, bus_writes
from hwgen.dbpim.rtl.region import bank_of


class WriteBus(Part):
    """`bus_words` lanes, each a round-robin arbiter: after core c, core c + 1 goes first.

    A word for bank b belongs to lane b mod `bus_words`, one for the logit buffer to lane 0. So the
    words of a cycle go to different banks. Every core sees every word, and stores it if it keeps
    its row (``ActivationBuffer``).

    Ports
        requests     streams in  cores x bus_write  of each core; ready = granted in this cycle
        image_valid  in          lanes              the loader sends a word of the image
        image        in          bus_writes         those words, each in its lane
        write_valid  out         lanes              a word for all buffers, registered
        write        out         bus_writes         that word
    Latency  ``BUS_CYCLES`` from the grant to ``write_valid``
    Rate     one word of each lane in each cycle
    Errors   none; no core requests while a LOAD sends words: a step begins when all cores are idle
    Golden   the words of each core in their order
    Source   docs/dbpim-microarchitecture.md, "write_bus"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "requests": In(stream.Signature(bus_write(arch))).array(arch.cores),
                "image_valid": In(arch.bus_words),
                "image": In(bus_writes(arch)),
                "write_valid": Out(arch.bus_words),
                "write": Out(bus_writes(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.guarded(self.write)
        lanes = self._arch.bus_words
        asks = [Signal(self._arch.cores, name=f"asks_{lane}") for lane in range(lanes)]
        for core, request in enumerate(self.requests):
            chosen = self._lane(m, request.payload, core=core)
            for lane in range(lanes):
                m.d.comb += asks[lane][core].eq(request.valid & (chosen == lane))
        for lane in range(lanes):
            given = [self.image_valid[lane], asks[lane].any()]
            one_hot(m, f"a word of a LOAD and a request for lane {lane}", given)
        grants = [self._arbitrate(m, asks[lane], lane=lane) for lane in range(lanes)]
        for core, request in enumerate(self.requests):
            m.d.comb += request.ready.eq(Cat(granted[core] for granted in grants).any())
        return m

    def _lane(self, m: Module, word: data.View, *, core: int) -> Signal:
        """Return the lane of a word."""
        lanes = self._arch.bus_words
        chosen = Signal(bits_for_index(lanes), name=f"lane_{core}")
        if lanes > 1:
            bank = bank_of(self._arch, row=word.row, column=word.column)
            m.d.comb += chosen.eq(Mux(word.raw | word.to_memory, 0, bank & (lanes - 1)))
        return chosen

    def _arbitrate(self, m: Module, asks: Signal, *, lane: int) -> Signal:
        """Write the word of the core in turn, and return its grant, one bit for each core."""
        cores = self._arch.cores
        first = Signal(bits_for_index(cores), name=f"first_{lane}")
        winner = Signal(bits_for_index(cores), name=f"winner_{lane}")
        granted, grant = Signal(name=f"granted_{lane}"), Signal(cores, name=f"grant_{lane}")
        with m.Switch(first):
            for highest in range(cores):
                with m.Case(highest):
                    # The first core that asks, in the order from `highest` upwards and around.
                    for core in reversed([(highest + n) % cores for n in range(cores)]):
                        with m.If(asks[core]):
                            m.d.comb += [winner.eq(core), granted.eq(1)]
        word = Signal(bus_write(self._arch), name=f"word_{lane}")
        with m.Switch(winner):
            for core, request in enumerate(self.requests):
                with m.Case(core):
                    m.d.comb += [word.eq(request.payload), grant[core].eq(granted)]
        m.d.sync += self.write_valid[lane].eq(self.image_valid[lane] | granted)
        with m.If(self.image_valid[lane]):
            m.d.sync += self.write[lane].eq(self.image[lane])
        with m.Elif(granted):
            m.d.sync += [self.write[lane].eq(word), first.eq((winner + 1) % cores)]
        return grant
