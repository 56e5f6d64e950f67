"""The walk sees nothing in designs that follow the rules, and what is planted into them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from tests.fuzz.walks import STATE, walk_designs
from tests.verif.reference.crossbar.planted import FAULTS, planted, slack
from tests.verif.reference.crossbar.walk_designs import Drawn, drawn
from verif.reference.crossbar.walk import RATES, Rates, walk
from verif.reference.crossbar.walk.context import Stage
from verif.reference.crossbar.walk.elements import pack
from verif.reference.crossbar.walk.hazards import NEVER
from verif.reference.crossbar.walk.ports import Ports, User
from verif.reference.crossbar.walk.reads import cut_words
from verif.reference.crossbar.walk.sums import pool_walk
from verif.reference.crossbar.walk.walk import check_pixels

CLEAN = (0, 1, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 19, 23, 30, 36)
"""Designs that can be built, on whose streams all is right."""

ONE, TWO, POOLED = 0, 7, 16
PARTNERS = 10
GATHERED, SMALL = (3, 8, 10, 11, 14), (4, 5, 6, 7, 15)
"""With parts that follow each other to one macro; with few blocks."""
SPILLS = (14, 28)
"""With packets that end in another word."""
LENGTHS, CROWD = 1702, 151
"""Of a ring that fills most in streams of four images; of a provider that makes twelve blocks while
its reader's macro loads one."""


@cache
def design(number: int) -> Drawn:
    found = drawn(number)
    assert found is not None
    return found


def sentences(found: Sequence[object]) -> str:
    return "\n".join(each.sentence for each in found)  # type: ignore[attr-defined]


@pytest.mark.promise(
    "each start of a schedule reads what lies there, by a walk with the rates of the parts, one"
    " image or a stream; what is planted is seen"
)
@pytest.mark.parametrize("number", CLEAN)
def test_a_stream_reads_what_is_there(number: int) -> None:
    assert sentences(design(number).hazards()) == ""


@pytest.mark.dear("1", "2")
@pytest.mark.promise(
    "rings have room for a stream of any length up to the simulated one, ports for all blocks"
    " that a fast provider sends"
)
@pytest.mark.parametrize("images", [1, 2, 3, 4, 5, 12])
def test_rings_have_room_for_streams_of_any_length(images: int) -> None:
    """The last image meets less traffic than the one before it: its blocks may come sooner."""
    found = drawn(LENGTHS, images)
    assert found is not None
    assert sentences(found.hazards()) == ""


def test_a_port_has_time_for_all_blocks_of_a_fast_provider() -> None:
    assert sentences(design(CROWD).hazards()) == ""


