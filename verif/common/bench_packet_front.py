"""Bench of `packet_front`: packets of all lengths, bodies, gaps, slow answers, errors."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from verif.common.chances import chances
from verif.common.facts import facts_from_environment
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.stream import Stream, offer, reset

FACTS = facts_from_environment()
BITS = FACTS.port_bits
LENGTHS = {opcode: -(-bits // BITS) for opcode, bits in FACTS.header_bits.items()}
LONGEST = max(LENGTHS.values())
FIRST = -(-FACTS.first_bits // BITS)
UNKNOWN = min(set(range(1 << FACTS.opcode_bits)) - set(LENGTHS))
ANSWERS = ("next", "body", "stop")
NAMES = ("packet", "first", "whole", "unknown", "ended", *ANSWERS)
STREAMS = ["beats__valid", "beats__ready", "rest__valid", "rest__ready", "rest__payload"]
CORNERS = Corners(
    "a packet waits for its answer",
    "a packet of the longest kind",
    "a packet with a body",
    "a packet without a body",
    "a first packet without a body",
    "a segment behind a body",
    "a segment behind a packet",
    "a gap in a packet",
    "an unknown opcode",
    "a stream that ends too early",
    "stop",
)


@dataclass(frozen=True)
class Packet:
    """Beats of a header, lowest first, and of what follows it.

    segment: beats of the segment that begins behind it; None: it goes on
    """

    header: list[int]
    body: list[int]
    segment: int | None = None

    def word(self) -> int:
        """Return the header as one integer."""
        return sum(beat << BITS * place for place, beat in enumerate(self.header))


def random_packet(rng: np.random.Generator, opcode: int, *, beats: int, body: int) -> Packet:
    """Return a packet whose lowest bits are the opcode."""
    words = [int.from_bytes(rng.bytes(BITS // 8), "little") for _ in range(beats + body)]
    mask = (1 << FACTS.opcode_bits) - 1
    words[0] = words[0] & ~mask | opcode
    return Packet(words[:beats], words[beats:])


def random_packets(rng: np.random.Generator, *, first_body: int) -> list[Packet]:
    """Return a first packet with any opcode and some that follow it, the last without a body."""
    packets = [random_packet(rng, UNKNOWN, beats=FIRST, body=first_body)]
    for opcode in rng.choice(list(LENGTHS), 12).tolist():
        body = int(rng.choice([0, 0, 1, 4]))
        packets.append(random_packet(rng, opcode, beats=LENGTHS[opcode], body=body))
    last = next(iter(LENGTHS))
    packets.append(random_packet(rng, last, beats=LENGTHS[last], body=0))
    return in_segments(packets, [True, *(rng.random(len(packets) - 2) < 0.3).tolist(), False])


def in_segments(packets: list[Packet], begins: list[bool]) -> list[Packet]:
    """Return the packets with the beats of the segments that begin behind some of them."""
    found: list[Packet] = []
    beats = 0
    for packet, begin in reversed(list(zip(packets, begins, strict=True))):
        found.insert(0, replace(packet, segment=beats if begin else None))
        # The body is in no segment where one begins behind it.
        beats = len(packet.header) + (0 if begin else beats + len(packet.body))
    return found


async def begin(dut: Any, packets: list[Packet], gaps: Iterator[bool]) -> Probe:
    """Reset the part, start it, and let the beats of all packets come."""
    ports = {name: getattr(dut, f"packet_front__{name}") for name in (*ANSWERS, "start", "recount")}
    source = Stream(dut, "packet_front__beats")
    quiet = (dut.packet_front__rest__ready, dut.packet_front__rest_done)
    await reset(dut, source.valid, *ports.values(), *quiet)
    probe = Probe(dut, "packet_front", [*NAMES, *STREAMS])
    cocotb.start_soon(probe.record())
    beats = [beat for packet in packets for beat in (*packet.header, *packet.body)]
    cocotb.start_soon(offer(source, beats, gaps))
    await ClockCycles(dut.clk, 2)
    await FallingEdge(dut.clk)
    assert not probe.when("beats__ready"), "a beat is taken before the start"
    ports["start"].value = 1
    await FallingEdge(dut.clk)
    ports["start"].value = 0
    return probe


async def settle(dut: Any, probe: Probe, *names: str) -> str:
    """Wait until one of these outputs is high, and return it; leave at a falling edge."""
    while True:
        await FallingEdge(dut.clk)
        for name in names:
            if probe.last(name):
                return name


async def answer(
    dut: Any, probe: Probe, packet: Packet, pauses: Iterator[bool], *, stop: bool = False
) -> None:
    """Wait for a packet, compare it, answer it, and take what follows it."""
    assert await settle(dut, probe, "whole", "unknown", "ended") == "whole"
    while next(pauses):
        CORNERS.hit("a packet waits for its answer")
        await FallingEdge(dut.clk)
    assert probe.last("whole"), "a packet is held until it is answered"
    mask = (1 << BITS * len(packet.header)) - 1
    assert probe.last("packet") & mask == packet.word(), "header"
    pulse = getattr(dut, f"packet_front__{'stop' if stop else 'body' if packet.body else 'next'}")
    pulse.value = 1
    dut.packet_front__recount.value = packet.segment is not None
    dut.packet_front__count.value = packet.segment or 0
    await FallingEdge(dut.clk)
    pulse.value = 0
    dut.packet_front__recount.value = 0
    for number, beat in enumerate(packet.body if not stop else []):
        await take_beat(dut, probe, beat, pauses, last=number == len(packet.body) - 1)


async def take_beat(
    dut: Any, probe: Probe, beat: int, pauses: Iterator[bool], *, last: bool
) -> None:
    """Take one beat of what follows a header; with the last one say so."""
    await settle(dut, probe, "rest__valid")
    while next(pauses):
        await FallingEdge(dut.clk)
    assert probe.last("rest__payload") == beat, "a beat of a body"
    dut.packet_front__rest__ready.value = 1
    dut.packet_front__rest_done.value = last
    await FallingEdge(dut.clk)
    dut.packet_front__rest__ready.value = 0
    dut.packet_front__rest_done.value = 0


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(3), gap=[0.0, 0.5], stall=[0.0, 0.6], first_body=[0, 3])
async def packets_come_whole(
    dut: Any, seed: int, gap: float, stall: float, first_body: int
) -> None:
    """Each packet shows whole a cycle after its last beat; what follows it passes by."""
    rng = np.random.default_rng(seed)
    packets = random_packets(rng, first_body=first_body)
    probe = await begin(dut, packets, chances(rng, gap))
    pauses = chances(rng, stall)
    for number, packet in enumerate(packets):
        last = number == len(packets) - 1
        await answer(dut, probe, packet, pauses, stop=last)
        assert probe.last("first") == (number == 0), f"seed {seed}, packet {number}: first"
        CORNERS.hit("a packet of the longest kind", number > 0 and len(packet.header) == LONGEST)
        CORNERS.hit("a packet with a body", number > 0 and bool(packet.body))
        CORNERS.hit("a packet without a body", number > 0 and not packet.body)
        CORNERS.hit("a first packet without a body", number == 0 and not packet.body)
        begins = number > 0 and packet.segment is not None
        CORNERS.hit("a segment behind a body", begins and bool(packet.body))
        CORNERS.hit("a segment behind a packet", begins and not packet.body)
    await ClockCycles(dut.clk, 5)
    assert not (probe.when("unknown") or probe.when("ended")), f"seed {seed}: an error"
    CORNERS.hit("stop")
    check_cycles(probe, packets, f"seed {seed}")


def stream_beats(packets: list[Packet]) -> int:
    """Return the beats after the first packet and what follows it."""
    return sum(len(packet.header) + len(packet.body) for packet in packets[1:])


def check_cycles(probe: Probe, packets: list[Packet], where: str) -> None:
    """A header's beats are taken as they come; the packet is whole in the next cycle."""
    taken = probe.when("beats__valid", "beats__ready")
    whole = set(probe.when("whole"))
    expected_starts = []
    position = 0
    for packet in packets:
        cycles = taken[position : position + len(packet.header)]
        CORNERS.hit("a gap in a packet", LONGEST == 1 or cycles[-1] - cycles[0] >= len(cycles))
        expected_starts.append(cycles[-1] + 1)
        position += len(packet.header) + len(packet.body)
    assert [n for n in sorted(whole) if n - 1 not in whole] == expected_starts, where
    assert len(taken) == position, f"{where}: beats after the stop"
    gathers = {n for n, row in enumerate(probe.cycles) if row["beats__ready"]}
    assert not gathers & whole, f"{where}: a beat is taken while a packet waits"


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5])
async def an_unknown_opcode_is_reported(dut: Any, seed: int, gap: float) -> None:
    """It shows with the first beat, and nothing more is taken."""
    rng = np.random.default_rng(seed)
    wrong = random_packet(rng, UNKNOWN, beats=LONGEST + 3, body=0)
    packets = [*random_packets(rng, first_body=0), wrong]
    packets = in_segments(packets, [packet.segment is not None for packet in packets])
    probe = await begin(dut, packets, chances(rng, gap))
    for packet in packets[:-1]:
        await answer(dut, probe, packet, chances(rng, 0.0))
    assert await settle(dut, probe, "whole", "unknown", "ended") == "unknown"
    await ClockCycles(dut.clk, 20)
    taken = probe.when("beats__valid", "beats__ready")
    assert probe.when("unknown") == taken[-1:], f"seed {seed}"
    assert len(taken) == len(packets[0].header) + stream_beats(packets[:-1]) + 1
    CORNERS.hit("an unknown opcode")


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(cut=range(1, 4), first_body=[0, 3])
async def a_stream_that_ends_too_early_is_reported(dut: Any, cut: int, first_body: int) -> None:
    """The first packet and its body do not count; the beat that is missed is never taken."""
    rng = np.random.default_rng(cut)
    opcode = max(LENGTHS, key=lambda one: LENGTHS[one])
    beats = LENGTHS[opcode]
    first = random_packet(rng, UNKNOWN, beats=FIRST, body=first_body)
    first = replace(first, segment=beats + 4 - cut)
    packets = [first, random_packet(rng, opcode, beats=beats, body=4)]
    probe = await begin(dut, packets, chances(rng, 0.0))
    await answer(dut, probe, first, chances(rng, 0.0))
    shortened = Packet(packets[1].header, packets[1].body[: 4 - cut])
    assert await settle(dut, probe, "whole", "ended") == "whole"
    dut.packet_front__body.value = 1
    await FallingEdge(dut.clk)
    dut.packet_front__body.value = 0
    for beat in shortened.body:
        await take_beat(dut, probe, beat, chances(rng, 0.0), last=False)
    assert await settle(dut, probe, "whole", "ended") == "ended"
    await ClockCycles(dut.clk, 10)
    assert len(probe.when("ended")) == 1
    taken = probe.when("beats__valid", "beats__ready")
    assert len(taken) == FIRST + first_body + beats + 4 - cut
    CORNERS.hit("a stream that ends too early")


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
