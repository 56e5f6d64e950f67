"""CA-DNN on SOT-MRAM: architecture, records, program image and timing of the MRAM chip."""

from hwgen.spec.family import FamilyDescription
from hwgen.spec.mram.arch import Arch, load_arch, most_modes
from hwgen.spec.mram.modes import active_arrays
from hwgen.spec.mram.program import Program
from hwgen.spec.mram.program_file import check_match, load_program, save_program

FAMILY = FamilyDescription(
    name="mram",
    offers={
        "architectures": "hwgen.spec.mram",
        "modes": "hwgen.spec.mram",
        "programs": "hwgen.spec.mram",
        "compiler": "hwgen.compiler.mram",
        "layer_support": "hwgen.compiler.mram",
        "split_cost": "hwgen.model.mram",
        "data_sheet": "hwgen.spec.mram",
        "cycle_model": "hwgen.model.mram",
        "timeline": "hwgen.model.mram",
        "energy": "hwgen.model.mram",
        "area": "hwgen.model.mram",
        "verilog": "hwgen.rtl.mram",
        "simulation": "hwgen.sim.mram",
        "papers": "hwgen.flow.mram.papers",
        "report_schemas": "hwgen.report.mram",
    },
)

__all__ = [
    "FAMILY",
    "Arch",
    "Program",
    "active_arrays",
    "check_match",
    "load_arch",
    "load_program",
    "most_modes",
    "save_program",
]
