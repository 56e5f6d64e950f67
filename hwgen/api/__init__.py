"""The steps of hwgen as plain functions; the command line calls nothing else.

    from hwgen import api

    chip = api.load_architecture("chip.yaml", sparsity="all")
    report = api.model("network.npz", chip, images=4)
    print(report.cycles_model)
    print(api.infer("network.npz", my_images).answers.shape)

A network is the path of a quantized network file, an architecture the path of its file or what
`load_architecture` returns. A function returns the report that its command writes with `--json`: a
frozen dataclass, whose fields `docs/schema` describes. Arguments are checked before anything is
done; what is wrong is a `HwgenError` of one sentence. Nothing is printed without a `Context` that
has a console.

Stable: the names in `__all__`, their parameters and the fields of the reports. Further parameters
may come, with defaults.
"""

from hwgen.api.chips import (
    LoadedArchitecture,
    build,
    compile,
    export,
    listing,
    load_architecture,
    model,
    simulate,
)
from hwgen.api.costs import cost
from hwgen.api.designs import SynthesizedChip, synthesize
from hwgen.api.networks import Inference, compare, export_onnx, fit, import_network, infer, info
from hwgen.api.sweeps import sweep
from hwgen.commands.context import Context
from hwgen.errors import HwgenError, RefusedNetworkError

__all__ = [
    "Context",
    "HwgenError",
    "Inference",
    "LoadedArchitecture",
    "RefusedNetworkError",
    "SynthesizedChip",
    "build",
    "compare",
    "compile",
    "cost",
    "export",
    "export_onnx",
    "fit",
    "import_network",
    "infer",
    "info",
    "listing",
    "load_architecture",
    "model",
    "simulate",
    "sweep",
    "synthesize",
]
