"""A LiteX system with a chip: VexRiscv, ROM with firmware, RAM, and the chip on both sides.

    python soc.py CHIP FIRMWARE OUT

CHIP: folder that `hwgen build` wrote; FIRMWARE: the binary for the ROM; OUT: folder to write, which
gets soc.v, the content of the ROM, and sources.f with all files for a simulator.
"""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from litex.build.generic_platform import GenericPlatform, Pins
from litex.gen import LiteXModule
from litex.soc.integration.common import get_mem_data
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect import axi
from litex.soc.interconnect.csr import CSRStatus, CSRStorage
from migen import ClockDomain, Instance, Signal

CHIP_BASE = 0x8000_0000  # uncached: VexRiscv caches what is below
RAM_BYTES = 1 << 20
ROM_BYTES = 1 << 18
IRQ = 5
BENCH = 20
"""Place of the bench among the CSRs; `firmware/soc.h` has these numbers too."""
IOS = [
    ("clk", 0, Pins(1)),
    ("rst", 0, Pins(1)),
    ("char", 0, Pins(8)),
    ("char_valid", 0, Pins(1)),
    ("finish", 0, Pins(1)),
]


class Platform(GenericPlatform):
    """Pins of the bench; nothing is built for them."""

    def build(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


class Clock(LiteXModule):
    """The clock of the bench."""

    def __init__(self, platform: Platform) -> None:
        self.cd_sys = ClockDomain()
        self.comb += self.cd_sys.clk.eq(platform.request("clk"))
        self.comb += self.cd_sys.rst.eq(platform.request("rst"))


class Bench(LiteXModule):
    """What firmware sees of the bench: a console, a counter of cycles, the end."""

    def __init__(self) -> None:
        self.char = CSRStorage(8)
        self.cycles = CSRStatus(32)
        self.finish = CSRStorage(1)
        count = Signal(32)
        self.sync += count.eq(count + 1)
        self.comb += self.cycles.status.eq(count)

    def connect(self, platform: Platform) -> None:
        """Bring console and end to the pins of a simulator."""
        self.comb += [
            platform.request("char").eq(self.char.storage),
            platform.request("char_valid").eq(self.char.re),
            platform.request("finish").eq(self.finish.re),
        ]


class Soc(SoCCore):
    """The system; the interconnect is 32 bits wide, no wider than the port of any chip.

    clock: has the clock domain `cd_sys`; hertz: of that clock
    rom_bytes, ram_bytes: of the memories that firmware finds
    """

    def __init__(
        self,
        platform: GenericPlatform,
        chip: Path,
        firmware: Path,
        *,
        clock: LiteXModule,
        hertz: float = 100e6,
        rom_bytes: int = ROM_BYTES,
        ram_bytes: int = RAM_BYTES,
    ) -> None:
        self.crg = clock
        super().__init__(
            platform,
            clk_freq=hertz,
            cpu_type="vexriscv",
            cpu_variant="standard",
            integrated_rom_size=rom_bytes,
            integrated_rom_init=get_mem_data(str(firmware), endianness="little"),
            integrated_sram_size=8192,
            integrated_main_ram_size=ram_bytes,
            with_uart=False,
            with_timer=False,
            ident="",
        )
        self.bench = Bench()
        self.csr.add("bench", n=BENCH)
        self.add_chip(platform, chip)

    def add_chip(self, platform: GenericPlatform, chip: Path) -> None:
        """Place the wrapper that `hwgen build` wrote: `<prefix>_axi.v`."""
        manifest = json.loads((chip / "manifest.json").read_text(encoding="utf-8"))
        (wrapper,) = (name for name in manifest["files"] if name.endswith("_axi.v"))
        ports = manifest["modules"][manifest["top"]]["ports"]
        registers = axi.AXILiteInterface(data_width=32, address_width=32)
        memory = axi.AXIInterface(
            data_width=group_of(ports, "memory")["rdata"], address_width=32, id_width=1
        )
        self.bus.add_slave(
            "chip", registers, region=SoCRegion(origin=CHIP_BASE, size=0x1000, cached=False)
        )
        self.bus.add_master("chip", memory)
        self.chip = SimpleNamespace(ev=SimpleNamespace(irq=Signal()))
        if self.irq.enabled:  # a system without a processor has none
            self.irq.add("chip", n=IRQ)
        self.specials += Instance(
            wrapper.removesuffix(".v"),
            i_aclk=self.crg.cd_sys.clk,
            i_aresetn=~self.crg.cd_sys.rst,
            o_irq=self.chip.ev.irq,
            **self.pins("s_axi", registers, ("aw", "w", "ar"), group_of(ports, "registers")),
            **self.pins("m_axi", memory, ("b", "r"), group_of(ports, "memory")),
        )

    def pins(
        self, name: str, bus: Any, into: tuple[str, ...], widths: dict[str, int]
    ) -> dict[str, Any]:
        """Return how a bus meets the wrapper; into: channels whose content goes to the chip."""
        found = {}
        for port, width in widths.items():
            channel = port[:2] if port[:2] in ("aw", "ar") else port[:1]
            field = port.removeprefix(channel)
            signal = getattr(getattr(bus, channel), field)
            if len(signal) < width:  # an address of 64 bits: its lower half
                whole = Signal(width)
                self.comb += signal.eq(whole[: len(signal)])
                signal = whole
            towards_chip = (channel in into) != (field == "ready")
            found[f"{'i' if towards_chip else 'o'}_{name}_{port}"] = signal
        return found


def group_of(ports: list[dict[str, Any]], group: str) -> dict[str, int]:
    """Return the widths of the ports of a bus by name, those alone that LiteX has."""
    begin = f"{group}__"
    widths = {
        port["name"].removeprefix(begin): port["width"]
        for port in ports
        if port["name"].startswith(begin)
    }
    return {name: width for name, width in widths.items() if not name.endswith("prot")}


def main() -> None:
    """Write the system."""
    chip, firmware, out = (Path(each).resolve() for each in sys.argv[1:4])
    platform = Platform("", IOS)
    soc = Soc(platform, chip, firmware, clock=Clock(platform))
    soc.bench.connect(platform)
    soc.finalize()
    assert soc.csr.regions["bench"].origin == soc.mem_map["csr"] + BENCH * 0x800
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)
    platform.get_verilog(soc, name="soc").write("soc.v")
    cpu = [source[0] for source in platform.sources]
    (out / "sources.f").write_text("".join(f"{each}\n" for each in [*cpu, str(out / "soc.v")]))


if __name__ == "__main__":
    main()