@pytest.mark.parametrize("name", ["mvm", "adc", "activation"])
def test_a_start_a_step_too_early_is_seen(name: str) -> None:
    """Of operations that begin right behind the one step of the one before: at the same tick."""
    seen = 0
    for number in SMALL:
        own = design(number)
        for (place, operation), steps in own.starts.items():
            layer = own.chip.layers[place]
            before = layer.operations[(layer.index_of(operation) or 1) - 1]
            if operation != name:
                continue
            length = before.steps if name == "adc" else before.busy
            tight = np.flatnonzero(steps == own.starts[place, before.name] + length)
            if length > 1 or not tight.size:
                continue
            block = int(tight[len(tight) // 2])
            moved = steps.copy()
            moved[block] -= 1
            starts = {**own.starts, (place, name): moved}
            found = planted(own, "", starts=starts).hazards()
            image, of_image = divmod(block, layer.blocks)
            assert any(
                (each.layer, each.image, each.block) == (layer.layer.name, image, of_image)
                for each in found
            )
            seen += 1
    assert seen >= len(SMALL)


@pytest.mark.parametrize(("kind", "numbers"), [("without gap", GATHERED), ("longer", SMALL)])
def test_what_is_planted_is_seen(kind: str, numbers: tuple[int, ...]) -> None:
    rng, seen = random.Random(kind), 0
    for number in numbers:
        fault = FAULTS[kind](design(number), rng)
        if fault is not None:
            assert fault.hazards(), fault.what
            seen += 1
    assert seen > 2


def test_a_ring_without_room_is_seen() -> None:
    """Each ring has a size below which pixels are overwritten before they are read."""
    own = design(ONE)
    for place, region in enumerate(own.chip.regions):
        regions = list(own.chip.regions)
        regions[place] = replace(region, words=1)
        chip = replace(own.chip, regions=tuple(regions))
        if region.words > 2:
            found = sentences(planted(own, "", chip=chip).hazards())
            assert "is not there any more" in found


def test_a_delay_is_seen_from_a_clock_on() -> None:
    """A store that its readers wait for has the rest of its steps, and not a clock more."""
    own = design(TWO)
    key = next(one for one in own.starts if one[1] == "mvm")
    room = slack(own, key)
    assert room is not None and room < own.chip.step_clocks
    assert planted(own, "", delays={key: room}).hazards() == []
    assert planted(own, "", delays={key: room + 1}).hazards() != []


@dataclass(frozen=True, kw_only=True)
class Slow(Rates):
    """A pooling of one channel a clock, whatever its step."""

    def pool_lanes(
        self, pixels: int, taps: int, shares: Sequence[int], clocks: int, most: int
    ) -> int:
        return 1


def walked(own: Drawn, **more: object) -> str:
    given = {"images": own.images, "interval": own.chip.interval} | more
    return sentences(walk(own.chip, own.starts, **given))  # type: ignore[arg-type]


def test_a_pooling_that_is_not_through_is_seen() -> None:
    assert "activation of block 0 of image 0" in walked(design(POOLED), rates=Slow())


def test_images_that_come_too_soon_are_seen() -> None:
    own = design(TWO)
    assert "which enters before the last block of image" in walked(own, interval=1)


def test_a_gatherer_that_needs_a_free_clock_is_seen() -> None:
    """Behind a packet that ends in another word; the gatherer of the chip needs none."""
    for number in SPILLS:
        found = walked(design(number), rates=Rates(gather_gap=1))
        assert "behind which the next packet comes at once" in found
        assert walked(design(number)) == ""


def test_words_that_a_slow_port_does_not_take_are_seen() -> None:
    own = design(POOLED)
    own = replace(own, chip=replace(own.chip, access_clocks=100))
    assert "a word that comes has no room" in walked(own)


def test_converters_of_two_layers_at_a_time_are_seen() -> None:
    own = design(PARTNERS)
    layer = next(one for one in own.chip.layers if one.partner is not None)
    moved = own.starts[layer.place, "adc"].copy()
    moved[0] = own.starts[layer.partner or 0, "adc"][0]
    found = planted(own, "", starts={**own.starts, (layer.place, "adc"): moved}).hazards()
    assert "has the ADCs, has no room" in sentences(found)


def test_a_block_without_a_pixel_is_seen() -> None:
    own = design(TWO)
    layers = list(own.chip.layers)
    place = next(one.place for one in layers if one.copies == 1 and one.blocks > 1)
    layers[place] = replace(layers[place], copies=2)
    stage = Stage(replace(own.chip, layers=tuple(layers)), own.starts, own.images)
    assert stage.pixels(place).min() == 0
    last = (
        np.full(own.images, layers[place].blocks - 1) + np.arange(own.images) * layers[place].blocks
    )
    assert (stage.pixels(place)[last] == 0).all()
    check_pixels(stage, layers[place])
    found = [(each.image, each.block) for each in stage.found.hazards]
    blocks = range(-(-layers[place].layer.pixels // 2), layers[place].blocks)
    assert found == [(image, block) for image in range(own.images) for block in blocks]


def test_a_port_serves_the_first_of_those_that_ask() -> None:
    ports = Ports(1, 2)
    first = ports.add(0, User(rank=(0, 0), jobs=[(3, 2), (20, 1)]))
    second = ports.add(0, User(rank=(1, 0), jobs=[(2, 3)]))
    ports.run()
    assert (first.grants, second.grants) == ([4, 6, 20], [2, 8, 10])
    assert first.last == [6, 20]


def test_reads_end_with_their_words() -> None:
    """A run of 10 elements from element 6 on, of which the first two are outside, in words of 8."""
    one = np.array([0])
    reads = cut_words(
        8, blocks=1, block=one, ring=one, start=one + 6, low=one + 2, high=one + 10,
        length=one + 10, unit=one,
    )  # fmt: skip
    assert reads.count.tolist() == [2]
    assert (reads.first.tolist(), reads.last.tolist()) == ([8, 8], [7, 15])
    assert (reads.taken.tolist(), reads.length.tolist()) == ([0, 2], [2, 8])


def test_words_of_chunks() -> None:
    """12 elements from place 6 on, 4 a clock: word 0 with the first, word 2 behind word 1."""
    own = design(ONE)
    chip = replace(own.chip, word_bits=8 * own.chip.activation_bits)
    stage = Stage(chip, own.starts, 1)
    begin, count, clock = np.array([6]), np.array([12]), np.array([[100]])
    words = pack(stage, begin, count, first=clock, chunk=4, latency=1)
    assert words.written.tolist() == [[101, 103, 103 + RATES.spill]]
    words = pack(stage, begin, np.array([0]), first=clock, chunk=4, latency=1)
    assert words.begun.tolist() == [[NEVER]]


def test_poolings_read_tap_by_tap() -> None:
    """Against the walk said in loops: pixel, map, channels, tap."""
    own = design(POOLED)
    layer = next(one for one in own.chip.layers if one.layer.kind == "pool")
    shares, lanes, word = own.chip.shares_of(layer.place), 3, 8
    counts = shares if len(shares) > 1 else (layer.layer.out_channels,)
    rows, columns = layer.layer.kernels
    clock, first, last, sums = 0, {}, {}, []
    for pixel in range(layer.copies):
        base = pixel * rows * columns * sum(shares)
        for number, count in enumerate(counts):
            for channel in range(0, count, lanes):
                for tap in range(rows * columns):
                    row, column = divmod(tap, columns)
                    at = base + row * columns * sum(shares) + columns * sum(shares[:number])
                    at += column * shares[number] + channel
                    for element in range(at, at + min(lanes, shares[number] - channel)):
                        first.setdefault(element // word, clock)
                        last[element // word] = clock
                    clock += 1
                sums += [clock - 1] * min(lanes, count - channel)
    found = pool_walk(layer, shares, lanes, word)
    assert [int(found[0][at]) for at in sorted(first)] == [first[at] for at in sorted(first)]
    assert [int(found[1][at]) for at in sorted(last)] == [last[at] for at in sorted(last)]
    assert found[2].tolist() == sums


def test_a_run_goes_on_where_it_stopped(tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    assert walk_designs(2, 1, tmp_path) in (0, 1)
    before = (tmp_path / STATE).read_text()
    assert walk_designs(3, 1, tmp_path) in (0, 1)
    after = (tmp_path / STATE).read_text()
    assert after.startswith(before) and len(after.splitlines()) == 3
    assert "3 designs of seed 1" in capsys.readouterr().out
