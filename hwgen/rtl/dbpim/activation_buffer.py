"""The activation buffer of a core: M banks, written from the write bus."""

from amaranth.hdl import ClockSignal, Module, Mux
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.activation_bank import ActivationBank
from hwgen.rtl.dbpim.layouts import bus_write, group
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch


class ActivationBuffer(Part):
    """M banks with independent reads; the bus writes one word of one bank.

    ``bank_data[b] = banks[b][bank_address[b]]`` as before the clock edge that saw
    ``bank_read_en[b]``

    Ports
        bank_read_en  in   M                 bit b: read bank b at this clock edge
        bank_address  in   M x address_bits  unsigned, a word of each bank
        bank_data     out  M x C bytes       each bank's word holds until its next read
        write_valid   in   1                 the bus writes in this cycle
        write         in   bus_write         ignored if ``raw`` (logits)
    Latency  ``BANK_READ_CYCLES`` from ``bank_read_en`` to ``bank_data``
    Rate     one read of every bank and one write in each cycle
    Errors   none: ``Arch`` has checked the sizes; a word never written holds garbage
    Golden   ``golden.dbpim.activation_buffer`` says where the words of a map lie
    Source   seed 002, V-A: input and output buffers
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._bank = ActivationBank(arch=arch)
        self.parts = [self._bank]
        banks = arch.banks
        super().__init__(
            {
                "bank_read_en": In(banks),
                "bank_address": In(data.ArrayLayout(arch.bank_address_bits, banks)),
                "bank_data": Out(data.ArrayLayout(group(arch), banks)),
                "write_valid": In(1),
                "write": In(bus_write(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for index in range(len(self.bank_read_en)):
            m.submodules[f"bank_{index}"] = bank = self._bank.instance()
            mine = self.write_valid & ~self.write.raw & (self.write.bank == index)
            m.d.comb += [
                bank.clk.eq(ClockSignal()),
                bank.write_en.eq(Mux(mine, self.write.enable, 0)),
                bank.write_address.eq(self.write.address),
                bank.write_data.eq(self.write.data),
                bank.read_en.eq(self.bank_read_en[index]),
                bank.read_address.eq(self.bank_address[index]),
                self.bank_data[index].eq(bank.read_data),
            ]
        return m
