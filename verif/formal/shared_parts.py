"""Proofs of parts that the chips of all families share."""

from functools import partial

from hwgen.chip.registers import Access, FieldAccess, Register, RegisterField
from hwgen.chip.rtl.fifo import Fifo
from hwgen.chip.rtl.packet_front import PacketFront
from hwgen.chip.rtl.read_engine import ReadEngine
from hwgen.chip.rtl.registers import Registers
from hwgen.chip.rtl.requantizer import Requantizer
from hwgen.chip.rtl.supervisor import Supervisor, SupervisorErrors
from hwgen.chip.rtl.write_engine import WriteEngine
from hwgen.network.quantization import Rounding
from verif.formal.proof import Fault, Memory, Proof, induction

FAMILY = "dbpim"
CONSTANT = 0x12345678
"""Value of the constant register of the table."""


def fifo(*, depth: int, width: int, fault: Fault) -> Proof:
    """Return the proof of a queue of a size."""
    return Proof(
        part=partial(Fifo, family=FAMILY, depth=depth, width=width),
        properties="fifo.v",
        size=f"{depth} words of {width} bits",
        method=induction(2),
        fault=fault,
        sizes={"DEPTH": depth, "WIDTH": width, "INDEX": depth.bit_length() - 1},
        memories=[Memory(name="words", path="words.content", depth=depth, width=width)],
    )


def fifo_of_instructions() -> Proof:
    """A marked word leaves once, in its order, from a queue as deep as that of instructions.

    Its words have 8 bits, and more for instructions, each of which passes alike. By induction.
    """
    full = Fault(module=f"{FAMILY}_fifo_4x8", old="level != 3'h4", new="1'h1", cycles=8)
    return fifo(depth=4, width=8, fault=full)


def fifo_of_beats() -> Proof:
    """A marked word leaves once, in its order, from the queue of the read engine: 64 x 64.

    By induction.
    """
    place = Fault(
        module=f"{FAMILY}_fifo_64x64",
        old="write_index(write_index)",
        new="write_index(read_index)",
        cycles=5,
    )
    return fifo(depth=64, width=64, fault=place)


def read_engine() -> Proof:
    """AR keeps the rules of AXI4, and every beat that may come has a place in the FIFO.

    Rules: no valid after reset, valid and payload hold until ready, aligned INCR bursts of whole
    beats, of the length that was asked for, within 4 KiB. Beats of 32 bits, 2 a burst, 4 in the
    FIFO. By induction. The memory gives no beat that it does not owe; `stop` holds until idle.
    """
    return Proof(
        part=lambda: ReadEngine(family=FAMILY, port_bits=32, fifo_beats=4, burst_beats=2),
        properties="read_engine.v",
        size="32 bits, 4 beats, bursts of 2",
        method=induction(2),
        fault=Fault(module=f"{FAMILY}_read_engine", old="!memory__arready", new="1'h0", cycles=6),
        sizes={"BURST": 2, "FIFO": 4, "LEVEL": 3},
    )


def write_engine() -> Proof:
    """AW and W keep the rules of AXI4; bytes are written once each, never outside the region.

    Rules: those of the read engine on both channels, and WLAST on the last beat alone. Beats of 32
    bits, 2 a burst, regions of up to 31 bytes anywhere below 4 GiB, in rows of which the last bytes
    stay. By induction. The memory answers bursts that it has taken whole; the buffer holds its
    words.
    """
    return Proof(
        part=lambda: WriteEngine(
            family=FAMILY,
            port_bits=32,
            burst_beats=2,
            word_bits=8,
            count_bits=5,
            entries=16,
            rows=True,
        ),
        properties="write_engine.v",
        size="32 bits, bursts of 2, 31 bytes",
        method=induction(2),
        fault=Fault(module=f"{FAMILY}_write_engine", old="> 5'h3", new="> 5'h2", cycles=6),
        sizes={"BURST": 2, "COUNT": 5, "INDEX": 2, "SENT": 1},
    )


def packet_front() -> Proof:
    """Packets come in order, with all their beats, and segments end where they say.

    Beats of 8 bits, packets of 1, 2 and 3, a first one of 2, segments of up to 15. By induction.
    """
    return Proof(
        part=lambda: PacketFront(
            family=FAMILY,
            port_bits=8,
            header_bits={1: 8, 2: 16, 5: 24},
            first_bits=16,
            opcode_bits=3,
            count_bits=4,
        ),
        properties="packet_front.v",
        size="8 bits, packets of 1 to 3 beats",
        method=induction(3),
        fault=Fault(module=f"{FAMILY}_packet_front", old="!recount", new="1'h0", cycles=9),
        sizes={"COUNT": 4},
    )


