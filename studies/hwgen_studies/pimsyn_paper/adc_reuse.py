"""What it costs and saves that two convolutions share their macros, and so their ADCs.

For Fig. 5 (seed 003): an accelerator, and in it one pair of layers after the other.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hwgen.crossbar.model.allocate import counts_at, layer_work, macros_alike
from hwgen.crossbar.model.design import Design, Layout, lay_out, most_macros
from hwgen.crossbar.model.evaluate import simulate
from hwgen.crossbar.model.tables import ADC, CONV, Tables


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """One pair of convolutions with shared macros, over the same design without.

    distance: of the two, in convolutions; span: of the first and the last one
    delay: steps of an image; adcs: of the whole chip; both as ratios
    """

    distance: int
    span: int
    delay: float
    adcs: float


def reuse(tables: Tables, design: Design, memory: int, step_ns: float) -> list[Reuse]:
    """Return all pairs, judged exactly with the scratchpads and the step that the design has.

    Pairs that the design has are parted first. The power budget has no say here.
    """
    alone = parted(tables, design)
    steps, adcs = judged(tables, alone, memory, step_ns)
    layers = np.flatnonzero(tables.kind == CONV).tolist()
    found = []
    for one, other in combinations(range(len(layers)), 2):
        pair = paired(tables, alone, layers[one], layers[other])
        slower, fewer = judged(tables, pair, memory, step_ns)
        found.append(
            Reuse(
                distance=other - one,
                span=len(layers) - 1,
                delay=slower / steps,
                adcs=fewer / adcs,
            )
        )
    return found


def parted(tables: Tables, design: Design) -> Design:
    """Return a design in which every layer has macros of its own, at most as many as it may."""
    macros = design.macros.copy()
    for i, partner in enumerate(design.partner):
        if partner >= 0:
            owner = min(i, partner)
            macros[i] = min(design.macros[owner], most_macros(tables, design.copies[i], i))
    return design._replace(macros=macros, partner=np.full(len(macros), -1))


def paired(tables: Tables, design: Design, first: int, second: int) -> Design:
    """Return a design in which two layers live in the macros of the one with more of them."""
    macros, partner = design.macros.copy(), design.partner.copy()
    most = (most_macros(tables, design.copies[each], each) for each in (first, second))
    macros[first] = min(max(macros[first], macros[second]), *most)
    macros[second] = 0
    partner[first], partner[second] = second, first
    return design._replace(macros=macros, partner=partner)


def judged(tables: Tables, design: Design, memory: int, step_ns: float) -> tuple[int, float]:
    """Return the steps of an image, and the ADCs that a step of that length needs."""
    layout = lay_out(tables, design)
    times = simulate(tables, design, layout, memory, step_ns, True)
    return int(times.end), adcs_of(tables, design, layout, step_ns)


def adcs_of(tables: Tables, design: Design, layout: Layout, step_ns: float) -> float:
    """Return the least ADCs of the chip that do all conversions in a step."""
    alike, work = macros_alike(tables, design, layout), layer_work(tables, design, layout)
    counts = counts_at(tables, design, layout, alike, work, step_ns, False)
    return float(counts[:, ADC].sum())
