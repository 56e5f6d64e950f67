"""The shell of a chip around an engine that may do anything, for proofs that hold for each family.

The proof drives the wires from the engine, which are ports here: those of the trace.
"""

from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.registers import CONTROL, STATUS, register_table
from hwgen.chip.rtl.read_engine import read_command
from hwgen.chip.rtl.shell import Engine, Host, Shell, ShellFacts
from hwgen.chip.rtl.supervisor import SupervisorErrors
from verif.formal.proof import Fault, Proof, induction

PORT_BITS, COUNT_BITS, ERROR_BITS = 32, 4, 3
STALLED = 4
MOST_OWED = 9
"""Handshakes of the memory when a run ends: an address and 4 beats; one, 2 and a response."""
VALUES = ("id", "version", "error", "cycles", "load_cycles", "layers")


class Chip(Shell):
    """A shell with a port of 32 bits, bursts of 2 beats, a FIFO of 4, answers of up to 15 bytes.

    Ports
        registers, memory, irq  as of every shell
        trace  what `Engine` and `Host` name: ``command``, ``finished``, ``error``, ``progress``,
               ``store``, ``words`` and so on in, ``running``, ``beats``, ``stored`` out
    """

    family = "free"

    def __init__(self, *, watchdog_cycles: int) -> None:
        facts = ShellFacts(
            registers=register_table([STATUS, CONTROL, *((name, "read", "") for name in VALUES)]),
            id_word=0,
            version=0,
            address_bits=6,
            error_bits=ERROR_BITS,
            errors=SupervisorErrors(read=1, write=2, stalled=STALLED),
            watchdog_cycles=watchdog_cycles,
            progress=("own",),
            port_bits=PORT_BITS,
            fifo_beats=4,
            burst_beats=2,
            word_bits=8,
            count_bits=COUNT_BITS,
            entries=16,
        )
        trace = {
            "running": Out(1),
            "command": In(stream.Signature(read_command())),
            "beats": Out(stream.Signature(PORT_BITS)),
            "store": In(1),
            "words": In(COUNT_BITS),
            "address": In(64),
            "stored": Out(1),
            "finished": In(1),
            "error": In(ERROR_BITS),
            "progress": In(1),
        }
        super().__init__(facts, parts=[], trace=wiring.Signature(trace))

    def engine(self, m: Module, host: Host) -> Engine:
        trace, writer = self.trace, host.writer
        m.d.comb += [
            trace.running.eq(host.supervisor.running),
            trace.stored.eq(writer.done),
            writer.start.eq(trace.store),
            writer.words.eq(trace.words),
            writer.address.eq(trace.address),
        ]
        loader = SimpleNamespace(
            command=wiring.flipped(trace.command), beats=wiring.flipped(trace.beats)
        )
        return Engine(
            loader=cast(Any, loader),
            finished=trace.finished,
            error=trace.error,
            retire=trace.finished,
            computes=trace.progress,
            waits_for_load=trace.command.valid,
            progress={"own": trace.progress},
        )


def shell() -> Proof:
    """Every start leads to done or error within a bound, whatever the engine of a chip does.

    Registers, supervisor, read and write engine and the wires between them, with any engine that
    begins handshakes and progress of its own at most 15 times in a run, or stands still. The
    memory moves something at least every 3 cycles in which it owes anything. Then a run lasts at
    most 15 + 1 times 5 + 2 + 1 cycles, and its drain 29: progress counts a cycle later. After it
    nothing is on the memory port. An engine that stands for less than the watchdog of 5 cycles,
    while the memory owes nothing, is not stopped as one that stands. From every state that is
    reached, by induction.
    """
    watchdog, answer = 5, 2
    return Proof(
        part=partial(Chip, watchdog_cycles=watchdog),
        properties="shell.v",
        size="watchdog of 5 cycles, bursts of 2",
        method=induction(2),
        # The supervisor waits for one engine alone; a store begins after the end.
        fault=Fault(
            module="free_chip", old="read_engine__idle &", new="read_engine__idle |", cycles=12
        ),
        more=[
            Fault(module="free_write_engine", old="!stop", new="1'h1", cycles=9),
        ],
        # Beats that come without an address: the memory is any one.
        assertions=False,
        sizes={
            "WATCHDOG": watchdog,
            "ANSWER": answer,
            "PATIENCE": watchdog + answer + 1,
            "WORK": 15,
            "STALLED": STALLED,
            "DRAIN": MOST_OWED * (answer + 1) + 2,
        },
    )
