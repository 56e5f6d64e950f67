"""Bench of `supervisor`: runs that end, fail and stall; every counter is checked."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from verif.common.facts import facts_from_environment
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.stream import reset

FACTS = facts_from_environment()
WATCHDOG_CYCLES, ERRORS = FACTS.watchdog_cycles, FACTS.errors
LOADER_CODES = sorted(set(range(1, 1 << FACTS.error_bits)) - set(ERRORS))
SOURCES = range(FACTS.progress_sources)
PULSES = ("retire", "computes", "waits_for_load")
ENDS = ("finished", "loader_error", "read_error", "write_error")
STATE = ("running", "stop", "busy", "done", "error", "cycles", "load_cycles", "layers")
NAMES = ("start", "memory_idle", "memory_answers", "progress", *PULSES, *ENDS, *STATE)
CORNERS = Corners(
    "END",
    "END and an error in one cycle",
    "two errors in one cycle",
    "memory is not yet idle",
    "memory is idle at once",
    "a start while busy",
    "an error of the loader",
    *ERRORS._fields,
)


@dataclass
class Rules:
    """The rules of the microarchitecture, cycle by cycle; ``before``: inputs of the last one."""

    state: str = "idle"
    done: int = 0
    error: int = 0
    cycles: int = 0
    load_cycles: int = 0
    stalls: int = 0
    layers: int = 0
    quiet: int = 0
    before: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def outputs(self) -> dict[str, int]:
        """Return what the ports show in this cycle."""
        state = {
            "running": int(self.state == "run"),
            "stop": int(self.state == "drain"),
            "busy": int(self.state != "idle"),
        }
        counters = {name: getattr(self, name) for name in STATE if name not in state}
        return {**state, **counters}

    def step(self, row: dict[str, int]) -> None:
        """Take in what the ports were told in this cycle."""
        before = self.before
        self.load_cycles += self.stalls
        self.stalls = int(before["running"] and before["waits_for_load"] and not before["computes"])
        self.layers += before["running"] and before["retire"]
        if self.state == "idle" and row["start"]:
            self.state, self.cycles, self.load_cycles, self.layers = "run", 1, 1, 0
            self.done = self.error = self.quiet = 0
        elif self.state == "run":
            self._run(row)
        elif self.state == "drain" and row["memory_idle"]:
            self.state, self.done = "idle", int(not self.error)
        self.before = row

    def _run(self, row: dict[str, int]) -> None:
        self.cycles += 1
        owed = self.before["memory_answers"]
        self.quiet = 0 if self.before["progress"] else self.quiet + (not owed)
        candidates = [
            (row["read_error"], ERRORS.read),
            (row["write_error"], ERRORS.write),
            (row["loader_error"], row["loader_error"]),
            (self.quiet == WATCHDOG_CYCLES and not owed, ERRORS.stalled),
        ]
        found = [code for happens, code in candidates if happens]
        CORNERS.hit("END", bool(row["finished"]))
        CORNERS.hit("END and an error in one cycle", bool(row["finished"] and found))
        CORNERS.hit("two errors in one cycle", len(found) > 1 and not row["finished"])
        if row["finished"] or found:
            self.state = "drain"
        if found and not row["finished"]:
            self.error = int(found[0])
            CORNERS.hit("an error of the loader", self.error in LOADER_CODES)
            for name, code in ERRORS._asdict().items():
                CORNERS.hit(name, self.error == code)


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(6))
async def every_cycle_follows_the_rules(dut: Any, seed: int) -> None:
    """Many short runs with all kinds of ends."""
    rng = np.random.default_rng(seed)
    probe = await begin(dut)
    for _ in range(600):
        drive(dut, {name: int(rng.random() < 0.5) for name in PULSES})
        drive(dut, {"progress": int(rng.integers(0, 1 << len(SOURCES)))})
        drive(dut, {name: int(rng.random() < 0.02) for name in ENDS})
        if rng.random() < 0.02:
            dut.supervisor__loader_error.value = int(rng.choice(LOADER_CODES))
        if rng.random() < 0.02:
            drive(dut, {name: int(rng.random() < 0.7) for name in ENDS})
        drive(dut, {"start": int(rng.random() < 0.2), "memory_idle": int(rng.random() < 0.5)})
        drive(dut, {"memory_answers": int(rng.random() < 0.5)})
        await FallingEdge(dut.clk)
    check(probe, f"seed {seed}")


@cocotb.test(timeout_time=200, timeout_unit="us")
async def the_watchdog_waits_its_time(dut: Any) -> None:
    """A pause one cycle too short is none; then the chip is called stalled."""
    probe = await begin(dut)
    drive(dut, {"start": 1, "memory_idle": 1})
    await FallingEdge(dut.clk)
    drive(dut, {"start": 0})
    for pause in (WATCHDOG_CYCLES - 1, WATCHDOG_CYCLES + 2):
        drive(dut, {"progress": 1})
        await FallingEdge(dut.clk)
        drive(dut, {"progress": 0})
        for _ in range(pause):
            await FallingEdge(dut.clk)
    check(probe, "watchdog")
    assert probe.cycles[-1]["error"] == ERRORS.stalled


@cocotb.test(timeout_time=200_000 + 20 * WATCHDOG_CYCLES, timeout_unit="ns")
async def each_start_has_all_its_time(dut: Any) -> None:
    """A run without progress is called stalled in its clock, the second as the first."""
    await begin(dut, record=False)
    for run in range(2):
        drive(dut, {"start": 1, "memory_idle": 1})
        await FallingEdge(dut.clk)
        drive(dut, {"start": 0})
        await ClockCycles(dut.clk, WATCHDOG_CYCLES - 1, rising=False)
        assert dut.supervisor__running.value, f"run {run} stalls early"
        await FallingEdge(dut.clk)
        assert not dut.supervisor__running.value, f"run {run} stalls late"
        assert int(dut.supervisor__error.value) == ERRORS.stalled
        await FallingEdge(dut.clk)


@cocotb.test(timeout_time=400, timeout_unit="us")
async def the_watchdog_stands_still_while_the_memory_owes_an_answer(dut: Any) -> None:
    """Cycles before and after the wait count, those of it do not, however many they are."""
    probe = await begin(dut)
    drive(dut, {"start": 1, "memory_idle": 1})
    await FallingEdge(dut.clk)
    drive(dut, {"start": 0})
    before = WATCHDOG_CYCLES // 2
    for owed, cycles in ((0, before), (1, 2 * WATCHDOG_CYCLES), (0, WATCHDOG_CYCLES - before - 1)):
        drive(dut, {"memory_answers": owed})
        for _ in range(cycles):
            await FallingEdge(dut.clk)
    assert probe.cycles[-1]["running"], "cycles in which the memory owes an answer count"
    for _ in range(3):
        await FallingEdge(dut.clk)
    check(probe, "memory")
    assert probe.cycles[-1]["error"] == ERRORS.stalled


@cocotb.test(timeout_time=400, timeout_unit="us")
@cocotb.parametrize(source=SOURCES)
async def each_source_alone_keeps_the_chip_alive(dut: Any, source: int) -> None:
    """A run in which this source alone moves, just before the watchdog's time, goes on.

    Progress counts in the cycle after it, so it comes one before the last.
    """
    probe = await begin(dut)
    drive(dut, {"start": 1, "memory_idle": 1})
    await FallingEdge(dut.clk)
    drive(dut, {"start": 0})
    for _ in range(2):
        for _ in range(WATCHDOG_CYCLES - 2):
            await FallingEdge(dut.clk)
        drive(dut, {"progress": 1 << source})
        await FallingEdge(dut.clk)
        drive(dut, {"progress": 0})
    assert probe.cycles[-1]["running"], f"source {source} does not count as progress"
    for _ in range(WATCHDOG_CYCLES + 2):
        await FallingEdge(dut.clk)
    check(probe, f"source {source}")
    assert probe.cycles[-1]["error"] == ERRORS.stalled


async def begin(dut: Any, *, record: bool = True) -> Probe:
    """Reset the part with all its inputs low and begin to record; or not, for long waits."""
    inputs = ("start", "memory_idle", "memory_answers", "progress", *PULSES, *ENDS)
    await reset(dut, *(getattr(dut, f"supervisor__{name}") for name in inputs))
    probe = Probe(dut, "supervisor", NAMES)
    if record:
        cocotb.start_soon(probe.record())
    return probe


def drive(dut: Any, values: dict[str, int]) -> None:
    """Set some inputs."""
    for name, value in values.items():
        getattr(dut, f"supervisor__{name}").value = value


def check(probe: Probe, where: str) -> None:
    """Hold every cycle against the rules."""
    rules = Rules()
    for cycle, row in enumerate(probe.cycles):
        expected = rules.outputs()
        got = {name: row[name] for name in expected}
        assert got == expected, f"{where}, cycle {cycle}: {got}, expected {expected}"
        CORNERS.hit("memory is not yet idle", row["stop"] and not row["memory_idle"])
        CORNERS.hit("memory is idle at once", row["stop"] and row["memory_idle"])
        CORNERS.hit("a start while busy", row["start"] and row["busy"])
        rules.step(row)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
