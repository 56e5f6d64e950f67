"""Several parts side by side, so that their benches share one executable."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import ClockSignal, Module
from amaranth.lib.wiring import Member, Out, Signature

from hwgen.rtl.dbpim.activation_buffer import ActivationBuffer
from hwgen.rtl.dbpim.fetcher import Fetcher
from hwgen.rtl.dbpim.group_queue import GroupQueue
from hwgen.rtl.dbpim.switch import Switch
from hwgen.rtl.dbpim.tile_store import TileStore
from hwgen.rtl.dbpim.walker import Walker
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch


class SideBySide(Part):
    """Each part alone; a port carries the stem of its part's file, as in ``switch__mask``.

    Ports    those of all parts but ``clk``, which is the common clock
    Latency  0: wires only
    """

    family = "dbpim"

    def __init__(self, *, parts: Sequence[Part]) -> None:
        self.parts = parts
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


def feed_parts(arch: Arch) -> SideBySide:
    """Return the parts that feed the macros of a core."""
    parts = (ActivationBuffer, Fetcher, GroupQueue, Switch, TileStore, Walker)
    return SideBySide(parts=[part(arch=arch) for part in parts])


def stem(part: Part) -> str:
    """Return the name of the part's file."""
    return part.module_name.removeprefix(f"{part.family}_")


def signature_without_clock(part: Part) -> Signature:
    """Return the part's signature but for a clock of its own."""
    members: dict[str, Member] = dict(part.signature.members.items())
    members.pop("clk", None)
    return Signature(members)
