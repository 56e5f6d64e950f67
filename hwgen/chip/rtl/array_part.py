"""Arrays that compute, as parts: what each says of itself, and how another one stands for it.

Tests: `tests/verif/common/test_register_file.py`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from amaranth.hdl import Instance, Module, Value

from hwgen.chip.replacement import ArraySpec, Replacement, Wanted
from hwgen.chip.rtl.part import CLOCK_PORTS
from hwgen.chip.rtl.replaceable import Placed, ReplaceablePart
from hwgen.errors import with_near


class ArrayPart(ReplaceablePart[ArraySpec]):
    """Base of the parts that are an array and compute: another one can replace it whole.

    A replacement has a pin for each port of the part; one module stands for it, of the part's
    sizes or with parameters for them, unless a subclass places several.

    clock_ports: none; the port `clk` is one of the signature
    optional: ports that a module may do without
    one_pin: ports that may have one pin together, since a cycle uses one of them
    array_cycles, cells: what the part promises, see `ArraySpec`
    """

    spec_type = ArraySpec
    clock_ports: Sequence[str] = ()
    optional: Sequence[str] = ()
    one_pin: Sequence[str] = ()
    array_cycles: int = 1
    cells: Literal["combinational", "synchronous"] = "combinational"

    @property
    def sizes(self) -> Mapping[str, int]:
        """Its sizes by name, as a replacement may give them or have them as parameters."""
        raise NotImplementedError

    @property
    def pins(self) -> Sequence[str]:
        """The ports that a replacement has pins for."""
        return [name for name, _, _ in self.ports()]

    def placed(self, replacement: Replacement[ArraySpec]) -> Placed:
        """Check the sizes, the pins and the cycles of a replacement; return how it is placed."""
        spec = replacement.spec
        if spec.cycles > self.array_cycles:
            raise replacement.refuse(
                "cycles", f"at most {self.array_cycles}, as the part has it", spec.cycles
            )
        if spec.cells != self.cells:
            raise replacement.refuse("cells", f"{self.cells}, as those of the chip", spec.cells)
        self.check_pins(replacement)
        for parameter, size in spec.parameters.items():
            if size not in self.sizes:
                allowed = f"one of {', '.join(self.sizes)}"
                raise replacement.refuse(
                    f"parameters.{parameter}", allowed, with_near(size, self.sizes)
                )
        for size in spec.sizes:
            if size not in self.sizes:
                allowed = f"of {', '.join(self.sizes)} alone"
                raise replacement.refuse("sizes", allowed, with_near(size, self.sizes))
        for size in self.sizes:
            if (size in spec.sizes) == (size in spec.parameters.values()):
                allowed = "given, or a parameter's"
                given = "both" if size in spec.sizes else "neither"
                raise replacement.refuse(f"sizes.{size}", allowed, given)
        found = self.tiled(replacement)
        replacement.check_ports(
            self.wanted(replacement),
            {parameter: self.sizes[size] for parameter, size in spec.parameters.items()},
        )
        return found

    def check_pins(self, replacement: Replacement[ArraySpec]) -> None:
        """Refuse pins of no port, ports without a pin, and pins of two ports."""
        spec = replacement.spec
        for port in spec.pins:
            if port not in self.pins:
                allowed = f"for {', '.join(self.pins)}"
                raise replacement.refuse("pins", allowed, with_near(port, self.pins))
        for port in self.pins:
            if port not in spec.pins and port not in self.optional:
                raise replacement.refuse(f"pins.{port}", "given", "nothing")
        names = {port: pin.name for port in spec.pins if (pin := spec.pin(port)) is not None}
        if len({names.get(port) for port in self.one_pin}) == 1 and self.one_pin:
            del names[self.one_pin[0]]
        for name, times in Counter(names.values()).items():
            if times > 1:
                raise replacement.refuse("pins", "of different names", f"{name} {times} times")

    def tiled(self, replacement: Replacement[ArraySpec]) -> Placed:
        """Return how modules of these sizes become the part: here one, of exactly its sizes."""
        for size, value in self.sizes.items():
            given = replacement.spec.sizes.get(size, value)
            if given != value:
                raise replacement.refuse(
                    f"sizes.{size}", f"{value} as the part's, or a parameter's", given
                )
        return Placed()

    def module_widths(self, replacement: Replacement[ArraySpec]) -> dict[str, int]:
        """Return the width of each port of a module that stands for it: here those of the part."""
        return {name: width for name, _, width in self.ports()}

    def wanted(self, replacement: Replacement[ArraySpec]) -> Iterator[Wanted]:
        """Yield the pins that a module must have."""
        widths = self.module_widths(replacement)
        for port, direction, _ in self.ports():
            pin = replacement.spec.pin(port)
            if pin is not None:
                yield Wanted(f"pins.{port}", pin.name, direction, widths[port])

    def ways(self, replacement: Replacement[ArraySpec]) -> Iterator[tuple[str, str]]:
        """Yield ports of a module between which there is no clock: here none.

        A part whose answer comes in the cycle of its question names them.
        """
        yield from ()

    def connected(self, values: Mapping[str, Value]) -> Instance:
        """Return a module of the replacement.

        values: of its pins by the port of the part; a clock, enables and all else
        """
        assert self.replacement is not None
        spec = self.replacement.spec
        directions = {name: direction for name, direction, _ in self.ports()}
        given: dict[str, Value | int] = {
            f"p_{parameter}": self.sizes[size] for parameter, size in spec.parameters.items()
        }
        for port, value in values.items():
            pin = spec.pin(port)
            if pin is None:
                continue
            letter = "o" if directions[port] == "output" else "i"
            given[f"{letter}_{pin.name}"] = value if pin.active == "high" else ~value
        return Instance(spec.module, **given)

    def around(self, m: Module) -> None:
        """Place the replacement: here one module, port by port."""
        own = self.signature.members
        m.submodules.array = self.connected(
            {
                name: Value.cast(getattr(self, name)) if name in own else CLOCK_PORTS[name]
                for name in self.pins
            }
        )
