"""Who is at the ports and on the links when: loads, stores, sends, and what arrives.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from hwgen.crossbar.facts.arch_fabric import Held, Region, Travel
from hwgen.crossbar.facts.chip import ChipLayer
from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.ports import tile_reads, window_reads, words_of_run
from hwgen.crossbar.facts.rules import STRICT
from verif.reference.crossbar.walk.context import Stage
from verif.reference.crossbar.walk.hazards import NEVER, Ints
from verif.reference.crossbar.walk.ports import Ports, User
from verif.reference.crossbar.walk.reads import Reads, block_reads_of, window_reads_of


class Packet(NamedTuple):
    """What goes over links once: header in which clock, on the link of its source; flits behind."""

    travel: Travel
    block: int
    header: int
    flits: int


@dataclass
class Ring:
    """What is written into a ring, in its order: up to which element, and in which clock."""

    size: int
    ends: list[int] = field(default_factory=list)
    clocks: list[int] = field(default_factory=list)

    def written(self, element: Ints) -> Ints:
        """Return the clock in which each element of the stream is written."""
        place = np.searchsorted(np.array(self.ends, np.int64), element, side="right")
        return np.append(np.array(self.clocks, np.int64), NEVER)[place]


@dataclass
class Receiver:
    """What comes of one travel in a macro; user: at its port.

    element: of the stream that comes next; valid: when each word is there
    """

    travel: Travel
    regions: list[Region]
    user: User
    element: int = 0
    valid: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


@dataclass
class Loading:
    """The loads of a layer in a macro, of one ring or of several; accesses of each user."""

    layer: ChipLayer
    held: Held
    go: Ints
    reads: list[Reads]
    users: list[User]

    def grants(self, place: int = 0) -> Ints:
        """Return the clock of each access of a user."""
        return np.array(self.users[place].grants, np.int64)


@dataclass
class Storing:
    """The stores of a layer, or its sends."""

    layer: ChipLayer
    go: Ints
    reads: Reads
    user: User

    @property
    def grants(self) -> Ints:
        """The clock of each access."""
        return np.array(self.user.grants, np.int64)


class Traffic:
    """All ports at work."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ports = Ports(len(stage.chip.macros), stage.chip.access_clocks)
        self.loads: dict[tuple[int, int], Loading] = {}
        self.stores: dict[int, Storing] = {}
        self.sends: dict[int, Storing] = {}
        self.receivers: list[tuple[int, Receiver]] = []
        self.packets: list[Packet] = []
        self._by_travel: dict[int, list[tuple[int, Receiver]]] = {}
        for macro in stage.chip.macros:
            self._receive(macro.macro)
            for place in stage.chip.layers_in(macro.macro):
                self._engine(stage.chip.layers[place], macro.macro)
        for travel in stage.chip.travels:
            if travel.kind == "image":
                self._send_images(travel)
        self.ports.run()
        self.rings = dict(self._rings())

    def ring(self, region: Region) -> Ring:
        """Return what was written into a region; nothing where nobody does."""
        size = region.words * self.stage.chip.word_elements
        return self.rings.get((region.macro, region.first_word), Ring(size))

    def _receive(self, macro: int) -> None:
        """Connect a receiver for each travel that ends in a macro."""
        chip = self.stage.chip
        node = chip.macros[macro].node
        for travel in chip.travels:
            if travel.kind not in ("image", "send"):
                continue
            if node not in travel.targets and node != travel.source:
                continue
            regions = [
                one
                for one in chip.regions
                if (one.macro, one.kind, one.provider) == (macro, "input", travel.layer)
                and one.layer in travel.readers
            ]
            if regions:
                user = self.ports.add(macro, User(rank=(-1, travel.id)))
                receiver = Receiver(travel, regions, user)
                self.receivers.append((macro, receiver))
                self._by_travel.setdefault(travel.id, []).append((macro, receiver))

    def _engine(self, layer: ChipLayer, macro: int) -> None:
        """Connect what a layer has at the port of a macro."""
        stage, rates = self.stage, self.stage.rates
        held = next(one for one in layer.held if one.macro == macro)
        go = stage.go(layer.place, "load")
        read, words = accesses(stage, layer, held)
        # Of equal numbers of accesses stores come before loads, and these before sends.
        if layer.layer.kind == "eltwise":
            channels, pixels = layer.layer.out_channels, stage.pixels(layer.place)
            reads = [block_reads_of(stage, layer.place, pixels, channels) for _ in range(2)]
            wait = rates.read_want
        else:
            reads, wait = [window_reads_of(stage, layer, held)], rates.load_want
        users = [
            self.ports.add(
                macro,
                User(
                    rank=(read, (1 << 20) + 2 * layer.place + number),
                    jobs=list(zip((go + wait).tolist(), own.count.tolist(), strict=True)),
                ),
            )
            for number, own in enumerate(reads)
        ]
        self.loads[layer.place, macro] = Loading(layer, held, go, reads, users)
        if macro != layer.merge_macro or not held.results:
            return
        size = layer.layer.out_channels * stage.each(layer.place)
        own = block_reads_of(stage, layer.place, stage.pixels(layer.place), size)
        self.stores[layer.place] = self._storing(
            layer,
            macro=macro,
            name="store",
            reads=own,
            wait=rates.store_want,
            rank=(words, layer.place),
        )
        name = layer.operations[-1].name
        if name in ("send", "result"):
            rank = words, (1 << 21) + layer.place
            one = self._storing(
                layer, macro=macro, name=name, reads=own, wait=rates.read_want, rank=rank
            )
            travel = stage.chip.travels_of(layer.place, name)[0]
            one.user.done = partial(self._leave, one, travel, macro)
            self.sends[layer.place] = one

    def _storing(
        self,
        layer: ChipLayer,
        *,
        macro: int,
        name: str,
        reads: Reads,
        wait: int,
        rank: tuple[int, int],
    ) -> Storing:
        """Connect a store or a send."""
        go = self.stage.go(layer.place, name)
        jobs = list(zip((go + wait).tolist(), reads.count.tolist(), strict=True))
        user = self.ports.add(macro, User(rank=rank, jobs=jobs))
        return Storing(layer, go, reads, user)

    def _leave(self, one: Storing, travel: Travel, macro: int, block: int, last: int) -> None:
        """Send the block whose last word is read in clock `last`."""
        stage = self.stage
        layer = one.layer
        pixels = layer.last_pixels if (block + 1) % layer.blocks == 0 else layer.copies
        size = layer.layer.out_channels * stage.each(layer.place)
        elements, word = pixels * size, stage.chip.word_elements
        image, own = divmod(block, layer.blocks)
        start = (image * layer.layer.pixels + own * layer.copies) * size
        final = (
            (start + elements - 1) % word + 1
            if start // word != (start + elements - 1) // word
            else elements
        )
        spills = (elements - final) % word + final > word
        header = last + stage.rates.send_header + (stage.rates.spill if spills else 0)
        self._travel(travel, block, header, elements, macro)

    def _travel(
        self, travel: Travel, block: int, header: int, elements: int, macro: int | None = None
    ) -> None:
        """Put a packet on its links, and hand it to all who receive it; macro: of the source."""
        stage = self.stage
        flits = -(-elements // stage.chip.flit_elements)
        self.packets.append(Packet(travel, block, header, flits))
        depth = stage.hops(travel.tree, travel.source)
        for target, receiver in self._by_travel.get(travel.id, []):
            node = stage.node(target)
            beside = travel.kind == "send" and target == macro
            there = header if beside else header + stage.rates.hop * (1 + depth[node])
            self._arrive(target, receiver, there, elements)

    def _arrive(self, macro: int, receiver: Receiver, header: int, elements: int) -> None:
        """Take a packet whose header comes in a clock; each word of it is a job at the port."""
        chip, rates = self.stage.chip, self.stage.rates
        done, last_flit = 0, -1
        while done < elements:
            room = chip.word_elements - receiver.element % chip.word_elements
            part = min(room, elements - done)
            done += part
            receiver.element += part
            flit = (done - 1) // chip.flit_elements
            clock = header + rates.flit + flit + rates.arrival
            if flit == last_flit:
                clock += rates.spill
            last_flit = flit
            receiver.valid.append(clock - 1)
            receiver.ends.append(receiver.element)
            self.ports.ask(macro, receiver.user, clock, len(receiver.regions))

    def _send_images(self, travel: Travel) -> None:
        """Send what is new of the image for each block of a layer."""
        stage, place = self.stage, travel.owner
        layer, channels = stage.chip.layers[place], stage.chip.image_channels
        go = stage.go(place, "transfer") + stage.rates.image_header
        rows, columns = stage.chip.image_sides
        if layer.layer.kind == "fc":
            ends = [rows * columns * channels]
        else:
            need = last_needed(layer.layer, STRICT)
            ends = [
                need[min(layer.layer.pixels, (block + 1) * layer.copies) - 1] * channels
                for block in range(layer.blocks)
            ]
        for block, header in enumerate(go.tolist()):
            own = block % layer.blocks
            new = ends[own] - (ends[own - 1] if own else 0)
            if new:
                self._travel(travel, block, header, new)

    def _rings(self) -> list[tuple[tuple[int, int], Ring]]:
        """Return the rings with what was written, by macro and first word."""
        found, word = [], self.stage.chip.word_elements
        for macro, receiver in self.receivers:
            many = len(receiver.regions)
            grants = receiver.user.grants
            for place, region in enumerate(receiver.regions):
                ring = Ring(region.words * word, receiver.ends, grants[place::many])
                found.append(((macro, region.first_word), ring))
        for place, one in self.stores.items():
            region = self.stage.output_of(one.layer.merge_macro, place)
            ends = (one.reads.last + 1).tolist()
            found.append(
                (
                    (region.macro, region.first_word),
                    Ring(region.words * word, ends, one.user.grants),
                )
            )
        return found


def accesses(stage: Stage, layer: ChipLayer, held: Held) -> tuple[int, int]:
    """Return the reads of a load and the words of a block of results, as they are charged."""
    chip, own = stage.chip, layer.layer
    word, elements = chip.word_elements, layer.copies * own.out_channels
    words = words_of_run(elements, own.out_channels, chip.word_bits // layer.output_bits)
    if layer.cut is None:
        if own.kind == "eltwise":
            return 2 * words_of_run(elements, own.out_channels, word), words
        return layer.copies * window_reads(own, word, chip.shares_of(layer.place)), words
    tiles = tile_reads(own, layer.cut, word, chip.shares_of(layer.place))
    copies = held.copies[1] - held.copies[0]
    return copies * sum(tiles[tile] for tile in range(*held.row_tiles)), words


def waiting_words(valid: list[int], done: list[int]) -> list[int]:
    """Return how many words wait, not written yet, when each word comes."""
    return [place - bisect_right(done, clock - 1) for place, clock in enumerate(valid)]
