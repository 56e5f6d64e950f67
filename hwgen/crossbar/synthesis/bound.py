"""What no design can beat: nodes of the design space, split until their bounds are good enough."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hwgen.crossbar.facts.point import RRAM_RATIOS
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.pipeline import make_pipeline
from hwgen.crossbar.model.tables import CLOCK, CONV, POWER, STREAM, Ints, Tables
from hwgen.crossbar.synthesis.anneal import empty_design
from hwgen.crossbar.synthesis.choices import Choices, make_choices
from hwgen.crossbar.synthesis.limits import Mixed, path_lengths
from hwgen.crossbar.synthesis.moves import join, repair
from hwgen.crossbar.synthesis.nodes import CLOCKS_LOW, COPIES_LOW, PARTNERS, Node
from hwgen.crossbar.synthesis.paths import Cut, Needs, Way, critical_cut, turn_cut, waiting, way_of
from hwgen.crossbar.synthesis.pricing import savings_of
from hwgen.crossbar.synthesis.relaxed import Relaxation, ranges_of
from hwgen.crossbar.synthesis.scratchpads import Contents

MOST_CUTS, MOST_FRESH = 60, 16
"""Paths that a node hands on, and that are added in one round."""

PER_ROUND = 20_000
"""Choices that are priced while paths are looked for."""

LEAST_EXCESS = 0.001
"""Share of all steps by which a path is exceeded if it is worth a limit."""

ALIKE = 1.05
"""Numbers of blocks closer than this are not told apart by a path of their own."""

TELLING = 3.0
"""A node is parted by choices whose spread is more than this many times the logarithm of its width.
"""

PAIRED = 6.0
"""What a pair of layers saves, as a share of the budget, tells as much as so large a spread."""

LEAST_SHARE = 0.02
"""Share of a choice or a pair in a mixture that is worth a path."""

NARROW = 1.002
"""A node whose ends are closer than this is not split any further."""

TOLD_APART = 1.5
"""A node that is narrower than this is split by its scratchpads and ratios first."""


class Split(NamedTuple):
    """Where the designs of a node are parted: by copies of a layer, or clocks of a connected one.

    Or by whether it shares macros with another layer, which is then `at`, and `row` is `PARTNERS`.

    row: of ranges, the lower end (the upper one is the next); at: the last of the lower part
    spread: of the logarithms of a mixture's choices, times the layer's share of the budget; see
        `PAIRED`
    """

    layer: int
    row: int
    at: int
    spread: float


@dataclass(frozen=True, kw_only=True)
class NodeBound:
    """The bound of one node in nJ, the paths that it rests on, and a design that it points at.

    energy: no more than the target, which is all that is asked
    split: where its designs may be parted; None: nowhere, or there is nothing of interest
    ranges: what designs below the target may be, see `hwgen.crossbar.synthesis.nodes`
    priced: choices that the relaxed problem has priced, see `Relaxation`
    """

    energy: float
    cuts: list[Cut]
    ranges: Ints
    design: Design | None
    split: Split | None
    priced: int


def design_near(tables: Tables, mixed: Mixed, *, mean: bool) -> Design:
    """Return a design near a mixture: its means, or its largest shares."""
    choices = mixed.choices
    design: Design = empty_design(len(tables.kind))
    for i in range(len(tables.kind)):
        begin, end = choices.begin[i], choices.begin[i + 1]
        if tables.crossbars[i] == 0:
            design.macros[i] = 0
            continue
        if begin == end:
            continue
        shares = mixed.shares[begin:end]
        most = begin + int(shares.argmax())
        design.macros[i] = choices.macros[most]
        design.clocks[i] = choices.clocks[most]
        design.copies[i] = choices.copies_low[most]
        if mean and tables.kind[i] == CONV:
            blocks = (shares * choices.blocks[begin:end]).sum() / shares.sum()
            design.copies[i] = -(-tables.pixels[i] // max(1, round(blocks)))
    for (i, j), share in mixed.pairs.items():
        # Two halves of a layer may both be a little more than a half.
        if share > 0.5 and design.partner[i] < 0 and design.partner[j] < 0:
            join(design, i, j)
    repair(tables, design)
    return design


def exceeded(tables: Tables, needs: Needs, mixed: Mixed) -> list[Cut]:
    """Return paths that a mixture exceeds most: of designs near it.

    The critical one; those around its pairs; and those of layers that take longer than the mean.
    """
    found: list[Cut] = []
    spans = [mixed.span(int(i)) for i in np.flatnonzero(tables.crossbars)]
    if any(span.start == span.stop for span in spans):  # no mixture of what may be
        return found
    for mean in (True, False):
        design = design_near(tables, mixed, mean=mean)
        way = way_in(tables, needs, mixed.node, design)
        found.append(critical_cut(way))
        found += around_pairs(mixed, way)
        found += of_slow_layers(tables, needs, mixed, design)
    return most_exceeded(mixed, found, MOST_FRESH, LEAST_EXCESS)


def most_exceeded(mixed: Mixed, cuts: list[Cut], count: int, least: float) -> list[Cut]:
    """Return at most so many paths that a mixture exceeds by at least so much."""
    excess = [mixed.excess_of(cut) for cut in cuts]
    order = sorted(range(len(cuts)), key=lambda n: -excess[n])
    return [cuts[n] for n in order[:count] if excess[n] > least]


def way_in(tables: Tables, needs: Needs, node: Node, design: Design) -> Way:
    """Return layout, pipeline and closed form of a design within a node."""
    layout = lay_out(tables, design)
    pipeline = make_pipeline(tables, layout, design.clocks, node.memory, node.step_high)
    return way_of(tables, needs, layout, pipeline)


def around_pairs(mixed: Mixed, way: Way) -> list[Cut]:
    """Return paths that wait while the layers of a pair convert."""
    waits = waiting(way.tables)
    return [
        mixed.condition(turn_cut(way, i, j), share)
        for (i, j), share in mixed.pairs.items()
        if share > LEAST_SHARE and waits[j, i]
    ]


def of_slow_layers(tables: Tables, needs: Needs, mixed: Mixed, design: Design) -> list[Cut]:
    """Return paths of layers with many blocks, which count where the layer has so many."""
    choices = mixed.choices
    found: list[Cut] = []
    for i in map(int, np.flatnonzero(tables.kind == CONV)):
        span = mixed.span(i)
        there = np.flatnonzero(mixed.shares[span] > LEAST_SHARE)
        blocks = choices.blocks[span][there]
        if len(there) < 2 or blocks.max() < ALIKE * blocks.min():
            continue
        other = Design(*(array.copy() for array in design))
        other.copies[i] = choices.copies_low[span][there[blocks.argmax()]]
        cut = critical_cut(way_in(tables, needs, mixed.node, other))
        if cut.leave[i] == 0:
            continue
        lengths, spared = path_lengths(tables, choices, cut)
        lengths -= spared
        lengths, shares = lengths[span], mixed.shares[span]
        for least in np.unique(lengths[there])[1:]:
            share = float(shares[lengths >= least].sum())
            found.append(mixed.condition(cut, share, one=i, least=float(least)))
    return found


def split_of(tables: Tables, mixed: Mixed) -> Split | None:
    """Return where the power of a mixture's choices differs most; None: nothing is to be parted."""
    best = split_of_pairs(tables, mixed)
    for i in map(int, np.flatnonzero(tables.crossbars)):
        span, choices = mixed.span(i), mixed.choices
        if span.start == span.stop:
            continue
        row, numbers = COPIES_LOW, choices.copies_low[span]
        if tables.kind[i] != CONV:
            row, numbers = CLOCKS_LOW, choices.clocks[span]
        if numbers.min() == numbers.max():
            continue
        shares, logs = mixed.shares[span] / mixed.shares[span].sum(), np.log(numbers)
        mean = shares @ logs
        spread = float(np.sqrt(shares @ (logs - mean) ** 2) * (shares @ choices.power[span]))
        spread /= tables.scalars[POWER]
        if best is None or spread > best.spread:
            at = min(max(int(np.exp(mean)), numbers.min()), numbers.max() - 1)
            best = Split(i, row, int(at), spread)
    return best


