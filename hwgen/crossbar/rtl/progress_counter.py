"""How much of its map a layer has handed on."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part


class ProgressCounter(Part):
    """Counts pixels that readers may use, and whole images.

    Ports
        done    in   1     a block is through from the next tick on
        copies  in   bits  constant: pixels of a block
        blocks  in   bits  constant: of an image, less one
        pixels  out  bits  of the image that is being written; the last block ends it
        image   out  16    images that are through
    Latency  1 clock
    Rate     a block a clock
    Errors   none
    Golden   ``hwgen.crossbar.model.conductor``
    Source   docs/crossbar-chip.md, "Conductor"
    """

    family = "crossbar"

    def __init__(self, *, bits: int) -> None:
        self._bits = bits
        super().__init__(
            {
                "done": In(1),
                "copies": In(bits),
                "blocks": In(bits),
                "pixels": Out(bits),
                "image": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        block, last = Signal(self._bits), Signal()
        m.d.comb += last.eq(block == self.blocks)
        with m.If(self.done):
            m.d.sync += [
                block.eq(Mux(last, 0, block + 1)),
                self.pixels.eq(Mux(last, 0, self.pixels + self.copies)),
                self.image.eq(self.image + last),
            ]
        return m
