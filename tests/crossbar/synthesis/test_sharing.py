"""Who follows a layer, and what of the image arrives at least, against plain definitions."""

from itertools import chain

import numpy as np
import pytest

from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.tables import CONV, Tables
from hwgen.crossbar.model.traffic import block_words, image_pixels
from hwgen.crossbar.synthesis.nodes import fewest_copies
from hwgen.crossbar.synthesis.pace import layer_in, words_of
from hwgen.crossbar.synthesis.sharing import (
    followed,
    followers_of,
    least_image,
    least_received,
    most_blocks,
)
from tests.crossbar.synthesis.judged import small
from tests.crossbar.synthesis.rows import weighted


def plain_leader(tables: Tables, f: int) -> int:
    """The layer with weights that every path through layer f comes from, and only through f."""
    readers: dict[int, list[int]] = {}
    providers: dict[int, list[int]] = {}
    for i in range(len(tables.kind)):
        edges = range(tables.provider_start[i], tables.provider_start[i + 1])
        providers[i] = [int(tables.provider[e]) for e in edges]
        for p in providers[i]:
            readers.setdefault(p, []).append(i)
    at = f
    while tables.crossbars[at] == 0:
        if len(providers[at]) != 1 or readers[providers[at][0]] != [at]:
            return -1
        at = providers[at][0]
    return at


def test_who_follows_whom() -> None:
    found = alone = 0
    for given in small(STRICT, range(60)):
        tables = given.tables
        for f in range(len(tables.kind)):
            if tables.crossbars[f] == 0:
                assert followed(tables, f) == plain_leader(tables, f)
                found += followed(tables, f) >= 0
                alone += followed(tables, f) < 0
            else:
                assert followed(tables, f) == -1
    assert found > 5 and alone > 5


def test_followers_ask_for_what_they_take() -> None:
    """With the copies of the design itself, least and most are what it takes.

    The last seed has a pooling of few pixels, and one behind it of more.
    """
    seen = 0
    for given in chain(small(STRICT, range(60)), small(STRICT, range(6661, 6662))):
        tables, layout = given.tables, given.layout
        for i in weighted(tables):
            copies = int(layout.copies[i])
            own = followers_of(tables, i, copies, copies)
            wide = followers_of(tables, i, max(1, copies - 2), copies + 2)
            those = [f for f in range(len(tables.kind)) if followed(tables, f) == i]
            assert len(own.reads) == len(those)
            for n, f in enumerate(those):
                words = block_words(tables, f, int(layout.copies[f]))
                assert own.words[n] == own.most_words[n] == words
                assert wide.words[n] <= words <= wide.most_words[n]
                assert wide.reads[n] <= own.reads[n] <= wide.most_reads[n]
                assert own.elements[n] == layout.copies[f] * tables.cout[f]
                seen += 1
    assert seen > 5


def test_least_image_of_a_span() -> None:
    seen = 0
    for given in small(STRICT, range(30)):
        tables = given.tables
        for i in weighted(tables):
            if tables.image[i] == 0 or tables.kind[i] != CONV:
                assert least_image(tables, i, 1, 3) in (0, 1)
                continue
            new = [image_pixels(tables, i, copies) for copies in range(1, tables.pixels[i] + 1)]
            upto = len(new)
            assert least_image(tables, i, 1, upto) == min(new)
            seen += 1
            for copies in range(1, upto):
                assert least_image(tables, i, copies, copies + 1) == min(
                    new[copies - 1 : copies + 1]
                )
    assert seen > 0


def test_received_words_and_blocks_of_a_node() -> None:
    for given in small(STRICT, range(30)):
        tables, node = given.tables, given.node(0.3)
        blocks = most_blocks(tables, node)
        assert (given.layout.blocks <= blocks).all()
        for i in weighted(tables):
            assert given.layout.copies[i] >= fewest_copies(tables, i, node.steps_high)
            edges = range(tables.provider_start[i], tables.provider_start[i + 1])
            words = [
                block_words(
                    tables, tables.provider[e], int(given.layout.copies[tables.provider[e]])
                )
                for e in edges
            ]
            assert least_received(tables, i, blocks) <= np.sum(words)


@pytest.mark.promise("no design beats the bound of a node that holds it")
def test_words_that_a_layer_stores() -> None:
    """Raw answers have fewer elements in a word than maps; a bound counts them as a design does."""
    raw = 0
    for given in small(STRICT, range(20, 40)):
        tables = given.tables
        for i in weighted(tables):
            layer = layer_in(tables, i, given.node(0.02))
            for copies in {1, 2, int(given.layout.copies[i])}:
                elements = copies * int(tables.cout[i])
                assert words_of(layer, elements) == block_words(tables, i, copies), given.name
            raw += int(tables.out_word[i] < tables.word)
    assert raw > 1
