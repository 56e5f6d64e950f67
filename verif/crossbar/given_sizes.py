"""Sizes of the parts of a chip that a person gives, as their benches take them."""

import json
from collections.abc import Iterator
from math import isqrt
from typing import Any, TypeVar

from amaranth.hdl import Value

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.image_io import results
from hwgen.crossbar.rtl.block_reader import BlockReader
from hwgen.crossbar.rtl.chain import sums_of_flit
from hwgen.crossbar.rtl.counters import window_bits
from hwgen.crossbar.rtl.engine import held_in, lanes_of
from hwgen.crossbar.rtl.loader import Loader
from hwgen.crossbar.rtl.macro import Macro, arrivals
from hwgen.crossbar.rtl.pad import Pad

Sizes = dict[str, Any]


def engines(chip: Chip) -> Iterator[tuple[ChipLayer, int]]:
    """Yield each layer in each of its macros."""
    for layer in chip.layers:
        for held in layer.held:
            yield layer, held.macro


def array_sizes(chip: Chip) -> dict[str, Sizes]:
    """Return the facts of an `ArrayCase` for each array of a chip, by layer and macro."""
    found = {}
    for layer, macro in engines(chip):
        cut, held = layer.cut, held_in(chip, layer.place, macro)
        if cut is None:
            continue
        chained = bool(chip.travels_of(layer.place, "chain"))
        found[f"{layer.layer.name} in macro {macro}"] = {
            "side": chip.side,
            "cell_bits": chip.cell_bits,
            "dac_bits": chip.dac_bits,
            "weight_bits": chip.weight_bits,
            "input_bits": chip.activation_bits,
            "rows": cut.group_rows,
            "channels": cut.group_columns,
            "groups": cut.groups,
            "copies": held.copies[1] - held.copies[0],
            "first_tile": held.row_tiles[0],
            "tiles": held.row_tiles[1],
            "adcs": chip.macros[macro].adcs,
            "rate": f"{chip.adc_samples}/{chip.adc_clocks}",
            "part_bits": chip.flit_bits,
            "row_elements": min(chip.side, chip.word_elements),
            "reads": sums_of_flit(chip.flit_bits, layer.partial_sum_bits)
            if chained
            else lanes_of(chip, layer.place, macro),
        }
    return found


def small_sizes(chip: Chip) -> dict[tuple[str, str], Sizes]:
    """Return the sizes of `small_parts` by bench and by what of the chip has them."""
    shared = {"word": chip.word_elements, "bits": chip.activation_bits, "flit_bits": chip.flit_bits}
    found: dict[tuple[str, str], Sizes] = {}
    for layer, macro in engines(chip):
        for bench, sizes in of_engine(chip, layer, macro):
            found[bench, f"{layer.layer.name} in macro {macro}"] = shared | sizes
    for macro in range(len(chip.macros)):
        built, words = Macro(chip=chip, macro=macro), chip.macros[macro].words
        found["pad", f"macro {macro}"] = shared | {"words": words} | pad_of(chip, built)
        for travel, rings in arrivals(chip, macro):
            spans = [(ring.first_word, ring.first_word + ring.words - 1) for ring in rings]
            of_travel = {"ring_words": words, "rings": spans}
            found["receiver", f"travel {travel.id} in macro {macro}"] = shared | of_travel
        for part in parts_below(built):
            where = f"{part.module_name} in macro {macro}"
            if isinstance(part, BlockReader):
                found["block_reader", where] = shared | block_of(part, chip.word_elements)
            # One that joins rings is of another kind: the pieces of its layer are inside.
            if type(part) is Loader:
                found["loader", where] = shared | loader_of(part, chip.activation_bits)
    found["window_counter", "conductor"] = shared | {"window": window_bits(chip)}
    found["packer", "links"] = shared | {"chunk": chip.flit_elements}
    if (answers := of_answers(chip)) is not None:
        found["result_collector", "I/O node"] = shared | answers
    return found


def parts_below(part: Part) -> Iterator[Part]:
    """Yield all parts inside a part."""
    for each in part.parts:
        yield each
        yield from parts_below(each)


def of_engine(chip: Chip, layer: ChipLayer, macro: int) -> Iterator[tuple[str, Sizes]]:
    """Yield bench and sizes of the parts of a layer in a macro; no requantizer with a table."""
    held, channels = held_in(chip, layer.place, macro), layer.layer.out_channels
    sums = {"channels": channels, "sums": (layer.partial_sum_bits,)}
    each = -(-layer.output_bits // chip.activation_bits)
    if held.results:
        lanes = lanes_of(chip, layer.place, macro)
        copies = held.copies[1] - held.copies[0]
        yield "packer", {"chunk": lanes * each}
        if layer.cut is not None and not layer.table:
            yield "requantizer", sums | {"copies": copies, "lanes": lanes, "raw": layer.raw}
    chains = chip.travels_of(layer.place, "chain")
    if any(one.source == chip.macros[macro].node for one in chains):
        yield "chain", sums
    if macro == layer.merge_macro and chip.travels_of(layer.place, "gather"):
        held_last = sorted(layer.held, key=lambda one: one.macro == macro)
        spans = [one.copies for one in held_last if one.results]
        pixels = [behind - first for first, behind in spans]
        last = [max(0, min(layer.last_pixels, behind) - first) for first, behind in spans]
        gathered, of_last = ([each * channels * one for one in counts] for counts in (pixels, last))
        yield "gather", {"gathered": gathered, "gathered_last": of_last}


def loader_of(part: Loader, bits: int) -> Sizes:
    """Return the sizes of a loader, of as many words and units as the module takes."""
    side = 1 << (len(part.sum_data) - bits)
    return {"loader_words": 1 << len(part.word), "units": 1 << len(part.row_unit), "side": side}


def block_of(part: BlockReader, word: int) -> Sizes:
    """Return the sizes of a block reader, of as many words and elements as the module takes."""
    fits = [
        elements
        for elements in range(1 << len(part.count))
        if elements.bit_length() == len(part.count)
        and (elements + word).bit_length() == len(part.elements)
        and bits_for_index(-(-elements // word)) == len(part.kept_index)
    ]
    return {"block_words": 1 << len(part.word), "block": fits[-1]}


def pad_of(chip: Chip, macro: Macro) -> Sizes:
    """Return the sizes of the scratchpad of a macro, but for its words."""
    pad = next(one for one in macro.parts if isinstance(one, Pad))
    users, enables = (Value.cast(getattr(pad, name)) for name in ("want", "enables"))
    writers = len(enables) // chip.word_elements
    sizes = {"access": chip.access_clocks, "writers": writers}
    return sizes | {"readers": len(users) - writers}


def of_answers(chip: Chip) -> Sizes | None:
    """Return the sizes of the collector of results; None where a map of them is no square."""
    found = []
    for travel in results(chip):
        layer = chip.layers[travel.owner]
        side = isqrt(layer.layer.pixels)
        if side * side != layer.layer.pixels:
            return None
        found.append((side, travel.channels, layer.copies, travel.bits))
    return {"results": found}


Key = TypeVar("Key")


def different(found: dict[Key, Sizes]) -> dict[Key, Sizes]:
    """Return the first of those that have the same sizes, a bench of several parts apart."""
    kept: dict[Any, tuple[Key, Sizes]] = {}
    for key, sizes in found.items():
        bench = key[0] if isinstance(key, tuple) else ""
        kept.setdefault((bench, json.dumps(sizes, sort_keys=True)), (key, sizes))
    return dict(kept.values())
