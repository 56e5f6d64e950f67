"""Bench of `fetcher`: macros that read the same banks and words, gaps and stalls, every cycle."""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from hwgen.dbpim.rtl.layouts import fetch_pixel, fetch_request, fetched_word
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, unpack
from verif.dbpim.feed_rules import Fetch, FetchRules, Place
from verif.stream import reset

ARCH = arch_from_environment()
MACROS, CHANNELS = ARCH.macros_per_core, ARCH.word
REQUEST, WORD = fetch_request(ARCH), fetched_word(ARCH)
PIXEL = fetch_pixel(ARCH)
NOTE_BITS = {name: WORD[name].width for name in ("positions", "tag", "simd")}
ADDRESS_BITS = ARCH.bank_address_bits
REQUESTS = 60
PLACES = MACROS + 2
"""Different words in each bank, few enough that macros often read the same one."""
SHARING = (
    "two macros read one word",
    "two macros read different words of a bank",
    "all macros read different words of a bank",
)
CORNERS = Corners(
    "all macros in one cycle",
    "pixel outside the map",
    "macro without a position",
    "word without a read",
    "no slot is free",
    "word begins in the cycle after a slot became free",
    "the only word leaves",
    "another unit reads a bank that a macro needs",
    "a word begins without a read",
    *(SHARING if MACROS > 1 else ()),
)


@dataclass(frozen=True)
class Pixel:
    """The pixel that one macro requests."""

    active: bool
    inside: bool
    place: Place

    def payload(self) -> int:
        """Return the fields of the pixel as the port takes them."""
        bank, address = self.place
        fields = {"active": self.active, "inside": self.inside, "bank": bank, "address": address}
        return int(PIXEL.const(fields).as_bits())


@dataclass(frozen=True)
class Request:
    """A word to fetch and its expected output: bytes for each macro, tags and positions."""

    pixels: list[Pixel]
    payload: int
    word: int

    @property
    def needed(self) -> list[Place]:
        """The places to read, in the order of the macros."""
        return [pixel.place for pixel in self.pixels if pixel.active and pixel.inside]


def draw_banks(rng: np.random.Generator) -> dict[Place, NDArray[np.uint8]]:
    """Return some words of each bank, the first and the last address among them."""
    between = rng.choice(np.arange(1, ARCH.bank_words - 1), PLACES - 2, replace=False)
    return {
        (bank, address): rng.integers(0, 256, CHANNELS, np.uint8)
        for bank in range(MACROS)
        for address in [0, ARCH.bank_words - 1, *between.tolist()]
    }


def draw_pixels(rng: np.random.Generator, places: list[Place]) -> list[Pixel]:
    """Return pixels in different banks, in one bank, or in any."""
    kind = rng.integers(3)
    banks = rng.permutation(MACROS) if kind == 0 else np.full(MACROS, rng.integers(MACROS))
    busy = rng.random() < 0.5
    pixels: list[Pixel] = []
    for bank in banks:
        choice = [place for place in places if place[0] == bank or kind == 2]
        if kind == 1 and rng.random() < 0.8:
            choice = [place for place in choice if place not in [pixel.place for pixel in pixels]]
        place = choice[int(rng.integers(len(choice)))]
        active, inside = bool(busy or rng.random() < 0.6), bool(busy or rng.random() < 0.6)
        pixels.append(Pixel(active, inside, place))
    return pixels


