"""Area of an MRAM chip by part, from the same table as its energy.

The paper divides what computing adds (Fig. 8a) into transistors at the sense amplifiers, modified
row drivers, and the controller with counter and shifter. The first two are circuits without an
open model: they are left out.
"""

from hwgen.mram.facts.arch import BANKS, Arch
from hwgen.mram.facts.energy import EnergyTable
from hwgen.mram.facts.storage import storage
from hwgen.mram.model.energy import default_table


def area_um2(arch: Arch, *, table: EnergyTable | None = None) -> dict[str, float]:
    """Return square micrometres by part.

    sub_arrays, image_banks: cells with decoders and sense amplifiers
    counters: bit counters, joins and accumulators, the controller of Fig. 8a
    adder: latches and write multiplexers of the in-memory adder, which the paper does not count
    around: logic that is beside no sub-array, from the memory port to the lanes that requantize
    memories: records, parameters, answers, beats that are read ahead
    """
    area = (table or default_table()).area
    array = area.memory_um2(arch.array.rows, arch.array.columns)
    return {
        "sub_arrays": arch.sub_arrays * array,
        "image_banks": BANKS * arch.bank_arrays * array,
        "counters": arch.sub_arrays * area.counting_of(arch),
        "adder": arch.sub_arrays * area.adding_of(arch) if arch.adder else 0.0,
        "around": area.around_of(arch),
        "memories": area.memory_bit_um2 * sum(m.bits for m in storage(arch) if m.words),
    }
