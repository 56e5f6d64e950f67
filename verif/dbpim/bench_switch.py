"""Bench of `switch`: vectors under all kinds of masks, gaps and a full queue, every cycle."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.dbpim.rtl.layouts import fetched_word, group_tag, positions, word_tag
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.dbpim.feed_rules import Move, SwitchRules
from verif.reference.dbpim.switch import switch
from verif.stream import reset

ARCH = arch_from_environment()
MACROS, CHANNELS, ROWS = ARCH.macros_per_core, ARCH.word, ARCH.macro.rows
GROUP = ARCH.macro.compartments
LAYOUT = fetched_word(ARCH)
RANDOM_VECTORS = 6
COMMON_TAG = ("tile", "first", "last", "tile_end", "vector")
CORNERS = Corners(
    "word without a selected input",
    "only the last input is selected",
    "word split over two groups",
    "group and word end together within a position vector",
    "short group at the end of a position vector",
    "full group at the end of a position vector",
    "position vector without a selected input",
    "group of zeros after the last full one",
    "as many inputs in a cycle as the switch can move",
    "queue full in the middle of a word",
    "rows go round the ring",
)


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A vector in a tile: words (macros, words, channels) and their masks (words, channels)."""

    words: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    tag: dict[str, int]
    positions: int

    def groups(self) -> NDArray[np.uint8]:
        """Return golden's groups, (macros, groups, channels); a vector always ends with a group."""
        groups = switch(self.words, self.masks, group=GROUP)
        if not self.masks[-1].any() and self.masks.sum() % GROUP == 0:
            groups = np.pad(groups, ((0, 0), (0, 1), (0, 0)))
        return groups


@dataclass(frozen=True)
class Word:
    """A word on its way to the switch."""

    payload: int
    mask: int
    vector_end: bool

    @property
    def selected(self) -> int:
        """Number of inputs that the mask selects."""
        return self.mask.bit_count()


