"""The section "In a system" of a data sheet: what a chip in a shell asks of its surroundings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.report.sheet import Sheet
from hwgen.report.system.wrapper import BUSES, CONSTANTS, MODIFIABLE

PORTS = (
    ("aclk", "input", "the clock of everything"),
    ("aresetn", "input", "reset, active low, synchronous to `aclk`"),
    ("irq", "output", "interrupt, level, active high"),
    ("s_axi_*", "both", "AXI4-Lite subordinate, 32 bits of data: the registers"),
    ("m_axi_*", "both", "AXI4 manager: the memory"),
)
RULES = (
    "**Interrupt.** `irq` is `interrupt` and `interrupt_enable`, bit 0 of each. The bit of"
    " `interrupt` rises once a run, one cycle after the first one in which `busy` is low, also"
    " after an error; it survives reads, and 1 clears it, while the next run goes on too. An end in"
    " the cycle of a clearing write is not lost. Answers are in memory when it rises: the response"
    " of their last burst has come.",
    "**Registers** are accessed as words of 32 bits. An address without a register, a write to one"
    " that can only be read, and a write while busy to one that cannot be written then answer"
    " SLVERR and change nothing. `status` is right as soon as the response of the start is there;"
    " over a bus that posts writes, read back before it is believed.",
    f"**Alignment.** Programs, images, answers and scratch space begin at multiples of"
    f" {ALIGNMENT_BYTES}: address registers have no bits below, they read 0. An answer may be"
    " shorter than its distance from the next; what lies between is not written.",
    "**Byte order.** Little-endian everywhere: byte 0 of a word is at its lowest address.",
    f"**AxCACHE** is {MODIFIABLE} in the wrapper, normal non-cacheable bufferable memory. With 0 a"
    " transaction is not modifiable, and a width converter may not merge its beats. AxPROT, AxQOS,"
    " AxREGION and AxLOCK are 0.",
    "**Memory accesses.** One ID, INCR bursts of whole beats that never cross 4 KiB, answers taken"
    " at once (RREADY always, BREADY while a response is owed). Several reads may be outstanding,"
    " one write. A bus narrower than the port needs a converter; over LiteX it must not be wider.",
    "**Caches.** The chip is not coherent. Write back (clean) program and images before a start;"
    " invalidate the lines of the answers before they are read. The driver calls a hook for the"
    " second.",
    "**Reset in a run** forgets beats that are outstanding: reset the interconnect and the memory"
    " controller together with the chip, or wait until `busy` is low. After reset the interrupt is"
    " cleared and disabled.",
    "**A slow memory** is waited for: the watchdog stands still while an answer is owed. **A memory"
    " that never answers** keeps `busy` up until reset; the driver gives up after a limit of its"
    " caller, `HWGEN_TIMEOUT`. A chip that stands although nothing is owed ends with STALLED.",
    "**Timing.** One clock, no clock crossing, no false path, no multicycle path but that of the"
    " reset (4 clocks). `hwgen build` writes constraints (`.sdc`, `.xdc`); Vivado and OpenLane were"
    " not run.",
)


def system_lines(ports: Sequence[Mapping[str, Any]], rules_on: str | None = None) -> Iterator[str]:
    """Yield the section.

    ports: of the chip, as in the manifest
    rules_on: the page with what is the same for every chip; None: this one
    """
    yield from ("## In a system", "")
    if rules_on is not None:
        yield f"[The same for every chip]({rules_on}#in-a-system). {buses(ports)}."
        return
    yield (
        "`hwgen build` writes the wrapper `<family>_axi` with these ports; the trace stays inside."
        " [How to put a chip into a system](howto/soc.md) goes from there to firmware."
    )
    places = ([f"`{name}`", direction, meaning] for name, direction, meaning in PORTS)
    yield from ("", *Sheet(["port", "direction", "meaning"], places).markdown())
    added = ", ".join(name for name, _, _ in CONSTANTS)
    yield from ("", f"{buses(ports)}; constants of `m_axi`: {added} of both address channels.", "")
    yield from (f"- {rule}" for rule in RULES)


def buses(ports: Sequence[Mapping[str, Any]]) -> str:
    """Return the size of both buses."""
    groups = {
        bus: [port for port in ports if port["name"].startswith(f"{group}__")]
        for group, bus in BUSES.items()
    }
    return ", ".join(
        f"`{bus}`: {sum(port['width'] for port in of)} bits in {len(of)} ports"
        for bus, of in groups.items()
    )
