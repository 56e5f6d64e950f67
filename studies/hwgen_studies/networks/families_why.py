"""Why a chip is the best one for a network: sentences that follow from the figures of its rows.

Tests: `studies/tests/networks/test_three_families.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from hwgen_studies.networks.families_report import Found, HomeRow

GROUPS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "dbpim": {
        "cells compute": ("busy",),
        "cells are idle though their macro works": (
            *("inactive_positions", "empty_slots", "absent_filters"),
        ),
        "SIMD units compute layers without weights and depthwise ones": ("simd",),
        "it waits for weights or the memory port": ("load", "row_write", "write_bus", "port"),
        "parts wait for each other": ("switch", "queue", "output", "imbalance", "pipeline"),
        "maps and images move": ("image", "spill", "store", "end"),
    },
    "mram": {
        "sub-arrays AND bit planes": ("and",),
        "inputs are written in sub-arrays": ("input", "window"),
        "sums leave sub-arrays": ("sums",),
        "maps are pooled or added": ("pool", "add"),
        "steps begin and end": ("pipeline", "end"),
        "images and answers move": ("image", "answer"),
    },
}
"""Causes of cycles by what a reader knows of a family; a cause without a group has its own name."""
NAMES: Mapping[str, str] = {
    "adc": "ADCs",
    "and": "ANDs",
    "count_shift": "counters and shifts",
    "ppu": "the post-processing of macros",
    "loading": "writing weights",
    "network_on_chip": "the network on chip",
    "waiting": "logic that waits",
    "trees": "adder trees",
    "dac": "DACs",
    "input": "rows of inputs",
    "crossbar": "crossbars",
    "simd": "SIMD units",
}
Key = Callable[[Found], float]


def reasons(rows: Sequence[HomeRow]) -> Iterator[str]:
    """Yield sentences: the best chip by time, energy, and time for an area, and why."""
    compared = [row for row in rows if row.mode is None]
    yield by_time(compared)
    yield by_energy(compared)
    yield by_area(compared)
    yield from at_the_files_clock(compared)
    yield from with_enables(compared)
    yield from of_modes(rows, compared)


def by_time(rows: Sequence[HomeRow]) -> str:
    """Return which chip is the fastest, and where its cycles go and those of other families."""
    first, *others = of_families(rows, lambda found: found.time_us)
    told = [f"Fastest: {named(first)}, {first.found.time_us:,.1f} us: {where_of(first)}."]
    for row in others:
        times = row.found.time_us / first.found.time_us
        told.append(f"{begun(row)} takes {times:.2f} times as long: {where_of(row)}.")
    return " ".join(told)


def by_energy(rows: Sequence[HomeRow]) -> str:
    """Return which chip takes the least energy, and what takes it and that of other families."""
    first, *others = of_families(rows, lambda found: found.whole_uj)
    told = [f"Least energy: {named(first)}, {first.found.whole_uj:,.1f} uJ: {energy_of(first)}."]
    for row in others:
        times = row.found.whole_uj / first.found.whole_uj
        told.append(f"{begun(row)} takes {times:.2f} times as much: {energy_of(row)}.")
    return " ".join(told)


def by_area(rows: Sequence[HomeRow]) -> str:
    """Return which chip is the fastest of those that fill the same area."""
    first, second, *_ = of_families(rows, lambda found: found.us_mm2)
    times = second.found.us_mm2 / first.found.us_mm2
    return (
        f"Fastest for its area: {named(first)} with {first.found.area_mm2:,.1f} mm2;"
        f" {named(second)}, of {second.found.area_mm2:,.1f} mm2, takes {times:.2f} times the time"
        " of copies of it that fill the same area."
    )


def at_the_files_clock(rows: Sequence[HomeRow]) -> Iterator[str]:
    """Yield what changes if crossbar chips had the clock that their files name."""
    first, *_ = of_families(rows, lambda found: found.time_us)
    for row in rows:
        if row.found.clock != "netlist of another chip":
            continue
        faster = row is not first and row.found.file_us < first.found.time_us
        what = "it would be the fastest" if faster else "the order of the first stays"
        yield (
            f"With a netlist of {row.found.cycles / row.found.file_us:,.0f} MHz, as its file says,"
            f" {named(row)} would take {row.found.file_us:,.1f} us: {what}."
        )


def of_modes(rows: Sequence[HomeRow], compared: Sequence[HomeRow]) -> Iterator[str]:
    """Yield what a narrower mode of a network takes beside the fastest chip."""
    first, *_ = of_families(compared, lambda found: found.time_us)
    for row in rows:
        if row.mode is not None:
            times = first.found.time_us / row.found.time_us
            accuracy = "" if row.accuracy is None else f", and {row.accuracy:.2%} are right"
            yield (
                f"Not compared: {named(row)} in its mode {row.mode} takes {row.found.time_us:,.1f}"
                f" us, {times:.2f} times as fast as {named(first)}{accuracy}."
            )


def with_enables(rows: Sequence[HomeRow]) -> Iterator[str]:
    """Yield what an mram chip would take if it sensed no more segments than it needs."""
    first, *_ = of_families(rows, lambda found: found.whole_uj)
    for row in rows:
        gated = row.found.gated_uj
        if gated is None:
            continue
        less = row is first or gated < first.found.whole_uj
        what = "the least energy" if less else "not the least energy"
        yield (
            f"With an enable for each segment of sense amplifiers, which the Verilog does not have,"
            f" {named(row)} would take {gated:,.1f} uJ, not {row.found.whole_uj:,.1f}: {what}."
        )


def of_families(rows: Sequence[HomeRow], key: Key) -> list[HomeRow]:
    """Return the best row of each family, the best one first."""
    ordered = sorted(rows, key=lambda row: key(row.found))
    families = dict.fromkeys(row.family for row in ordered)
    return [next(row for row in ordered if row.family == family) for family in families]


def named(row: HomeRow) -> str:
    """Return the name of a chip in a sentence."""
    return "the crossbar chip" if row.family == "crossbar" else f"`{row.chip}`"


def begun(row: HomeRow) -> str:
    """Return the name of a chip at the beginning of a sentence."""
    name = named(row)
    return name[0].upper() + name[1:]


def share_of(share: float) -> str:
    """Return a share in percent; a small one is not rounded to none."""
    return f"{share:.0%}" if share == 0 or share >= 0.01 else "under 1%"


def where_of(row: HomeRow) -> str:
    """Return the two largest groups of causes in words, of a crossbar chip what its ADCs do."""
    found = row.found
    if row.family == "crossbar":
        used = (
            "" if found.utilization is None else f", those of all layers in {found.utilization:.0%}"
        )
        return (
            f"its busiest ADCs, of {found.layer}, convert in {share_of(found.layer_share)} of the"
            f" steps{used} on average"
        )
    grouped = dict.fromkeys(GROUPS[row.family], 0.0)
    of_cause = {each: name for name, causes in GROUPS[row.family].items() for each in causes}
    for cause, share in found.where.items():
        name = of_cause.get(cause, cause)
        grouped[name] = grouped.get(name, 0.0) + share
    ordered = sorted(grouped.items(), key=lambda each: -each[1])[:2]
    told = (f"in {share_of(share)} {name}" for name, share in ordered)
    return f"of its cycles, {' and '.join(told)}"


def energy_of(row: HomeRow) -> str:
    """Return what share is the memory outside, and the two largest parts of that on the chip."""
    found = row.found
    outside = found.energy.outside.uj / found.whole_uj
    parts = sorted(found.energy_shares.items(), key=lambda each: -each[1])[:2]
    told = " and ".join(
        f"{NAMES.get(name, name.replace('_', ' '))} {share_of(share)}" for name, share in parts
    )
    loads = ", from which it loads the network with each image" if found.loading.every_image else ""
    return f"{share_of(outside)} is the memory outside{loads}, and of the energy on the chip {told}"
