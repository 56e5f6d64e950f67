"""Abstracts of memories: outline, pins and times of a memory that no memory compiler has made yet.

An abstract holds the place of a memory in a layout, so that a flow places what is around it.
The memory compiler of a process brings the memory itself, and other files of the same names.

Tests: `tests/physical/test_abstracts.py`.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hwgen.physical.timing_model import Boundary, memory_ns

PITCH_UM, PIN_UM, EDGE_UM = 1.0, 0.4, 4.0
"""Between two pins, the side of one, and what is left free above and below them."""
OUTLINE_LAYER = 0
"""Of an abstract in GDS: no layer of a process, so nobody takes it for a memory."""
UNITS_OF_UM = 1000
POWER = ("VDD", "VSS")
THRESHOLDS = {
    "input_threshold": 50,
    "output_threshold": 50,
    "slew_lower_threshold": 10,
    "slew_upper_threshold": 90,
}
"""Of the swing, in percent: where a time begins and ends."""

Port = tuple[str, str, int]
"""Name, "input" or "output", and width."""


@dataclass(frozen=True, kw_only=True)
class Abstract:
    """A memory by its sizes.

    ports: in their order; words, bits: of it; um2: its area; layer, power_layer: of its pins
    setup_ns: of an input before the clock; access_ns: from clock or address to what is read
    clocked: what is read comes behind the clock edge, not behind the address
    """

    name: str
    ports: Sequence[Port]
    words: int
    bits: int
    um2: float
    layer: str
    power_layer: str
    access_ns: float
    setup_ns: float
    pin_pf: float
    clocked: bool

    @property
    def pins(self) -> list[tuple[str, str]]:
        """Return name and direction of each pin, one a bit."""
        return [
            (f"{name}[{bit}]" if width > 1 else name, direction)
            for name, direction, width in self.ports
            for bit in range(width)
        ]

    @property
    def size_um(self) -> tuple[float, float]:
        """Return width and height: a square, but where its pins need a longer side."""
        across = math.ceil(math.sqrt(self.um2))
        high = max(across, math.ceil(len(self.pins) * PITCH_UM + 2 * EDGE_UM))
        return max(math.ceil(self.um2 / high), 4 * EDGE_UM), float(high)


def times_of(words: int, boundary: Boundary) -> dict[str, float]:
    """Return the times of a memory and the load of its pins: assumed, as `hwgen cost` has them."""
    return {
        "access_ns": memory_ns(words, boundary),
        "setup_ns": boundary.delay,
        "pin_pf": boundary.load / 4,
    }


def lef(abstract: Abstract) -> str:
    """Return the abstract of a memory: its outline, and its pins on the left edge."""
    width, height = abstract.size_um
    lines = [
        "VERSION 5.8 ;",
        'BUSBITCHARS "[]" ;',
        'DIVIDERCHAR "/" ;',
        f"MACRO {abstract.name}",
        "  CLASS BLOCK ;",
        "  ORIGIN 0 0 ;",
        f"  FOREIGN {abstract.name} 0 0 ;",
        f"  SIZE {width:.3f} BY {height:.3f} ;",
        "  SYMMETRY X Y R90 ;",
    ]
    for number, (pin, direction) in enumerate(abstract.pins):
        low = EDGE_UM + number * PITCH_UM
        use = "CLOCK" if pin == "clk" else "SIGNAL"
        box = (0.0, low, PIN_UM, low + PIN_UM)
        lines += pin_lines(pin, direction.upper(), use, abstract.layer, box)
    for number, pin in enumerate(POWER):
        left = width * (1 + 2 * number) / 4
        box = (left - 1, 0.0, left + 1, height)
        use = "GROUND" if number else "POWER"
        lines += pin_lines(pin, "INOUT", use, abstract.power_layer, box)
    lines += ["  OBS", f"    LAYER {abstract.layer} ;"]
    lines += [f"      RECT {2 * PIN_UM:.3f} 0.000 {width:.3f} {height:.3f} ;", "  END"]
    return "\n".join([*lines, f"END {abstract.name}", "END LIBRARY", ""])


def pin_lines(
    pin: str, direction: str, use: str, layer: str, box: tuple[float, float, float, float]
) -> list[str]:
    """Return the lines of a pin in LEF."""
    return [
        f"  PIN {pin}",
        f"    DIRECTION {direction} ;",
        f"    USE {use} ;",
        "    PORT",
        f"      LAYER {layer} ;",
        "        RECT " + " ".join(f"{edge:.3f}" for edge in box) + " ;",
        "    END",
        f"  END {pin}",
    ]


def liberty(abstract: Abstract) -> str:
    """Return the times of a memory as a library of one cell."""
    widths = sorted({width for _, _, width in abstract.ports if width > 1})
    types = [
        f"  type (bus{width}) {{ base_type : array; data_type : bit; bit_width : {width};"
        f" bit_from : {width - 1}; bit_to : 0; }}"
        for width in widths
    ]
    ports = [line for port in abstract.ports for line in port_lines(abstract, *port)]
    return "\n".join(
        [
            f"library ({abstract.name}) {{",
            "  delay_model : table_lookup;",
            '  time_unit : "1ns";',
            '  voltage_unit : "1V";',
            '  current_unit : "1mA";',
            "  capacitive_load_unit (1, pf);",
            *(
                f"  {name}_pct_{way} : {percent};"
                for name, percent in THRESHOLDS.items()
                for way in ("rise", "fall")
            ),
            *types,
            f"  cell ({abstract.name}) {{",
            f"    area : {abstract.um2:.3f};",
            "    dont_touch : true;",
            "    interface_timing : true;",
            *ports,
            "  }",
            "}",
            "",
        ]
    )


def port_lines(abstract: Abstract, name: str, direction: str, width: int) -> Iterator[str]:
    """Yield the lines of a port in Liberty."""
    kind = f"bus ({name}) {{ bus_type : bus{width};" if width > 1 else f"pin ({name}) {{"
    yield f"    {kind} direction : {direction};"
    if direction == "input":
        yield f"      capacitance : {abstract.pin_pf:.6f};"
    if name == "clk":
        yield "      clock : true;"
    elif direction == "output":
        related = "clk" if abstract.clocked else read_by(abstract.ports)
        kind = "rising_edge" if abstract.clocked else "combinational"
        yield f'      timing () {{ related_pin : "{related}"; timing_type : {kind};'
        for edge, value in (("cell", abstract.access_ns), ("", abstract.setup_ns)):
            for way in ("rise", "fall"):
                table = f"{edge}_{way}" if edge else f"{way}_transition"
                yield f'        {table} (scalar) {{ values ("{value:.6f}"); }}'
        yield "      }"
    else:
        for check, value in (("setup_rising", abstract.setup_ns), ("hold_rising", 0.0)):
            yield f'      timing () {{ related_pin : "clk"; timing_type : {check};'
            for way in ("rise", "fall"):
                yield f'        {way}_constraint (scalar) {{ values ("{value:.6f}"); }}'
            yield "      }"
    yield "    }"


def read_by(ports: Sequence[Port]) -> str:
    """Return the ports with the addresses that are read: inputs that write nothing."""
    return " ".join(
        name
        for name, direction, _ in ports
        if direction == "input" and name != "clk" and not name.startswith("write")
    )


def black_box(abstract: Abstract) -> str:
    """Return the module of a memory without content, for tools that link to it."""
    ports = ",\n".join(
        f"  {direction} {f'[{width - 1}:0] ' if width > 1 else ''}{name}"
        for name, direction, width in abstract.ports
    )
    return (
        "// SPDX-License-Identifier: Apache-2.0\n"
        f"// A memory of {abstract.words} words, {abstract.bits} bits in all: ports alone.\n"
        f"(* blackbox *)\nmodule {abstract.name}(\n{ports}\n);\nendmodule\n"
    )


def gds(abstract: Abstract) -> bytes:
    """Return the outline of a memory in GDSII, on a layer that no process has."""
    width, height = (round(side * UNITS_OF_UM) for side in abstract.size_um)
    corners = [(0, 0), (width, 0), (width, height), (0, height), (0, 0)]
    date = struct.pack(">12h", *([2000, 1, 1, 0, 0, 0] * 2))
    points = b"".join(struct.pack(">2i", *corner) for corner in corners)
    # 1e-3 user units and 1e-9 m in the eight bytes of a number with base 16.
    units = bytes.fromhex("3e4189374bc6a7f03944b82fa09b5a54")
    records = [
        (0x0002, struct.pack(">h", 600)),
        (0x0102, date),
        (0x0206, padded("HWGEN")),
        (0x0305, units),
        (0x0502, date),
        (0x0606, padded(abstract.name)),
        (0x0800, b""),
        (0x0D02, struct.pack(">h", OUTLINE_LAYER)),
        (0x0E02, struct.pack(">h", 0)),
        (0x1003, points),
        (0x1100, b""),
        (0x0700, b""),
        (0x0400, b""),
    ]
    return b"".join(struct.pack(">2H", 4 + len(body), kind) + body for kind, body in records)


def padded(name: str) -> bytes:
    """Return a name in an even number of bytes."""
    text = name.encode("ascii")
    return text + b"\0" * (len(text) % 2)
