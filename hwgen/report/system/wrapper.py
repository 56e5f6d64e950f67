"""`<prefix>_axi.v`: the chip with the names and the attributes that tools of systems expect.

Tests: `tests/report/test_documents.py`.
"""

from collections.abc import Iterator

from hwgen.chip.interface import TIMESCALE, ChipInterface

BUSES = {"registers": "s_axi", "memory": "m_axi"}
"""Group of ports of the chip, and its name outside."""
MODIFIABLE = "4'b0011"
CONSTANTS = (
    ("lock", 1, "1'b0"),
    ("cache", 4, MODIFIABLE),
    ("prot", 3, "3'b000"),
    ("qos", 4, "4'b0000"),
    ("region", 4, "4'b0000"),
)
"""Signals of an AXI4 manager that never change: end of the name, width, value."""

TEXT = """\
// SPDX-License-Identifier: Apache-2.0
// {written}.
// AXI4-Lite subordinate `s_axi`: the registers; AXI4 manager `m_axi`: the memory; `irq`: level.
// Reset is synchronous and active-low; it must also reset what is connected to `m_axi`. AxCACHE is
// {cache}, normal non-cacheable bufferable memory: 0 would forbid width converters to merge beats.
{timescale}
module {name} (
{ports}
);

  {top} chip (
{pins}
  );
{constants}
endmodule
"""


def wrapper(of: ChipInterface, written: str) -> str:
    """Return the Verilog of the wrapper; ports of the trace are not connected."""
    ports = [
        port(
            "aclk",
            "input",
            1,
            "xilinx.com:signal:clock:1.0 aclk CLK",
            "ASSOCIATED_BUSIF s_axi:m_axi, ASSOCIATED_RESET aresetn",
        ),
        port(
            "aresetn",
            "input",
            1,
            "xilinx.com:signal:reset:1.0 aresetn RST",
            "POLARITY ACTIVE_LOW",
        ),
        port(
            "irq",
            "output",
            1,
            "xilinx.com:signal:interrupt:1.0 irq INTERRUPT",
            "SENSITIVITY LEVEL_HIGH",
        ),
        *bus_ports(of),
    ]
    pins = list(pins_of(of))
    return TEXT.format(
        written=written[0].upper() + written[1:],
        cache=MODIFIABLE,
        timescale=TIMESCALE,
        name=f"{of.prefix}_axi",
        ports=",\n".join(ports),
        top=of.top,
        pins=",\n".join(f"      {pin}" for pin in pins),
        constants="".join(
            f"\n  assign m_axi_{channel}{name} = {value};"
            for channel in ("ar", "aw")
            for name, _, value in CONSTANTS
        ),
    )


def bus_ports(of: ChipInterface) -> Iterator[str]:
    """Yield the ports of both buses."""
    for group, bus in BUSES.items():
        signals = of.bus(group)
        if group == "memory":
            signals += [
                (channel + name, "output", width)
                for channel in ("ar", "aw")
                for name, width, _ in CONSTANTS
            ]
        for name, direction, width in signals:
            info = f"xilinx.com:interface:aximm:1.0 {bus} {name.upper()}"
            yield port(f"{bus}_{name}", direction, width, info)


def port(name: str, direction: str, width: int, info: str, parameter: str = "") -> str:
    """Return a port with the attributes by which Vivado's packager knows it."""
    lines = [f'  (* X_INTERFACE_INFO = "{info}" *)']
    if parameter:
        lines.append(f'  (* X_INTERFACE_PARAMETER = "{parameter}" *)')
    bits = f"[{width - 1}:0] " if width > 1 else ""
    return "\n".join([*lines, f"  {direction} wire {bits}{name}"])


def pins_of(of: ChipInterface) -> Iterator[str]:
    """Yield how the ports of the chip are connected."""
    known = {"clk": "aclk", "rst": "~aresetn", "irq": "irq"}
    for name, _, _ in of.ports:
        group, _, signal = name.partition("__")
        if group in BUSES:
            yield f".{name}({BUSES[group]}_{signal})"
        else:
            yield f".{name}({known.get(name, '')})"