def split_of_pairs(tables: Tables, mixed: Mixed) -> Split | None:
    """Return the pair that saves most, as far as it is no whole pair; None: there is none."""
    best = None
    saving = savings_of(tables, mixed.node).conversion_peak / tables.scalars[POWER]
    for (i, j), share in mixed.pairs.items():
        spread = float(PAIRED * (1 - share) * mixed.common[i, j] * saving)
        if share < 1 - LEAST_SHARE and (best is None or spread > best.spread):
            best = Split(i, PARTNERS, j, spread)
    return best


def bound_node(
    tables: Tables,
    contents: Contents,
    needs: Needs,
    node: Node,
    target: float,
    *,
    cuts: list[Cut],
    ranges: Ints,
) -> NodeBound:
    """Return the bound of a node; it begins with the paths and ranges of the node around it.

    target: nJ above which nothing is of interest, and nothing was for the node around it
    """
    choices = make_choices(tables, contents, node, ranges)
    if tables.scalars[STREAM] > 0:
        choices = in_pace(choices, node)
    for i in range(len(tables.kind)):
        if tables.crossbars[i] > 0 and choices.begin[i] == choices.begin[i + 1]:
            return above(target, ranges, 0)
    relaxation = Relaxation(tables, node, choices, target, ranges)
    own = list(cuts)
    for cut in own:
        relaxation.add_path(cut)
    for _ in range(rounds_of(node)):
        if relaxation.solve() or tables.scalars[STREAM] > 0:
            break
        fresh = exceeded(tables, needs, relaxation.mixed)
        relaxation.priced += PER_ROUND
        if not fresh:
            break
        for cut in fresh:
            relaxation.add_path(cut)
        own += fresh
    else:
        relaxation.solve()
    priced = relaxation.priced
    if relaxation.bound >= target:
        return above(target, ranges, priced)
    return NodeBound(
        energy=relaxation.bound,
        ranges=ranges_of(choices, relaxation.kept, ranges),
        cuts=most_exceeded(relaxation.mixed, own, MOST_CUTS, -LEAST_EXCESS),
        design=design_near(tables, relaxation.mixed, mean=True),
        split=split_of(tables, relaxation.mixed),
        priced=priced,
    )


