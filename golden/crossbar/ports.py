"""What the one port of each scratchpad makes of loads, stores and sends, in accesses.

What arrives comes first, then all others, the shortest first; each begins once in a period.
"""

from golden.crossbar.case import Case
from golden.crossbar.results import reader_macros
from hwgen.crossbar.facts.holdings import holdings_of
from hwgen.crossbar.facts.layout import most_arriving
from hwgen.crossbar.facts.ports import tile_reads, window_reads, words_of_run


def word_of(case: Case) -> int:
    """Return the elements of a word."""
    return max(1, case.components.scratchpads.bus_bits // case.components.activation_bits)


def words_of(case: Case, place: int, copies: int) -> int:
    """Return the words of the results of some copies."""
    channels = case.network.layers[place].out_channels
    return words_of_run(copies * channels, channels, word_of(case))


def reads_of(case: Case, place: int) -> list[int]:
    """Return the reads of each macro of a layer for a block."""
    layer, placed, word = case.network.layers[place], case.plan.layers[place], word_of(case)
    if layer.kind == "pool":
        return [placed.copies * window_reads(layer, word)]
    if layer.kind == "eltwise":
        return [
            sum(
                words_of(case, place, 1 if case.network.layers[p].pixels == 1 else placed.copies)
                for p in layer.providers
            )
        ]
    tiles = tile_reads(layer, case.cut(place), word)
    return [
        len(one.copies) * sum(tiles[tile] for tile in one.row_tiles)
        for one in holdings_of(case.cut(place), placed.copies, placed.macros)
    ]


def all_reads(case: Case, place: int) -> int:
    """Return the reads of all macros of a layer for a block."""
    layer, placed = case.network.layers[place], case.plan.layers[place]
    if layer.has_weights:
        return placed.copies * sum(tile_reads(layer, case.cut(place), word_of(case)))
    return reads_of(case, place)[0]


def is_remote(case: Case, provider: int, reader: int) -> bool:
    """Return whether blocks of a provider are sent to a reader: it is not in that macro alone."""
    return set(case.plan.layers[reader].macros) != {case.plan.layers[provider].merge_macro}


def sends(case: Case, place: int) -> bool:
    """Return whether a layer sends its blocks."""
    here = {case.plan.layers[place].merge_macro}
    return case.strict and bool(set(reader_macros(case.network, case.plan, place)) - here)


def received(case: Case, macro: int) -> int:
    """Return the words that arrive in a macro: blocks of providers, and gathered results."""
    words = 0
    for place, placed in enumerate(case.plan.layers):
        if case.reads_image(place) and macro in placed.macros:
            layer = case.network.layers[place]
            run = most_arriving(layer, placed.copies) * layer.in_channels
            words += words_of_run(run, layer.in_channels, word_of(case))
        if macro in placed.macros:
            for provider in case.network.layers[place].providers:
                if is_remote(case, provider, place):
                    words += words_of(case, provider, case.plan.layers[provider].copies)
        gathers = case.network.layers[place].has_weights
        if gathers and macro == placed.merge_macro:
            for source, copies in case.results(place).items():
                if source != macro:
                    words += words_of(case, place, copies)
    return words


def port_times(case: Case) -> list[dict[str, int]]:
    """Return `load`, `store` and `send` of each layer, and their periods, in its slowest macro.

    Of a layer that reads the image also `transfer`, in which pixels of it are written.
    """
    found: list[dict[str, int]] = [{} for _ in case.plan.layers]
    for macro in range(case.plan.macros):
        engines = []
        for place, placed in enumerate(case.plan.layers):
            words = words_of(case, place, placed.copies)
            if macro in placed.macros:
                if case.reads_image(place):
                    waits = 1 + 2 * received(case, macro)
                    found[place]["transfer"] = max(found[place].get("transfer", 0), waits)
                engines.append((max(reads_of(case, place)), place, "load"))
            if macro == placed.merge_macro:
                engines.append((words, place, "store"))
                if sends(case, place):
                    engines.append((words, place, "send"))
        first = 1 + 2 * received(case, macro)
        for most, place, name in engines:
            turn = first + sum(other for other, _, _ in engines if other <= most)
            period = first + sum(other for other, _, _ in engines)
            own = found[place]
            own[name] = max(own.get(name, 0), turn)
            own[f"{name} period"] = max(own.get(f"{name} period", 0), period)
    return found
