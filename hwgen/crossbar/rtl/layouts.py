"""Amaranth data layouts between the parts of a crossbar chip: strobes, links, ports, load packets.

All fields are unsigned unless stated otherwise; lowest field first.

Tests: `tests/verif/crossbar/test_router.py`.
"""

from amaranth.lib import data

from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.operations import PER_BIT
from hwgen.crossbar.facts.packets import HEADER_FIELDS

AT_IO_NODE = ("transfer",)
"""Operations of a layer that no macro takes part in until flits come."""

TRAVEL_BITS, COUNT_BITS, TARGET_BITS, INDEX_BITS = (bits for _, bits in HEADER_FIELDS)
"""Fields of a header; the first flit of a packet has to hold them."""


def strobe(chip: Chip, operation: str) -> data.StructLayout:
    """Begins an operation, or a bit step of one that is repeated.

    go: for one clock, `lag` clocks behind the tick (`hwgen.crossbar.facts.timing.LAGS`)
    parity: of the block; it goes on over images and picks banks; valid with go, and held until the
        next go
    bit: number of the bit step, 0 first; of repeated operations only; held like parity
    """
    fields: dict[str, int] = {"go": 1, "parity": 1}
    if operation in PER_BIT:
        fields["bit"] = bits_for_index(chip.bit_steps)
    return data.StructLayout(fields)


def layer_strobes(chip: Chip, layer: ChipLayer) -> data.StructLayout:
    """The strobes of a layer, by the names of its operations; all its macros see the same."""
    return data.StructLayout(
        {operation.name: strobe(chip, operation.name) for operation in layer.operations}
    )


def macro_strobes(chip: Chip, macro: int) -> data.StructLayout:
    """The strobes of a macro: `layer3` for each layer that works in it."""
    return data.StructLayout(
        {
            f"layer{place}": layer_strobes(chip, chip.layers[place])
            for place in chip.layers_in(macro)
        }
    )


def flit(chip: Chip) -> data.StructLayout:
    """A link in one direction; what is valid is taken, there is no back-pressure.

    A packet is a header (`head`) and the flits that follow it until the next header; there may be
    clocks between them that are not valid. Elements stand in flits without gaps, the lowest first:
    element i of e bits is bits i*e to i*e+e-1 of all flits behind the header together.
    """
    return data.StructLayout({"valid": 1, "head": 1, "data": chip.flit_bits})


def header(chip: Chip) -> data.StructLayout:
    """The flit `data` of a header, see `hwgen.crossbar.facts.packets`."""
    return data.StructLayout(dict(HEADER_FIELDS))


def pad_request(chip: Chip, words: int) -> data.StructLayout:
    """What an engine asks of the port of a scratchpad of `words` words.

    Held until granted (a wire of its own, combinational, for one clock a request); data of a read
    are there in the clock behind the grant.
    enables: of a write, a bit for each element of the word
    """
    return data.StructLayout(
        {
            "valid": 1,
            "write": 1,
            "word": bits_for_index(words),
            "enables": chip.word_elements,
            "data": chip.word_bits,
        }
    )


def macro_events() -> data.StructLayout:
    """Pulses of a macro for simulations, see `hwgen.crossbar.facts.events`; counts of this clock.

    conversions: samples of ADCs; reads: crossbars in a bit step that begins; port_reads,
        port_writes: accesses to the scratchpad
    """
    return data.StructLayout({"conversions": 16, "reads": 16, "port_reads": 1, "port_writes": 1})


def macro_store(chip: Chip) -> data.StructLayout:
    """A word of results that a macro writes into a ring of its own, for simulations.

    layer: whose results; enables: which elements of the word, in rising order of the stream
    """
    return data.StructLayout(
        {"valid": 1, "layer": 8, "enables": chip.word_elements, "data": chip.word_bits}
    )


def chip_trace(chip: Chip) -> data.StructLayout:
    """What the chip shows to benches and to the host of the simulation in each clock.

    running: a command runs; entered: an image enters with the next step; retire: the results of an
        image are stored; tick: a step begins in the next clock; starts: the operations that start
        with it, layer after layer; strobes: those whose strobe is there, of repeated ones the first
        one of a block; late: an engine of a macro is late
    flits: at the outputs of routers, hops of this clock; events, stores: of each macro
    """
    starts = sum(len(layer.operations) for layer in chip.layers)
    return data.StructLayout(
        {
            "running": 1,
            "entered": 1,
            "retire": 1,
            "tick": 1,
            "starts": starts,
            "strobes": starts,
            "late": len(chip.macros),
            "flits": 16,
            "events": data.ArrayLayout(macro_events(), len(chip.macros)),
            "stores": data.ArrayLayout(macro_store(chip), len(chip.macros)),
        }
    )


def ring(words: int) -> data.StructLayout:
    """A region of a scratchpad of `words` words, constant: first and last word."""
    bits = bits_for_index(words)
    return data.StructLayout({"first": bits, "last": bits})