def directed_masks() -> list[NDArray[np.bool_]]:
    """Return masks that end groups, words and position vectors in all orders."""
    ones, none = np.ones(CHANNELS, bool), np.zeros(CHANNELS, bool)
    last, most = none.copy(), ones.copy()
    last[-1] = True
    most[0] = False
    rows = [[none], [ones], [ones, none], [last, none], [most, ones], [none, last], [most, last]]
    rows += [[ones] * (GROUP // CHANNELS), [*[ones] * (GROUP // CHANNELS), none]]
    return [np.array(words) for words in rows]


def random_masks(rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return the masks of one vector; a vector has at most as many groups as there are rows."""
    words = int(rng.integers(1, 3 * ROWS * (GROUP // CHANNELS) + 1))
    masks = rng.random((words, CHANNELS)) < rng.choice([0.1, 0.5, 0.9])
    masks[rng.random(words) < 0.2] = False
    masks &= np.cumsum(masks).reshape(masks.shape) <= (ROWS - 1) * GROUP
    return np.asarray(masks)


def draw_vector(rng: np.random.Generator, masks: NDArray[np.bool_]) -> Vector:
    """Return a position vector with random content."""
    tag = {
        "tile": int(rng.integers(TILE_SLOTS)),
        "first": int(rng.integers(2)),
        "last": int(rng.integers(2)),
        "tile_end": int(rng.integers(2)),
        "vector": int(rng.integers(ARCH.psum_vectors)),
        "row_base": int(rng.integers(ROWS)),
    }
    bits = positions(ARCH).size
    return Vector(
        words=rng.integers(0, 256, (MACROS, *masks.shape), np.uint8),
        masks=masks,
        tag=tag,
        positions=int.from_bytes(rng.bytes(bits // 8 + 1)) % (1 << bits),
    )


def words_of(vector: Vector) -> Iterator[Word]:
    """Yield the words as the fetcher sends them."""
    for index, mask in enumerate(vector.masks):
        vector_end = index == len(vector.masks) - 1
        tag = {**vector.tag, "mask": pack(mask, bits=1), "vector_end": int(vector_end)}
        fields = {
            "bytes": int.from_bytes(vector.words[:, index].tobytes(), "little"),
            "positions": vector.positions,
            "tag": word_tag(ARCH).const(tag).as_bits(),
        }
        payload = sum(value << LAYOUT[name].offset for name, value in fields.items())
        yield Word(payload, pack(mask, bits=1), vector_end)


@dataclass(frozen=True)
class Group:
    """A group that golden expects, (macros, channels)."""

    vector: Vector
    number: int
    end: bool
    content: NDArray[np.uint8]


def groups_of(vectors: list[Vector]) -> Iterator[Group]:
    """Yield the groups in the order in which they are pushed."""
    for vector in vectors:
        groups = vector.groups()
        count = groups.shape[1]
        for number in range(count):
            yield Group(vector, number, number == count - 1, groups[:, number])


class Run:
    """One simulation, a cycle at a time."""

    def __init__(self, dut: Any, seed: int, *, gap: float, full: float) -> None:
        self._dut, self._seed, self._gap, self._full = dut, seed, gap, full
        self._rng = rng = np.random.default_rng(seed)
        masks = [*directed_masks(), *(random_masks(rng) for _ in range(RANDOM_VECTORS))]
        vectors = [draw_vector(rng, masks[index]) for index in rng.permutation(len(masks))]
        self._words = [word for vector in vectors for word in words_of(vector)]
        self._groups = list(groups_of(vectors))
        self._rules = SwitchRules(group_bytes=GROUP, rate=ARCH.switch_rate)
        self._forming = np.zeros((MACROS, GROUP), np.uint8)
        self._moved = 0
        for vector in vectors:
            note_vector(vector)

    async def until_done(self, cycles: int | None = None) -> None:
        """Run until all groups are pushed, or for so many cycles."""
        on_offer, done = False, 0
        while (self._words or self._groups) and done != cycles:
            on_offer = on_offer or bool(self._words and self._rng.random() >= self._gap)
            on_offer = not await self._cycle(self._words[0] if on_offer else None) and on_offer
            done += 1

    async def _cycle(self, word: Word | None) -> bool:
        """Drive and check one cycle; return whether the word was released."""
        dut, full = self._dut, bool(self._rng.random() < self._full)
        dut.switch__word_valid.value = word is not None
        dut.switch__queue_full.value = full
        if word is not None:
            dut.switch__word.value = word.payload
        await ReadOnly()
        selected = word.selected if word else None
        want = self._rules.cycle(
            selected, vector_end=word is not None and word.vector_end, full=full
        )
        shown = (bool(dut.switch__write.value), bool(dut.switch__word_release.value))
        assert shown == (want is not None, want is not None and want.release), (
            f"seed {self._seed}: write, release {shown}, the rules say {want}"
        )
        CORNERS.hit("queue full in the middle of a word", full and self._moved > 0)
        if want is not None and word is not None:
            self._take(want)
            self._note_move(want, word)
            if want.release:
                self._words.pop(0)
        await FallingEdge(dut.clk)
        return want is not None and want.release

    def _take(self, want: Move) -> None:
        """Compare a move; the bytes below `fill` stay, and the others as they come."""
        dut = self._dut
        shown = (int(dut.switch__fill.value), bool(dut.switch__push.value))
        assert shown == (want.fill, want.push), (
            f"seed {self._seed}: fill, push {shown}, the rules say {want}"
        )
        values = int(dut.switch__bytes.value).to_bytes(MACROS * GROUP, "little")
        new = np.frombuffer(values, np.uint8).reshape(MACROS, GROUP)
        self._forming[:, want.fill :] = new[:, want.fill :]
        rest = self._forming[:, want.fill + want.count :]
        assert not rest.any(), f"seed {self._seed}: bytes above the group are {rest}"
        if want.push:
            self._check_group()

    def _check_group(self) -> None:
        """Compare a group that is pushed: bytes, tag and positions."""
        group = self._groups.pop(0)
        vector, number = group.vector, group.number
        assert (self._forming == group.content).all(), (
            f"seed {self._seed}: got {self._forming}, golden says {group.content}"
        )
        tag = group_tag(ARCH).from_bits(int(self._dut.switch__tag.value))
        want = {name: vector.tag[name] for name in COMMON_TAG}
        want["row"] = (vector.tag["row_base"] + number) % ROWS
        want["start"] = int(number == 0)
        want["end"] = int(group.end)
        got = {name: tag[name] for name in want}
        assert got == want, f"seed {self._seed}: tag {got}, not {want}"
        assert int(self._dut.switch__positions.value) == vector.positions, f"seed {self._seed}"
        CORNERS.hit("rows go round the ring", number > 0 and want["row"] == 0)

    def _note_move(self, want: Move, word: Word) -> None:
        """Record the corners of one move."""
        full_group = want.fill + want.count == GROUP
        self._moved = 0 if want.release else self._moved + want.count
        CORNERS.hit("word split over two groups", want.push and not want.release)
        together = want.push and want.release and not word.vector_end
        CORNERS.hit("group and word end together within a position vector", together)
        ended = want.push and word.vector_end and want.release
        CORNERS.hit("short group at the end of a position vector", ended and not full_group)
        CORNERS.hit("full group at the end of a position vector", ended and full_group)
        most = want.count == ARCH.switch_rate
        CORNERS.hit("as many inputs in a cycle as the switch can move", most)


def note_vector(vector: Vector) -> None:
    """Record the corners of the masks of a position vector."""
    selected = int(vector.masks.sum())
    CORNERS.hit("word without a selected input", not vector.masks.any(axis=1).all())
    CORNERS.hit(
        "only the last input is selected",
        any(pack(m, bits=1) == 1 << CHANNELS - 1 for m in vector.masks),
    )
    CORNERS.hit("position vector without a selected input", selected == 0)
    extra = vector.groups().shape[1] * GROUP - selected
    CORNERS.hit("group of zeros after the last full one", selected > 0 and extra == GROUP)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.4], full=[0.0, 0.5])
async def groups_match_golden(dut: Any, seed: int, gap: float, full: float) -> None:
    """Every group is golden's; every cycle moves the inputs of the rules."""
    await reset(dut, dut.switch__word_valid)
    await Run(dut, seed, gap=gap, full=full).until_done()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_the_forming_group(dut: Any) -> None:
    """After a reset in the middle of a vector the next run is right from its first group."""
    for cycles in (1, 2, 3, 5, 8, 13):
        await reset(dut, dut.switch__word_valid)
        await Run(dut, cycles, gap=0.0, full=0.0).until_done(cycles)
    await reset(dut, dut.switch__word_valid)
    await Run(dut, 0, gap=0.0, full=0.0).until_done()


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
