"""Parts: components that become one Verilog module each, placed as instances."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from amaranth.hdl import (
    ClockSignal,
    Instance,
    Module,
    ResetSignal,
    Shape,
    Signal,
    Value,
    ValueCastable,
)
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hwgen.chip.rtl.fields import without_field_nets

CLOCK_PORTS = {"clk": ClockSignal(), "rst": ResetSignal()}


class Part(wiring.Component):
    """Base of all components that `hwgen.chip.rtl.emit` writes as separate modules.

    A parent builds each different part once in `__init__`, lists it in `parts`, and places
    `part.instance()` in `elaborate` as often as needed.

    family: prefix of the module name, such as "dbpim"; empty for a module without a family
    clock_ports: ports beside the signature; () for a part without registers of the sync domain
    garbage_at_power_on: memories of this part have no initial content, as real cells;
        simulators fill them with random or unknown values
    array_content: what the Verilog describes with gates lies in an array of cells, and a macro
        replaces it; memories need no such mark
    stored_bits: of the memory that is in the module itself, not in the parts below it
    foreign: modules that it places and that are no parts: a file beside the design has them
    is_text: its module is written by hand, see `hwgen.chip.rtl.text`
    resets_data: reset reaches all registers; else those of `guarded` keep what they have
    starts_with_values: its registers have values at power-on, as those of an FPGA have; else a
        reset gives them, or what is written
    """

    family: str = ""
    parts: Sequence["Part"] = ()
    clock_ports: Sequence[str] = ("clk", "rst")
    garbage_at_power_on: bool = False
    array_content: bool = False
    stored_bits: int = 0
    foreign: Sequence[str] = ()
    is_text: bool = False
    resets_data: bool = True
    starts_with_values: bool = False
    # A part that is like another, or that is only asked for its facts, is never elaborated:
    # Amaranth does not warn of it.
    _MustUse__silence = True

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "elaborate" in vars(cls):
            cls.elaborate = with_placed_names(cls.elaborate)

    def __init__(self, signature: wiring.Signature | None = None) -> None:
        with without_field_nets():
            super().__init__(signature)

    @property
    def size_suffix(self) -> str:
        """The sizes, such as "16x4", of a class that one design uses at several; else empty."""
        return ""

    @property
    def module_name(self) -> str:
        """The name of the Verilog module: family, class name in snake case, sizes."""
        stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<!^)(?=[A-Z][a-z])", "_", type(self).__name__)
        return "_".join(filter(None, (self.family, stem.lower(), self.size_suffix)))

    def keep_data_from_reset(self) -> None:
        """Let reset reach neither the data of this part nor that of the parts below it."""
        self.resets_data = False
        for part in self.parts:
            part.keep_data_from_reset()

    def guarded(self, *registers: ValueCastable | Value) -> None:
        """Name registers whose values count only while another one, which has a reset, says so.

        They are written before anybody reads them, whatever they held: no reset needs to reach
        them, and in a chip that keeps its data from reset none does.
        """
        for register in registers if not self.resets_data else ():
            signal = Value.cast(register)
            if not isinstance(signal, Signal):
                raise TypeError(f"a guarded register must be a whole signal, got {signal!r}")
            # A port is made from a signature, which knows no `reset_less`.
            signal._reset_less = True

    def instance(self) -> "PartInstance":
        """Return one use of this part, with the same signature."""
        return PartInstance(self)

    def ports(self) -> Iterator[tuple[str, str, int]]:
        """Yield name, "input" or "output", and width of each port of the Verilog module."""
        for name in self.clock_ports:
            yield name, "input", 1
        for path, member, _ in self.signature.flatten(self):
            direction = "input" if member.flow == In else "output"
            yield "__".join(map(str, path)), direction, Shape.cast(member.shape).width


def name_nets(interface: Any, name: str) -> None:
    """Let the name of each net of an instance, or of a port of a memory, begin with a name."""
    for path, _, value in interface.signature.flatten(interface):
        net = Value.cast(value)
        if isinstance(net, Signal):
            net.name = "__".join(map(str, (name, *path)))


def with_placed_names(elaborate: Callable[..., Module]) -> Callable[..., Module]:
    """Return a method that names what it places: each net of an instance begins with its name.

    Of ten instances with a port `start` each then has its own net, such as `taps_loader__start`.
    """

    @wraps(elaborate)
    def named(self: Part, platform: object) -> Module:
        m = elaborate(self, platform)
        # Amaranth has no public list of what a module places.
        for name, (placed, _) in m._named_submodules.items():
            if isinstance(placed, PartInstance):
                name_nets(placed, name)
        return m

    return named


class PartInstance(wiring.Component):
    """One use of a part: an instance in the parent's Verilog."""

    def __init__(self, part: Part) -> None:
        self._part = part
        with without_field_nets():
            super().__init__(part.signature)

    def elaborate(self, platform: object) -> Instance:
        """Return the bare instance, without a module between parent and part."""
        ports = {f"i_{name}": CLOCK_PORTS[name] for name in self._part.clock_ports}
        for path, member, value in self.signature.flatten(self):
            direction = "i" if member.flow == In else "o"
            ports[f"{direction}_{'__'.join(map(str, path))}"] = value
        return Instance(self._part.module_name, **ports)