def in_pace(choices: Choices, node: Node) -> Choices:
    """Return the choices of layers that keep pace with the stream of a node."""
    per_block = np.minimum(choices.per_block, choices.near_per_block)
    kept = choices.blocks * per_block <= node.steps_high
    before = np.append(0, np.cumsum(kept))
    rows = {name: getattr(choices, name)[kept] for name in Choices._fields if name != "begin"}
    return Choices(begin=before[choices.begin], **rows)


def above(target: float, ranges: Ints, priced: int) -> NodeBound:
    """Return the bound of a node in which nothing is of interest."""
    return NodeBound(energy=target, cuts=[], ranges=ranges, design=None, split=None, priced=priced)


def rounds_of(node: Node) -> int:
    """Return how often paths are added: in a wide node they matter less."""
    width = width_of(node)
    return 6 if width < 1.06 else 2 if width < 1.3 else 1


def width_of(node: Node) -> float:
    """Return the ratio of the ends of a node along its longer side."""
    return max(node.steps_high / node.steps_low, node.step_high / node.step_low)


WIDE = 1.6
"""A node that is wider than this is too large for a relaxed problem to say much."""


def is_wide(node: Node) -> bool:
    """Return whether a node should be split before anything but `scan` looks at it."""
    return width_of(node) > WIDE


def grain_of(tables: Tables) -> float:
    """Return what the length of a step is a multiple of; 0: it may have any."""
    return float(tables.scalars[CLOCK]) if tables.rules.whole_clocks else 0.0


def parted(low: float, high: float, *, grain: float) -> tuple[float, float]:
    """Return where the lower part of an interval ends, and where the upper one begins.

    grain: only multiples of it count, so nothing is between the two; 0: every number does
    """
    middle = float(np.sqrt(low * high))
    if grain == 0:
        return middle, middle
    below = float(np.floor(middle / grain)) * grain
    return max(low, below), min(high, below + grain)


def parts(
    node: Node, ranges: Ints, split: Split | None, *, grain: float
) -> list[tuple[Node, Ints]]:
    """Return the parts of a node with their ranges; none if its designs are not told apart.

    It is parted by what its designs are where they differ by much, or it is narrow; see `halves`.
    """
    found = halves(node, grain=grain)
    if split is None or (found and split.spread < TELLING * np.log(width_of(node))):
        return [(half, ranges) for half in found]
    below, beyond = ranges.copy(), ranges.copy()
    if split.row == PARTNERS:
        i, j = split.layer, split.at
        for one, other in ((i, j), (j, i)):
            below[PARTNERS + one, other] = 0
            beyond[PARTNERS + one] = beyond[PARTNERS:, one] = 0
        beyond[PARTNERS + i, j] = beyond[PARTNERS + j, i] = 1
        return [(node, below), (node, beyond)]
    below[split.row + 1, split.layer] = min(below[split.row + 1, split.layer], split.at)
    beyond[split.row, split.layer] = max(beyond[split.row, split.layer], split.at + 1)
    return [(node, below), (node, beyond)]


def halves(node: Node, *, grain: float) -> list[Node]:
    """Return the two parts of a node; none if it is narrow.

    It is split by its scratchpads, then by its ratios, then along its longer side.
    grain: what the length of a step is a multiple of, as an image is of whole steps; 0: any
    """
    steps = node.steps_high / node.steps_low
    step = node.step_high / node.step_low
    if max(steps, step) < TOLD_APART:
        if node.memory < node.most_memory:
            half = (node.memory + node.most_memory) // 2
            return [node._replace(most_memory=half), node._replace(memory=half + 1)]
        ratios = [each for each in RRAM_RATIOS if node.ratio_low <= each <= node.ratio_high]
        if len(ratios) > 1:
            half = len(ratios) // 2
            below, above = ratios[half - 1 : half + 1]
            return [node._replace(ratio_low=above), node._replace(ratio_high=below)]
    if max(steps, step) < NARROW:
        return []
    if steps >= step:
        end, begin = parted(node.steps_low, node.steps_high, grain=1.0)
        return [node._replace(steps_high=end), node._replace(steps_low=begin)]
    end, begin = parted(node.step_low, node.step_high, grain=grain)
    return [node._replace(step_high=end), node._replace(step_low=begin)]
