"""Several parts side by side, so that their benches share one executable."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import ClockSignal, Module
from amaranth.lib.wiring import Member, Out, Signature

from hwgen.chip.rtl.part import Part


class SideBySide(Part):
    """Each part alone, all of one family; a port has its part's stem, as in ``switch__fill``.

    Ports    those of all parts but ``clk``, which is the common clock
    Latency  0: wires only
    """

    def __init__(self, *, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.family = parts[0].family
        super().__init__({stem(part): Out(signature_without_clock(part)) for part in parts})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for part in self.parts:
            m.submodules[stem(part)] = instance = part.instance()
            outside: Any = getattr(self, stem(part))
            if "clk" in part.signature.members:
                m.d.comb += instance.clk.eq(ClockSignal())
            for path, member, inner in part.signature.flatten(instance):
                if path == ("clk",):
                    continue
                outer = outside
                for name in path:
                    outer = outer[name] if isinstance(name, int) else getattr(outer, name)
                m.d.comb += outer.eq(inner) if member.flow == Out else inner.eq(outer)
        return m


def stem(part: Part) -> str:
    """Return the name of the part's file."""
    return part.module_name.removeprefix(f"{part.family}_")


def signature_without_clock(part: Part) -> Signature:
    """Return the part's signature but for a clock of its own."""
    members: dict[str, Member] = dict(part.signature.members.items())
    members.pop("clk", None)
    return Signature(members)
