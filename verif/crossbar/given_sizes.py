"""Sizes of the parts of a chip that a person gives, as their benches take them."""

import json
from collections.abc import Iterator
from math import isqrt
from typing import Any, TypeVar

from amaranth.hdl import Value

from hwgen.chip.rtl.part import Part
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.image_io import results
from hwgen.crossbar.rtl.chain import sums_of_flit
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
        found["pad", f"macro {macro}"] = shared | pad_of(chip, macro)
        words = chip.macros[macro].words
        for travel, rings in arrivals(chip, macro):
            spans = [(ring.first_word, ring.first_word + ring.words - 1) for ring in rings]
            of_travel = {"ring_words": words, "rings": spans}
            found["receiver", f"travel {travel.id} in macro {macro}"] = shared | of_travel
    found["packer", "links"] = shared | {"chunk": chip.flit_elements}
    if (answers := of_answers(chip)) is not None:
        found["result_collector", "I/O node"] = shared | answers
    return found


def loader_sizes(chip: Chip) -> dict[str, Sizes]:
    """Return the sizes of `verif.crossbar.loader_case` by layer and macro; as wide as the module's.

    A loader that joins rings has its layer's pieces inside and is none of them.
    """
    found = {}
    for macro in range(len(chip.macros)):
        for part in parts_below(Macro(chip=chip, macro=macro)):
            if type(part) is Loader:
                found[f"{part.module_name} in macro {macro}"] = {
                    "word": chip.word_elements,
                    "bits": chip.activation_bits,
                    "words": 1 << len(part.word),
                    "units": 1 << len(part.row_unit),
                    "side": 1 << (len(part.sum_data) - chip.activation_bits),
                }
    return found


def parts_below(part: Part) -> Iterator[Part]:
    """Yield all parts inside a part."""
    for each in part.parts:
        yield each
        yield from parts_below(each)


def of_engine(chip: Chip, layer: ChipLayer, macro: int) -> Iterator[tuple[str, Sizes]]:
    """Yield bench and sizes of the parts of a layer in a macro; the requantizer of sums alone.

    Its bench knows no table, and raw sums pass.
    """
    held, channels = held_in(chip, layer.place, macro), layer.layer.out_channels
    sums = {"channels": channels, "sums": (layer.partial_sum_bits,)}
    each = -(-layer.output_bits // chip.activation_bits)
    if held.results:
        lanes = lanes_of(chip, layer.place, macro)
        copies = held.copies[1] - held.copies[0]
        yield "packer", {"chunk": lanes * each}
        if layer.cut is not None and not (layer.raw or layer.table):
            yield "requantizer", sums | {"copies": copies, "lanes": lanes}
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


def pad_of(chip: Chip, macro: int) -> Sizes:
    """Return the sizes of the scratchpad of a macro."""
    pad = next(one for one in Macro(chip=chip, macro=macro).parts if isinstance(one, Pad))
    users, enables = (Value.cast(getattr(pad, name)) for name in ("want", "enables"))
    writers = len(enables) // chip.word_elements
    sizes = {"words": chip.macros[macro].words, "access": chip.access_clocks}
    return sizes | {"writers": writers, "readers": len(users) - writers}


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
