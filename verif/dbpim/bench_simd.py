"""Bench of `simd`: all operations, gaps and back-pressure at random, every port in every cycle."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.instructions import Opcode, Operation
from hwgen.dbpim.facts.timing import FETCH_CYCLES, FETCH_SLOTS, SIMD_CYCLES
from hwgen.dbpim.rtl import layouts
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, operations
from verif.dbpim.simd_cases import Case, cases_of
from verif.dbpim.simd_jobs import Drawing, Job, Result
from verif.dbpim.simd_loader import CORNERS as LOADER_CORNERS
from verif.dbpim.simd_loader import FLAGS, Actions, Loader, Stores
from verif.stream import reset

ARCH = arch_from_environment()
CASES = cases_of(ARCH)
MACROS, CHANNELS = ARCH.macros_per_core, ARCH.word
RESULT = layouts.vector_write(ARCH)
PARTS = ARCH.simd_parts
TABLE_PARTS = MACROS * CHANNELS // ARCH.table_lookups
SHARED = ARCH.lanes_per_requantizer > 1
READ_TO_TOTAL = SIMD_CYCLES - 2
"""Cycles from the one in which a part is read to the one in which its totals are known."""
TURN_TO_RESULT = 1 + ARCH.float32_cycles
"""Moves from the one after the last turn of a part to its result."""
CORNERS = Corners(
    *(
        f"{each.name} that clips at both ends"
        for each in operations(ARCH)
        if each != Operation.TABLE
    ),
    *(f"rotated by {amount}" for amount in range(CHANNELS)),
    "a result waits while a word waits",
    "a result is taken while a part moves",
    "the bytes of a sum wait",
    "no part between the taps of a result",
    *(["an inactive position"] if MACROS > 1 else []),
    "a word waits for its TAPS",
    *LOADER_CORNERS,
    "the walker is FETCH_SLOTS words ahead",
    "results for the memory",
    "zeros above the channels",
    "the largest sum of three bytes",
    *(["a part waits for requantizers", "taps go on beside requantizers"] if SHARED else []),
    *(["a word is held", "a word is held while totals go on"] if ARCH.row_unit else []),
)
LARGEST = Case(operation=Operation.SUM, kernel=(127, 127 // PARTS), words=1, vectors=1)


class Run:
    """Jobs one after the other, a cycle at a time; the loader runs ahead of them.

    `moves` counts the cycles in which no result holds the unit, `fronts` those of them in which
    parts move up to their totals: by them its timetable is exact.
    `due`: the results that it must offer at each move; `finals`: parts of last taps that are not at
    the requantizers, each as the front of its read and, of a last part, its results; `free_at`: the
    move from which the requantizers are free
    """

    def __init__(self, dut: Any, jobs: Sequence[Job], seed: int, *, gap: float, stall: float):
        self._dut, self._jobs, self._seed = dut, jobs, seed
        self._gap, self._stall = gap, stall
        self._rng = np.random.default_rng(seed)
        self._stores = Stores()
        self._loader = Loader(ARCH, jobs, self._stores, CORNERS)
        self._loads = self._loader.actions()
        self._now = self._moves = self._fronts = self._part = 0
        self._moved_at = -SIMD_CYCLES
        self._due: dict[int, deque[Result]] = {}
        self._finals: deque[tuple[int, deque[Result] | None]] = deque()
        self._free_at = -TURN_TO_RESULT
        self._requested = self._released = 0
        self._landed: deque[int] = deque()

    async def all_jobs(self, most: int | None = None) -> None:
        """Run every job: `go`, words and results, `finish`; stop after `most` cycles."""
        for job in self._jobs:
            self._requested = self._released = 0
            self._loader.running = job
            self._dut.instruction.value = job.instruction(ARCH)
            results = iter(job.results)
            await self._cycle(job, results, go=job.goes)
            while self._released < len(job.words) or self._due or self._active():
                if self._now == most:
                    return
                await self._cycle(job, results)
            for _ in range(int(self._rng.integers(1, 4))):
                await self._cycle(job, results)
            await self._cycle(job, results, finish=True)

    async def _cycle(
        self,
        job: Job,
        results: Iterator[Sequence[Result]],
        *,
        go: bool = False,
        finish: bool = False,
    ) -> None:
        """Drive, check and count one cycle."""
        dut, rng = self._dut, self._rng
        load = {} if rng.random() < self._gap else next(self._loads)
        walked = None if go or finish else self._walk(job)
        ready = rng.random() >= self._stall
        ahead = self._requested - self._released
        valid = bool(self._landed) and self._landed[0] <= self._now
        if valid:
            dut.word.value = job.words[self._released].payload
        dut.word_valid.value = valid
        dut.result__ready.value = ready
        dut.go.value, dut.finish.value = go, finish
        dut.taps_walked.value = walked is not None and job.words[walked].word_end
        for name in {*FLAGS, *load}:
            getattr(dut, name).value = load.get(name, 0)
        await ReadOnly()
        due = self._due.get(self._moves)
        taken = bool(due) and ready
        frees = due is None or (taken and len(due) == 1)
        front = frees and not (self._complete() and self._moves < self._free_at)
        self._check(job, due, valid=valid, front=front)
        CORNERS.hit("a result waits while a word waits", valid and not frees)
        CORNERS.hit("a result is taken while a part moves", valid and taken and front)
        if SHARED:
            CORNERS.hit("a part waits for requantizers", frees and not front)
            busy = self._moves < self._free_at
            CORNERS.hit("taps go on beside requantizers", valid and front and busy)
        CORNERS.hit("the bytes of a sum wait", due is not None and len(due) == 2 and not ready)
        CORNERS.hit("the walker is FETCH_SLOTS words ahead", ahead == FETCH_SLOTS)
        between = 0 < self._released < len(job.words) and not job.words[self._released - 1].last_tap
        CORNERS.hit("no part between the taps of a result", between and not valid)
        self._clock(job, load, due if taken else None, finish=finish, walked=walked)
        if frees and front and self._complete():
            self._scale(job)
        if valid and front:
            self._move(job, results)
        self._moves += frees
        self._fronts += front
        await FallingEdge(dut.clk)
        self._now += 1

    def _walk(self, job: Job) -> int | None:
        """Act as walker and fetcher: return the number of the word that is requested, if any."""
        if self._requested == len(job.words) or self._requested - self._released == FETCH_SLOTS:
            return None
        known = self._stores.known(job.case.operation)
        CORNERS.hit("a word waits for its TAPS", not known)
        if not known or self._rng.random() < self._gap:
            return None
        late = int(self._rng.integers(2 * PARTS + 3)) if self._rng.random() < self._gap else 0
        before = self._landed[-1] if self._landed else 0
        self._landed.append(max(before + 1, self._now + FETCH_CYCLES + late))
        self._requested += 1
        return self._requested - 1

    def _check(self, job: Job, due: deque[Result] | None, *, valid: bool, front: bool) -> None:
        """Compare every output with its value in this cycle."""
        dut, stores = self._dut, self._stores
        operation = job.case.operation
        releases = valid and front and self._part == self._parts(job) - 1
        got = {
            "reads": bool(dut.reads.value),
            "word_release": bool(dut.word_release.value),
            "result.valid": bool(dut.result__valid.value),
            "idle": bool(dut.idle.value),
            "taps_known": bool(dut.taps_known.value),
            "table__room": bool(dut.table__room.value),
            "taps__room": bool(dut.taps__room.value),
        }
        opcode = job.fields["opcode"]
        want = {
            "reads": valid and front,
            "word_release": releases,
            "result.valid": due is not None,
            "idle": not self._active(),
            "taps_known": stores.known(operation) if opcode == Opcode.SIMD else got["taps_known"],
            "table__room": not stores.table,
            "taps__room": stores.room,
        }
        assert got == want, f"{self._where(job)}: got {got}, not {want}"
        if due:
            self._check_result(job, due[0])

    def _check_result(self, job: Job, want: Result) -> None:
        """Compare the result on offer."""
        payload = int(self._dut.result__payload.value)
        parts = {name: payload >> part.offset for name, part in RESULT}
        got = {name: word & (1 << RESULT[name].width) - 1 for name, word in parts.items()}
        fields = job.fields
        enable = (1 << fields["enable_end"]) - (1 << fields["enable_first"])
        above = np.zeros(CHANNELS, np.bool_)
        if fields["to_memory"]:
            if want.word == fields["output_channel_words"] - 1:
                above = np.array([not enable >> byte & 1 for byte in range(CHANNELS)])
                CORNERS.hit("zeros above the channels", bool(above.any()))
            enable = (1 << CHANNELS) - 1
        flat = got["enable"], got["word"], got["to_memory"]
        assert flat == (enable, want.word, fields["to_memory"]), f"{self._where(job)}: {flat}"
        size = layouts.position().size
        bytes_ = got["bytes"].to_bytes(MACROS * CHANNELS, "little")
        values = np.frombuffer(bytes_, np.uint8).reshape(MACROS, CHANNELS)
        for number, (row, column, active) in enumerate(want.positions):
            place = layouts.position().from_bits(
                got["positions"] >> number * size & (1 << size) - 1
            )
            where = f"{self._where(job)}, position {number}"
            assert place.active == active, f"{where}: active is not {active}"
            if not active:
                CORNERS.hit("an inactive position")
            else:
                assert (place.row, place.column) == (row, column), f"{where}: not {row}, {column}"
                given, right = (
                    values[number].tolist(),
                    np.where(above, 0, want.bytes[number]).tolist(),
                )
                assert given == right, f"{where}: got {given}, golden says {right}"

    def _parts(self, job: Job) -> int:
        """Return the parts of the oldest word; one that is held moves at once."""
        if job.words[self._released].held:
            return 1
        return TABLE_PARTS if job.case.operation == Operation.TABLE else PARTS

    def _active(self) -> bool:
        """Return whether a part or a result is in the pipeline."""
        on_the_way = self._fronts - self._moved_at <= READ_TO_TOTAL
        return (
            on_the_way or self._moves < self._free_at + TURN_TO_RESULT or self._moves in self._due
        )

    def _complete(self) -> bool:
        """Return whether the totals of a part of a last tap are known and wait to be scaled."""
        return bool(self._finals) and self._finals[0][0] + READ_TO_TOTAL == self._fronts

    def _scale(self, job: Job) -> None:
        """Count a part that comes to the requantizers."""
        table = job.case.operation == Operation.TABLE
        self._free_at = self._moves + (ARCH.table_turns if table else ARCH.lanes_per_requantizer)
        _, results = self._finals.popleft()
        if results is not None:
            self._due[self._free_at + TURN_TO_RESULT] = results

    def _move(self, job: Job, results: Iterator[Sequence[Result]]) -> None:
        """Count a part that moves."""
        word = job.words[self._released]
        self._part += 1
        whole = self._part == self._parts(job)
        if word.held:
            CORNERS.hit("a word is held")
            CORNERS.hit("a word is held while totals go on", self._active())
        else:
            self._moved_at = self._fronts
        if word.last_tap:
            self._finals.append((self._fronts, deque(next(results)) if whole else None))
        if whole:
            self._part = 0
            self._released += 1
            self._landed.popleft()

    def _clock(
        self,
        job: Job,
        load: Actions,
        taken: deque[Result] | None,
        *,
        finish: bool,
        walked: int | None,
    ) -> None:
        """Advance the stores, and take a result."""
        stores, depthwise = self._stores, job.case.operation == Operation.DEPTHWISE
        if taken:
            result = taken.popleft()
            stores.released += depthwise and result.word_end
            if not taken:
                del self._due[self._moves]
        stores.begun += "taps__begin" in load
        stores.pushed += "taps__push" in load
        stores.walked += depthwise and walked is not None and job.words[walked].word_end
        simd = job.fields["opcode"] == Opcode.SIMD and job.goes
        if finish and simd and job.case.operation == Operation.TABLE:
            stores.table = False
        stores.table |= "table__push" in load

    def _where(self, job: Job) -> str:
        """Return what a failure says first."""
        return f"seed {self._seed}, {job.case}, word {self._released}, cycle {self._now}"


ROTATIONS = cycle(range(CHANNELS))


def draw(case: Case, rng: np.random.Generator) -> Job:
    """Return a random job, and record what it reaches."""
    job = Drawing(ARCH, case, rng).job(next(ROTATIONS))
    fields, operation = job.fields, case.operation
    CORNERS.hit(f"rotated by {fields['rotate']}")
    CORNERS.hit("results for the memory", fields["to_memory"] == 1)
    maps = [result.bytes for results in job.results for result in results]
    seen = set(np.concatenate(maps).ravel().tolist())
    clips = {fields["output_low"], fields["output_high"]} <= seen
    if operation != Operation.TABLE:
        CORNERS.hit(f"{operation.name} that clips at both ends", clips and not case.sums)
    whole = [all(result.bytes.min() == 255 for result in results) for results in job.results]
    CORNERS.hit("the largest sum of three bytes", case.sums and any(whole))
    return job


async def reset_unit(dut: Any) -> None:
    """Reset with idle inputs."""
    names = ("go", "finish", "word_valid", "result__ready", "taps_walked", *FLAGS)
    await reset(dut, *(getattr(dut, name) for name in names))


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(case=list(CASES), pace=["free", "slow_words", "slow_results", "both"])
async def operations_match_golden(dut: Any, case: str, pace: str) -> None:
    """Every byte equals golden, every port has its cycle; steps follow steps."""
    gap = 0.5 if pace in ("slow_words", "both") else 0.0
    stall = 0.7 if pace in ("slow_results", "both") else 0.0
    await reset_unit(dut)
    rng = np.random.default_rng(len(case))
    jobs = [draw(CASES[case], rng) for _ in range(3)]
    await Run(dut, jobs, 0, gap=gap, stall=stall).all_jobs()


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def the_largest_window(dut: Any) -> None:
    """A window of the largest size takes its taps and no more bits than a total has."""
    await reset_unit(dut)
    job = draw(LARGEST, np.random.default_rng(0))
    await Run(dut, [job], 0, gap=0.0, stall=0.0).all_jobs()


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), gap=[0.0, 0.3])
async def steps_of_all_kinds_follow_each_other(dut: Any, seed: int, gap: float) -> None:
    """Tables and TAPS wait for their step, whatever other steps are run before it."""
    await reset_unit(dut)
    rng = np.random.default_rng(seed)
    names = rng.permutation(list(CASES)).tolist()
    jobs = []
    for name in names:
        jobs.append(draw(CASES[name], rng))
        if CASES[name].operation == Operation.TABLE:
            jobs[-1:-1] = [bystander(jobs[-1], Opcode.SIMD), bystander(jobs[-1], Opcode.CONV)]
            jobs.append(draw(CASES[name], rng))
    await Run(dut, jobs, seed, gap=gap, stall=gap).all_jobs()


def bystander(job: Job, opcode: Opcode) -> Job:
    """Return a step that looks like a table's: of the other cores, or no SIMD instruction."""
    return Job(job.case, {**job.fields, "opcode": opcode}, goes=opcode != Opcode.SIMD)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(case=["depthwise", "three_bytes", "table"])
async def a_reset_empties_the_unit(dut: Any, case: str) -> None:
    """After a reset in the middle of a step nothing is left of it."""
    rng = np.random.default_rng(7)
    for cycles in (40, 57, 74, 91):
        await reset_unit(dut)
        run = Run(dut, [draw(CASES[case], rng)], cycles, gap=0.0, stall=0.5)
        await run.all_jobs(cycles)
    await reset_unit(dut)
    await Run(dut, [draw(CASES[case], rng)], 1, gap=0.0, stall=0.0).all_jobs()


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the cases above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
