"""Random changes of a design: copies, macros, sharing, clocks of fully connected layers.

Copies matter through the number of blocks alone, so moves choose blocks and take the fewest copies
that give them.
"""

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.design import Design, most_macros
from hwgen.crossbar.model.tables import CONV, FC, Ints, Tables
from hwgen.crossbar.model.traffic import ceil_div

MOST_CLOCKS = 4096

NARROWEST, WIDEST = 0.01, 0.25
"""Share of a number by which one change of it is at most off, drawn for each design that a climb
looks at."""

TWICE = 0.3
"""Share of the designs of a climb that are two changes away."""

NEXT_COPY = 0.3
"""Share of the changes of a convolution that go to the next number of copies."""


@compiled
def copy_design(source: Design, target: Design) -> None:
    """Write one design over another."""
    target.copies[:] = source.copies
    target.macros[:] = source.macros
    target.partner[:] = source.partner
    target.clocks[:] = source.clocks


@compiled
def macro_limit(tables: Tables, design: Design, owner: int) -> int:
    """Return the most macros that the layers which live together may have (rule c)."""
    limit = most_macros(tables, design.copies[owner], owner)
    partner = design.partner[owner]
    if partner >= 0:
        limit = min(limit, most_macros(tables, design.copies[partner], partner))
    return int(limit)


@compiled
def repair(tables: Tables, design: Design) -> None:
    """Bring macros within their limits."""
    for i in range(len(tables.kind)):
        if tables.crossbars[i] == 0:
            continue
        if 0 <= design.partner[i] < i:
            design.macros[i] = 0
        else:
            limit = macro_limit(tables, design, i)
            design.macros[i] = max(1, min(design.macros[i], limit))


@compiled
def set_blocks(tables: Tables, design: Design, i: int, blocks: int) -> None:
    """Give a convolution as many copies as `blocks` computation blocks need."""
    blocks = max(1, min(blocks, tables.pixels[i]))
    design.copies[i] = ceil_div(tables.pixels[i], blocks)


@compiled
def step_copies(tables: Tables, design: Design, i: int) -> None:
    """Go to the next number of copies that changes the blocks, up or down.

    From few copies that is far in blocks: 2 copies have half as many as 1.
    """
    blocks = ceil_div(tables.pixels[i], design.copies[i])
    if np.random.random() < 0.5:
        copies = design.copies[i] + 1
        while copies < tables.pixels[i] and ceil_div(tables.pixels[i], copies) == blocks:
            copies += 1
        design.copies[i] = min(copies, tables.pixels[i])
    else:
        # The most copies with more blocks have the fewest of these; `set_blocks` takes the fewest
        # copies that do.
        copies = max(1, design.copies[i] - 1)
        while copies > 1 and ceil_div(tables.pixels[i], copies) == blocks:
            copies -= 1
        set_blocks(tables, design, i, ceil_div(tables.pixels[i], copies))


@compiled
def around(value: int, spread: float) -> int:
    """Return a whole number near `value`, never the same: one off, or a share of it."""
    reach = max(1, int(value * spread))
    step = np.random.randint(1, reach + 1)
    return value + (step if np.random.random() < 0.5 else -step)


@compiled
def rescale(tables: Tables, design: Design, factor: float) -> None:
    """Multiply the blocks of all convolutions."""
    for i in range(len(tables.kind)):
        if tables.kind[i] == CONV:
            blocks = ceil_div(tables.pixels[i], design.copies[i])
            set_blocks(tables, design, i, int(np.ceil(blocks * factor)))


@compiled
def join(design: Design, a: int, b: int) -> None:
    """Let two layers share the macros of both."""
    first, second = min(a, b), max(a, b)
    design.partner[first] = second
    design.partner[second] = first
    design.macros[first] = max(design.macros[first], design.macros[second])
    design.macros[second] = 0


@compiled
def part(design: Design, a: int) -> None:
    """Give a layer and its partner macros of their own."""
    b = design.partner[a]
    first, second = min(a, b), max(a, b)
    design.partner[first] = design.partner[second] = -1
    design.macros[second] = design.macros[first]


@compiled
def change(tables: Tables, design: Design, weighted: Ints, spread: float, sharing: bool) -> None:
    """Change a design at random; `weighted`: the layers with weights."""
    dice = np.random.random()
    i = weighted[np.random.randint(0, len(weighted))]
    if dice < 0.08:
        rescale(tables, design, 1 + spread * (2 * np.random.random() - 1))
    elif dice < 0.25 and sharing and len(weighted) > 1:
        reshare(design, weighted, i)
    elif dice < 0.5 or (tables.kind[i] == FC and not tables.rules.used_columns):
        owner = i if not 0 <= design.partner[i] < i else design.partner[i]
        design.macros[owner] = max(1, around(design.macros[owner], spread))
    elif tables.kind[i] == FC:
        design.clocks[i] = min(MOST_CLOCKS, max(1, around(design.clocks[i], spread)))
    elif np.random.random() < NEXT_COPY:
        step_copies(tables, design, i)
    else:
        blocks = ceil_div(tables.pixels[i], design.copies[i])
        set_blocks(tables, design, i, around(blocks, spread))
        if np.random.random() < 0.3:
            other = weighted[np.random.randint(0, len(weighted))]
            if tables.kind[other] == CONV:
                blocks = ceil_div(tables.pixels[other], design.copies[other])
                set_blocks(tables, design, other, around(blocks, spread))
    repair(tables, design)


@compiled
def reshare(design: Design, weighted: Ints, i: int) -> None:
    """Part a pair, or join two layers; partners that they had stay alone, or join each other."""
    other = weighted[np.random.randint(0, len(weighted))]
    left, right = design.partner[i], design.partner[other]
    if left >= 0:
        part(design, i)
        if np.random.random() < 0.3:
            return
    if other in (i, left):
        return
    if right >= 0:
        part(design, other)
    join(design, i, other)
    if left >= 0 and right >= 0:
        join(design, left, right)


@compiled
def begin_drawing(seed: int) -> None:
    """Let all that is drawn here follow from a seed."""
    np.random.seed(seed)


@compiled
def change_near(
    tables: Tables, now: Design, trial: Design, weighted: Ints, heat: float, sharing: bool
) -> None:
    """Write a design over another, changed at random: the more the hotter, from 0 to 1."""
    copy_design(now, trial)
    spread = 0.02 + 0.3 * np.random.random() * np.sqrt(heat)
    change(tables, trial, weighted, spread, sharing)


@compiled
def look_around(tables: Tables, best: Design, trial: Design, weighted: Ints, sharing: bool) -> int:
    """Write a design over another, one or two changes away; return 1 for smaller scratchpads."""
    copy_design(best, trial)
    spread = NARROWEST + (WIDEST - NARROWEST) * np.random.random() ** 2
    change(tables, trial, weighted, spread, sharing)
    if np.random.random() < TWICE:
        change(tables, trial, weighted, spread, sharing)
    return np.random.randint(0, 2)
