"""Import a module when a step needs it: `hwgen build` works without torch and cocotb."""

import importlib
from typing import Any

from hwgen.errors import MissingToolError

PROJECT = ("golden", "hwgen", "verif")
EXTRAS = {
    "PIL": ("pillow", "mosaic"),
    "ai_edge_litert": ("ai-edge-litert", "litert"),
    "cocotb": ("cocotb", "verif"),
    "distributed": ("distributed", "dse"),
    "highspy": ("highspy", "dse"),
    "jinja2": ("jinja2", "dse"),
    "matplotlib": ("matplotlib", "dse"),
    "onnx": ("onnx", "import"),
    "onnxruntime": ("onnxruntime", "onnxruntime"),
    "pyosys": ("pyosys", "synth"),
    "safetensors": ("safetensors", "train"),
    "sklearn": ("scikit-learn", "data"),
    "sympy": ("sympy", "onnxruntime"),
    "tflite": ("tflite", "tflite"),
    "torch": ("torch", "train"),
}
"""Optional packages by the name of their import: how pip calls each, and the extra that has it."""


def load(module: str) -> Any:
    """Return a module of this project; a missing package is one sentence, MissingToolError."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        if missing in PROJECT:
            raise
        raise MissingToolError(
            f"the package {missing} is needed for this: {hint(missing)}"
        ) from None


def hint(package: str) -> str:
    """Return how to install a package that is missing, by the name of its import."""
    name, extra = EXTRAS.get(package, (package, ""))
    return f"pip install {name}" + (f", or hwgen with its extra [{extra}]" if extra else "")
