"""MRAM: a chip of SOT-MRAM sub-arrays whose networks change their width while they run."""

from hwgen.chip.family import FamilyDescription

FAMILY = FamilyDescription(
    name="mram",
    offers={
        "architectures": "hwgen.mram.facts",
        "modes": "hwgen.mram.facts",
        "programs": "hwgen.mram.facts",
        "firmware": "hwgen.mram.facts",
        "compiler": "hwgen.mram.compiler",
        "layer_support": "hwgen.mram.compiler",
        "split_cost": "hwgen.mram.model",
        "data_sheet": "hwgen.mram.facts",
        "cycle_model": "hwgen.mram.model",
        "timeline": "hwgen.mram.model",
        "energy": "hwgen.mram.model",
        "area": "hwgen.mram.model",
        "physical": "hwgen.mram.pages.physical",
        "verilog": "hwgen.mram.rtl",
        "simulation": "hwgen.mram.sim",
    },
)
