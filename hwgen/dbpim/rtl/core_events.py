"""What a core shows of its events: a pulse for each, to be counted by the simulation.

Tests: `tests/verif/dbpim/test_row_unit.py`.
"""

from collections.abc import Iterable, Mapping

from amaranth.hdl import Cat, Mux, Value
from amaranth.lib import data

from hwgen.chip.rtl.part import PartInstance
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.events import ROW_EVENTS, core_events
from hwgen.network.sparsity import PHI_LIMIT


def core_pulses(arch: Arch) -> data.StructLayout:
    """Return the pulses of a core in a cycle: each bit that is set is one event."""
    macros, size = arch.macros_per_core, arch.macro
    names = core_events(arch)
    widths = dict.fromkeys(names, 1)
    widths |= dict.fromkeys(
        ("bit_planes", "inactive_bit_planes", "groups", "bank_reads", "row_writes"), macros
    )
    widths |= dict.fromkeys(("psum_reads", "psum_writes"), macros * arch.sums // arch.filters)
    widths |= {
        "filter_planes": macros * arch.sums,
        "column_planes": macros * size.columns,
        "selected_inputs": arch.word,
        "bank_bytes": macros * arch.word,
    }
    return data.StructLayout({name: widths[name] for name in names})


def row_pulses() -> data.StructLayout:
    """Return the pulses of a row unit in a cycle; those of what it is sent are not among them."""
    return data.StructLayout({name: 1 for name in ROW_EVENTS if name != "float_beats"})


def macro_pulses(
    arch: Arch, macros: Iterable[PartInstance], *, queue: PartInstance, store: PartInstance
) -> Mapping[str, Value]:
    """Return the pulses of the macros of a core."""
    pulses: dict[str, list[Value]] = {}
    for index, macro in enumerate(macros):
        head, enable = queue.heads[index], store.head_filter_enable[index]
        tag, active = head.tag, head.position.active
        works = macro.issue & active
        each = [enable[PHI_LIMIT * n : PHI_LIMIT * (n + 1)] for n in range(arch.filters)]
        filters = [works & bits.any() for bits in each]
        if arch.pairs:
            double = store.head_double[index]
            filters = [works & Mux(double, bits[0], bits.any()) for bits in each]
            filters += [works & double & bits[1] for bits in each]
        found = {
            "bit_planes": works,
            "inactive_bit_planes": macro.issue & ~active,
            "filter_planes": Cat(filters),
            "column_planes": enabled_columns(arch, enable) & works.replicate(arch.macro.columns),
            "groups": macro.leave,
            "psum_reads": macro.leave & tag.start & ~tag.first,
            "psum_writes": macro.leave & tag.end & ~tag.last,
        }
        if arch.pairs:
            for name in ("psum_reads", "psum_writes"):
                found[name] = Cat(found[name], found[name] & double)
        for name, value in found.items():
            pulses.setdefault(name, []).append(value)
    return {name: Cat(values) for name, values in pulses.items()}


def enabled_columns(arch: Arch, enable: Value) -> Value:
    """Return a bit for each cell column of a macro: it counts."""
    each = arch.columns_per_filter // PHI_LIMIT
    return Cat(bit.replicate(each) for bit in enable[: PHI_LIMIT * arch.filters])
