"""The steps of hwgen as plain functions, each made from the request of its command.

    from hwgen import api

    chip = api.load_architecture("chip.yaml", sparsity="all")
    report = api.model("network.npz", chip, images=4)
    print(report.cycles_model)
    print(api.infer("network.npz", my_images).answers.shape)

A network is the path of a quantized network file, an architecture the path of its file or what
`load_architecture` returns. A function returns the report that its command writes with `--json`: a
frozen dataclass, whose fields `hwgen --schema COMMAND` describes. Arguments are checked before
anything is done; what is wrong is a `HwgenError` of one sentence. Nothing is printed without a
`Context` that has a console.

Stable: the names in `__all__`, their parameters and the fields of the reports. Further parameters
may come, with defaults.
"""

from typing import TYPE_CHECKING

from hwgen.commands.against import Compare
from hwgen.commands.architectures import LoadArchitecture, LoadedArchitecture
from hwgen.commands.build import Build, Compile
from hwgen.commands.context import Context
from hwgen.commands.cost import Cost
from hwgen.commands.device import FitDevice
from hwgen.commands.effects import Effects
from hwgen.commands.exchange import ExportOnnx
from hwgen.commands.explore import Explore
from hwgen.commands.export import Export
from hwgen.commands.fit import Fit
from hwgen.commands.imports import ImportNetwork
from hwgen.commands.infer import Infer, Inference, session_class
from hwgen.commands.info import Info
from hwgen.commands.layout import Layout
from hwgen.commands.model import Model
from hwgen.commands.new.command import NewProject
from hwgen.commands.request import function_of
from hwgen.commands.run import Simulate
from hwgen.commands.self_test import SelfTest
from hwgen.commands.sweep import Sweep
from hwgen.commands.synthesis import Synthesize, SynthesizedChip
from hwgen.commands.text import WriteText
from hwgen.commands.torch_module import ImportedModule, ImportTorch
from hwgen.errors import HwgenError, RefusedNetworkError

if TYPE_CHECKING:
    from hwgen.commands.infer import Session

__all__ = [
    "Context",
    "HwgenError",
    "ImportedModule",
    "Inference",
    "LoadedArchitecture",
    "RefusedNetworkError",
    "Session",
    "SynthesizedChip",
    "build",
    "compare",
    "compile",
    "cost",
    "effects",
    "explore",
    "export",
    "export_onnx",
    "fit",
    "fit_device",
    "import_network",
    "import_torch",
    "infer",
    "info",
    "layout",
    "load_architecture",
    "model",
    "new_project",
    "self_test",
    "simulate",
    "sweep",
    "synthesize",
    "write_text",
]

build = function_of(Build)
compare = function_of(Compare)
compile = function_of(Compile)
cost = function_of(Cost)
effects = function_of(Effects)
explore = function_of(Explore)
export = function_of(Export)
export_onnx = function_of(ExportOnnx)
fit = function_of(Fit)
fit_device = function_of(FitDevice)
import_network = function_of(ImportNetwork)
import_torch = function_of(ImportTorch)
infer = function_of(Infer)
info = function_of(Info)
layout = function_of(Layout)
load_architecture = function_of(LoadArchitecture)
model = function_of(Model)
new_project = function_of(NewProject)
self_test = function_of(SelfTest)
simulate = function_of(Simulate)
sweep = function_of(Sweep)
synthesize = function_of(Synthesize)
write_text = function_of(WriteText)


def __getattr__(name: str) -> object:
    """Return `Session` to those who ask for it: the others need not wait for golden."""
    if name == "Session":
        return session_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
