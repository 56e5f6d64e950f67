"""DB-PIM: a digital SRAM chip that skips zero weights, digits and input bits."""

from hwgen.chip.family import FamilyDescription

FAMILY = FamilyDescription(
    name="dbpim",
    offers={
        "architectures": "hwgen.dbpim.facts",
        "sparsity": "hwgen.dbpim.facts",
        "programs": "hwgen.dbpim.facts",
        "data_sheet": "hwgen.dbpim.facts",
        "firmware": "hwgen.dbpim.facts",
        "compiler": "hwgen.dbpim.compiler",
        "layer_support": "hwgen.dbpim.compiler",
        "split_cost": "hwgen.dbpim.model",
        "cycle_model": "hwgen.dbpim.model",
        "timeline": "hwgen.dbpim.model",
        "bit_activity": "hwgen.dbpim.model",
        "energy": "hwgen.dbpim.model",
        "area": "hwgen.dbpim.model",
        "physical": "hwgen.dbpim.pages.physical",
        "netlist_energy": "hwgen.dbpim.pages.netlist_energy",
        "verilog": "hwgen.dbpim.rtl",
        "simulation": "hwgen.dbpim.sim",
    },
)