def table() -> list[Register]:
    """Return a table with a register of each kind."""

    def row(name: str, place: int, access: Access, low: int = 0, high: int = 31) -> Register:
        kind: FieldAccess = "read" if access == "read" else "read and write"
        return Register(name, 4 * place, access, "", (RegisterField(name, high, low, kind, ""),))

    return [
        row("control", 0, "write"),
        row("status", 1, "read"),
        row("error", 2, "read"),
        row("id", 3, "read"),
        row("value", 4, "read and write", 8, 19),
        row("live", 5, "read and write while busy"),
        row("long_low", 6, "read and write"),
        row("long_high", 7, "read and write"),
        row("seen", 8, "read"),
        row("interrupt", 9, "read and write while busy"),
        row("interrupt_enable", 10, "read and write while busy"),
    ]


def registers() -> Proof:
    """Each register reads and takes what the table says, byte by byte, busy or not; so does irq.

    Eleven registers, one of each kind. By induction.
    """
    return Proof(
        part=lambda: Registers(
            family=FAMILY,
            table=table(),
            constants={"id": CONSTANT},
            address_bits=6,
            error_bits=4,
        ),
        properties="registers.v",
        size="11 registers",
        method=induction(2),
        fault=Fault(module=f"{FAMILY}_registers", old="pending & !", new="pending | !", cycles=6),
        sizes={"CONSTANT": CONSTANT},
    )


def requantizer(
    rounding: Rounding,
    *,
    accumulator_bits: int,
    multiplier_bits: int,
    shifts: tuple[int, int],
    fault: tuple[str, str],
    split: bool = False,
) -> Proof:
    """Return the proof of a rounding, elements of 4 bits; split: of the product in rows."""
    old, new = fault
    return Proof(
        part=lambda: Requantizer(
            family=FAMILY,
            roundings=[rounding],
            accumulator_bits=accumulator_bits,
            multiplier_bits=multiplier_bits,
            element_bits=4,
            split=split,
        ),
        properties="requantizer.v",
        size=f"{accumulator_bits} x {multiplier_bits} bits to 4",
        method=induction(2),
        fault=Fault(
            module=f"{FAMILY}_requantizer_{accumulator_bits}x{multiplier_bits}",
            old=old,
            new=new,
            cycles=4,
        ),
        sizes={
            rounding.upper(): 1,
            "ACCUMULATOR": accumulator_bits,
            "MULTIPLIER": multiplier_bits,
            "ELEMENT": 4,
            "LEAST_SHIFT": shifts[0],
            "MOST_SHIFT": shifts[1],
        },
    )


def requantizer_half_up() -> Proof:
    """The result is the formula of half_up for every shift from 1 to 47. By induction."""
    return requantizer(
        "half_up",
        accumulator_bits=8,
        multiplier_bits=4,
        shifts=(1, 47),
        fault=("zero_point, 1'h1", "zero_point, 1'h0"),
    )


def requantizer_split() -> Proof:
    """The result is the formula of half_up, too, where the product is added up in halves."""
    return requantizer(
        "half_up",
        accumulator_bits=8,
        multiplier_bits=4,
        shifts=(1, 47),
        fault=("+ 6'h1", "+ 6'h0"),
        split=True,
    )


def requantizer_tflite() -> Proof:
    """The result is the formula of tflite for every shift from 31 to 62. By induction.

    Sums are of full width, for the first rounding is at bit 31 of the product.
    """
    return requantizer(
        "tflite",
        accumulator_bits=32,
        multiplier_bits=3,
        shifts=(31, 62),
        fault=("35'h40000000", "35'h3fffffff"),
    )


def requantizer_float32() -> Proof:
    """The result is the formula of float32 for every shift from 1 to 63. By induction.

    Sums are of full width, for the first rounding keeps 24 bits of them.
    """
    return requantizer(
        "float32",
        accumulator_bits=32,
        multiplier_bits=2,
        shifts=(1, 63),
        fault=("| significant_shifted[31]", ""),
    )


def supervisor() -> Proof:
    """Every start leads to done or error, if the memory answers.

    A run without progress ends within 5 + 4 + 1 cycles, its drain within 5: the watchdog is 5
    cycles, the memory answers within 4, which is progress, and that counts a cycle later. From
    every state that is reached, by induction.
    """
    return Proof(
        part=lambda: Supervisor(
            family=FAMILY,
            errors=SupervisorErrors(read=1, write=2, stalled=3),
            error_bits=4,
            watchdog_cycles=5,
            progress_sources=2,
        ),
        properties="supervisor.v",
        size="watchdog of 5 cycles",
        method=induction(2),
        fault=Fault(module=f"{FAMILY}_supervisor", old="quiet == 3'h4", new="1'h0", cycles=16),
        sizes={"WATCHDOG": 5, "ANSWER": 4},
    )


SHARED = [
    fifo_of_instructions,
    fifo_of_beats,
    read_engine,
    write_engine,
    packet_front,
    registers,
    supervisor,
    requantizer_half_up,
    requantizer_split,
    requantizer_tflite,
    requantizer_float32,
]