def draw_request(
    rng: np.random.Generator, banks: dict[Place, NDArray[np.uint8]], *, outside: int
) -> Request:
    """Return a random request."""
    pixels = draw_pixels(rng, sorted(banks))
    word = payload = 0
    for macro, pixel in enumerate(pixels):
        payload |= pixel.payload() << macro * PIXEL.size
        content = bytes(CHANNELS)
        if pixel.active:
            content = banks[pixel.place].tobytes() if pixel.inside else bytes([outside] * CHANNELS)
        word |= int.from_bytes(content, "little") << macro * CHANNELS * 8
    for name, bits in NOTE_BITS.items():
        note = int.from_bytes(rng.bytes(bits // 8 + 1), "little") % (1 << bits)
        payload |= note << REQUEST[name].offset
        word |= note << WORD[name].offset
    return Request(pixels, payload, word)


class Run:
    """One simulation of random requests, a cycle at a time."""

    def __init__(
        self, dut: Any, seed: int, *, gap: float, stall: float, others: float = 0.0
    ) -> None:
        self._dut, self._seed, self._gap, self._stall = dut, seed, gap, stall
        self._others = others
        self._rng = rng = np.random.default_rng(seed)
        self._outside = int(rng.integers(256))
        self._banks = draw_banks(rng)
        self._requests = [
            draw_request(rng, self._banks, outside=self._outside) for _ in range(REQUESTS)
        ]
        self._words = [request.word for request in self._requests]
        self._rules = FetchRules()
        self._freed = False
        self._inside = 0
        dut.fetcher__outside.value = self._outside

    async def until_done(self, cycles: int | None = None) -> None:
        """Run until all words have left, or for so many cycles."""
        now, on_offer = 0, False
        while self._words and now != cycles:
            if not on_offer and self._requests and self._rng.random() >= self._gap:
                on_offer = True
            want = await self._cycle(now, self._requests[0] if on_offer else None)
            if want.ready and on_offer:
                self._requests.pop(0)
                on_offer = False
            await FallingEdge(self._dut.clk)
            self._answer(want.reads)
            now += 1

    def _answer(self, reads: dict[int, int]) -> None:
        """Drive the data of the banks; a bank that did not read has random data."""
        contents = self._rng.integers(0, 256, (MACROS, CHANNELS), np.uint8)
        for place in reads.items():
            contents[place[0]] = self._banks[place]
        self._dut.fetcher__bank_data.value = int.from_bytes(contents.tobytes(), "little")

    async def _cycle(self, now: int, request: Request | None) -> Fetch:
        """Drive and check one cycle."""
        dut, release = self._dut, bool(self._rng.random() >= self._stall)
        dut.fetcher__request__valid.value = request is not None
        if request is not None:
            dut.fetcher__request__payload.value = request.payload
        others = [bank for bank in range(MACROS) if self._rng.random() < self._others]
        dut.fetcher__bank_taken.value = sum(1 << bank for bank in others)
        needed = request.needed if request else None
        want = self._rules.cycle(now, needed, release=release, others=others)
        hidden = bool({bank for bank, _ in needed or ()} & set(others))
        CORNERS.hit("another unit reads a bank that a macro needs", hidden and not want.full)
        CORNERS.hit("a word begins without a read", hidden and want.begins and not want.reads)
        dut.fetcher__word_release.value = release and want.word_valid
        await ReadOnly()
        self._check(want)
        self._note(request, want, release=release)
        if want.word_valid and release:
            word = int(dut.fetcher__word.value)
            expected = self._words.pop(0)
            assert word == expected, f"seed {self._seed}: got {word:#x}, not {expected:#x}"
        return want

    def _check(self, want: Fetch) -> None:
        """Compare reads and handshakes of the cycle."""
        dut = self._dut
        shown = bool(dut.fetcher__request__ready.value), bool(dut.fetcher__word_valid.value)
        empty = bool(dut.fetcher__empty.value)
        assert empty == want.empty, f"seed {self._seed}: empty is {empty}, the rules say {want}"
        assert shown == (want.ready, want.word_valid), (
            f"seed {self._seed}: ready, valid are {shown}, the rules say {want}"
        )
        enable = int(dut.fetcher__bank_read_en.value)
        banks = [bank for bank in range(MACROS) if enable >> bank & 1]
        addresses = unpack(int(dut.fetcher__bank_address.value), bits=ADDRESS_BITS, count=MACROS)
        reads = {bank: addresses[bank] for bank in banks}
        assert reads == want.reads, f"seed {self._seed}: reads {reads}, the rules say {want.reads}"

    def _note(self, request: Request | None, want: Fetch, *, release: bool) -> None:
        """Record the corners of the cycle."""
        left = want.word_valid and release
        CORNERS.hit("the only word leaves", left and self._inside == 1)
        self._inside += want.ready - left
        if request is None:
            return
        free = "word begins in the cycle after a slot became free"
        CORNERS.hit(free, want.begins and self._freed)
        CORNERS.hit("no slot is free", want.full)
        self._freed = want.full and left
        if want.ready:
            note_word(request, want)


def note_word(request: Request, want: Fetch) -> None:
    """Record the corners of a word with its last reads."""
    pixels, places = request.pixels, request.needed
    words, banks = set(places), {bank for bank, _ in places}
    CORNERS.hit("all macros in one cycle", len(want.reads) == MACROS)
    CORNERS.hit("word without a read", not places)
    CORNERS.hit("pixel outside the map", any(pixel.active and not pixel.inside for pixel in pixels))
    CORNERS.hit("macro without a position", any(not pixel.active for pixel in pixels))
    if MACROS > 1:
        CORNERS.hit("two macros read one word", len(words) < len(places))
        CORNERS.hit("two macros read different words of a bank", len(banks) < len(words))
        alone = len(banks) == 1 and len(words) == MACROS
        CORNERS.hit("all macros read different words of a bank", alone)


INPUTS = ("request__valid", "word_release")


async def reset_fetcher(dut: Any) -> None:
    """Reset with idle inputs."""
    await reset(dut, *(getattr(dut, f"fetcher__{name}") for name in INPUTS))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), gap=[0.0, 0.5], stall=[0.0, 0.7], others=[0.0, 0.4])
async def words_are_those_of_the_banks(
    dut: Any, seed: int, gap: float, stall: float, others: float
) -> None:
    """Every word is right and in order; every cycle has the reads of the rules."""
    await reset_fetcher(dut)
    await Run(dut, seed, gap=gap, stall=stall, others=others).until_done()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_all_words(dut: Any) -> None:
    """After a reset with words begun, landing and waiting the next run is right from the start."""
    for cycles in (1, 2, 3, 5, 8, 13):
        await reset_fetcher(dut)
        await Run(dut, cycles, gap=0.0, stall=0.8).until_done(cycles)
    await reset_fetcher(dut)
    await Run(dut, 0, gap=0.0, stall=0.0).until_done()


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
