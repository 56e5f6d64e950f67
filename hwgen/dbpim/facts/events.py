"""Events of a chip: the cores show them, the simulation counts them, the model predicts them.

Keys of energy tables equal these names. Counts are sums over all cores and macros. Neither the
memory's timing nor waiting changes the counts of a run.
"""

from hwgen.dbpim.facts.arch import Arch

CORE_EVENTS: dict[str, str] = {
    "bit_planes": "bit planes that macros with an output position issue",
    "inactive_bit_planes": "bit planes, all zero, that macros without a position issue",
    "filter_planes": "enabled filters that the former bit planes meet, summed over bit planes",
    "column_planes": "enabled cell columns that they meet, summed over bit planes",
    "groups": "groups of inputs that macros finish; each reads a row of cells",
    "psum_reads": "entries of partial sums that macros read",
    "psum_writes": "entries of partial sums that macros write",
    "words": "word-vectors that switches finish, each with a word of its masks; macros, if the chip"
    " has no switch",
    "selected_inputs": "inputs that the masks of these words select, once for all macros",
    "bank_reads": "words that the banks of the activation buffers read",
    "bank_bytes": "bytes that are written to these banks",
    "results": "results of all filters of a core for one position that are requantized",
    "residual_sums": "those of them to which a stored map is added; each reads a word of a bank",
    "simd_parts": "parts of word-vectors that SIMD units accumulate",
    "simd_results": "parts of results that SIMD units requantize",
    "row_writes": "rows of weights that are written in macros",
    "mask_beats": "beats of mask words that cores store",
    "parameter_writes": "parameters of a filter or channel that cores store",
    "tap_words": "words of depthwise weights that cores store",
    "table_beats": "beats of tables that cores store",
}
"""Name -> meaning, in the order in which a core shows them."""

ROW_EVENTS: dict[str, str] = {
    "row_words": "words of all positions in which row units look for the largest byte of a softmax",
    "row_sums": "bytes of all positions whose values row units add, of softmax and layer norm",
    "row_squares": "bytes of all positions whose squares row units add",
    "row_shares": "bytes of all positions that row units make of a softmax",
    "row_norms": "bytes of all positions that row units make of a layer norm",
    "row_roots": "vectors of which row units compute the deviation",
    "float_beats": "beats of floats that cores store",
}
"""The same of a core with a row unit, which shows them after the others."""

CHIP_EVENTS: dict[str, str] = {
    "bus_bytes": "bytes on the write bus, of results and of maps that are loaded",
    "beats_read": "beats that the memory port reads",
    "beats_written": "beats that the memory port writes",
}
"""Name -> meaning."""

EVENTS = CORE_EVENTS | ROW_EVENTS | CHIP_EVENTS
"""Of any chip."""

WITH_PARTS = ("selected_inputs", "mask_beats")
"""Events of a core that a chip without `sparse_parts` lacks."""

OVERLAPPING = (
    *("row_writes", "mask_beats", "parameter_writes", "tap_words", "table_beats", "float_beats"),
    *("bank_bytes", "bus_bytes", "beats_read", "beats_written"),
)
"""Events that may happen while another step runs: a tile is loaded ahead, the last word of a result
is written late. The model counts them for the step that they belong to, the simulation for the
one in which they happen; counts of a run are equal."""


def core_events(arch: Arch) -> dict[str, str]:
    """Return name and meaning of the events of a core, in the order in which it shows them."""
    names = CORE_EVENTS | ROW_EVENTS if arch.row_unit else CORE_EVENTS
    if arch.sparse_parts:
        return names
    return {name: meaning for name, meaning in names.items() if name not in WITH_PARTS}


def events_of(arch: Arch) -> dict[str, str]:
    """Return name and meaning of the events of a chip."""
    return core_events(arch) | CHIP_EVENTS
