"""How long the port of a scratchpad takes at least, where a layer stores its results.

`hwgen.crossbar.model.traffic` is what it takes: what arrives comes first, then loads, stores and
sends, the shortest first. A choice stands for a span of copies and macros, so one operation counts
as before another only where it is so in all of the span.
"""

from typing import NamedTuple

from hwgen.chip.compiled import compiled
from hwgen.crossbar.facts.chip_plan import LAG_NS
from hwgen.crossbar.model.pipeline import steps_of
from hwgen.crossbar.model.traffic import ceil_div
from hwgen.crossbar.synthesis.company import Company
from hwgen.crossbar.synthesis.stage import Stage, travel_ns


class Port(NamedTuple):
    """Least steps of a load and a store, and of writing what is new of the image (0: none).

    store is the last operation unless results are sent; store_ns: the port's part of it
    apart: between the beginnings of two blocks
    behind: of a block through the layers that follow
    """

    load: int
    store: int
    store_ns: float
    image: int
    apart: int
    behind: int


@compiled
def words_of(stage: Stage, elements: int) -> int:
    """Return the words of a block of so many results, however it lies in them."""
    return int(max(1, ceil_div(elements - stage.align, stage.out_word) + 1))


@compiled
def least_arriving(stage: Stage, company: Company, near: bool) -> int:
    """Return the least words that arrive for a block."""
    words = 0
    if company.image > 0:
        # Any alignment: a block of pixels is in as many words as it fills, at least.
        words += max(1, ceil_div(company.image * stage.cin, stage.word))
    if not near:
        words += company.received
    return int(words)


@compiled
def before(accesses: int, most: int, own: int) -> int:
    """Return the accesses of what has `most` if that surely comes before what has `own`."""
    return accesses if most <= own else 0


@compiled
def port_of(
    stage: Stage, company: Company, copies: tuple[int, int], fewest: int, reads: int, near: bool
) -> Port:
    """Return the least of a span of copies and macros.

    fewest: macros; reads: of a load, at least; near: nothing of the neighbours' need travel
    """
    most_reads = ceil_div(copies[1], min(fewest, copies[1])) * stage.copy_reads
    words = words_of(stage, copies[0] * stage.cout)
    most_words = words_of(stage, copies[1] * stage.cout)
    away = 0 if near else 1
    stored = words * (1 + away * int(stage.sends))
    arriving = 1 + 2 * least_arriving(stage, company, near)
    load, store = arriving + reads, arriving + stored
    if most_words <= reads:
        load += stored
    if most_reads <= words:
        store += reads
    period = arriving + reads + stored
    f = company.followers
    for n in range(len(f.reads)):
        own = f.words[n] * (1 + away * f.sent[n])
        period += f.reads[n] + own
        load += before(f.reads[n], f.most_reads[n], reads) + before(own, f.most_words[n], reads)
        store += before(f.reads[n], f.most_reads[n], words) + before(own, f.most_words[n], words)
    image = steps_of(arriving * stage.access, stage.step) if company.image > 0 else 0
    store_ns = store * stage.access
    last = away == 0 or not stage.sends
    return Port(
        steps_of(load * stage.access, stage.step),
        steps_of(store_ns + (LAG_NS if last else 0.0), stage.step),
        store_ns,
        image,
        steps_of(period * stage.access, stage.step),
        behind(stage, company, arriving, away),
    )


@compiled
def behind(stage: Stage, company: Company, arriving: int, away: int) -> int:
    """Return the least steps of a block through the layers that follow.

    arriving: accesses that come first; away: 1 where results are known to leave the macro
    """
    steps = 0
    f = company.followers
    for n in range(len(f.reads)):
        sent = away * f.sent[n]
        own = f.words[n] * (1 + sent)
        load = arriving + f.reads[n] + before(own, f.most_words[n], f.reads[n])
        store = arriving + own + before(f.reads[n], f.most_reads[n], f.words[n])
        store_ns = store * stage.access
        steps += steps_of(load * stage.access, stage.step) + 1 + f.activated[n]
        steps += steps_of(store_ns + (0.0 if sent else LAG_NS), stage.step)
        if sent:
            send_ns = store_ns + travel_ns(stage, f.elements[n], 2)
            steps += steps_of(send_ns + LAG_NS, stage.step)
    return int(steps)
