"""DB-PIM: architecture, instruction set, memory map and latencies of the digital SRAM chip."""

from hwgen.spec.dbpim.arch import SWITCHES, Arch, load_arch, with_sparsity
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.program_file import check_match, load_program, save_program
from hwgen.spec.family import FamilyDescription

FAMILY = FamilyDescription(
    name="dbpim",
    offers={
        "architectures": "hwgen.spec.dbpim",
        "sparsity": "hwgen.spec.dbpim",
        "programs": "hwgen.spec.dbpim",
        "data_sheet": "hwgen.spec.dbpim",
        "compiler": "hwgen.compiler.dbpim",
        "layer_support": "hwgen.compiler.dbpim",
        "split_cost": "hwgen.model.dbpim",
        "cycle_model": "hwgen.model.dbpim",
        "timeline": "hwgen.model.dbpim",
        "bit_activity": "hwgen.model.dbpim",
        "energy": "hwgen.model.dbpim",
        "area": "hwgen.model.dbpim",
        "verilog": "hwgen.rtl.dbpim",
        "simulation": "hwgen.sim.dbpim",
        "papers": "hwgen.flow.dbpim.papers",
        "report_schemas": "hwgen.report.dbpim",
    },
)

__all__ = [
    "FAMILY",
    "SWITCHES",
    "Arch",
    "Program",
    "check_match",
    "load_arch",
    "load_program",
    "save_program",
    "with_sparsity",
]
