"""Optional packages: a step imports what it needs, and what is missing is one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from hwgen.errors import MissingToolError

PROJECT = ("golden", "hwgen", "verif")
EXTRAS = {
    "PIL": ("pillow", "mosaic"),
    "ai_edge_litert": ("ai-edge-litert", "litert"),
    "cocotb": ("cocotb", "verif"),
    "coloquinte": ("coloquinte", "layout"),
    "distributed": ("distributed", "dse"),
    "highspy": ("highspy", "dse"),
    "jinja2": ("jinja2", "dse"),
    "klayout": ("klayout", "layout"),
    "matplotlib": ("matplotlib", "dse"),
    "microlane": ("microlane", "layout"),
    "onnx": ("onnx", "import"),
    "onnxruntime": ("onnxruntime", "onnxruntime"),
    "optuna": ("optuna", "dse"),
    "pyosys": ("pyosys", "synth"),
    "safetensors": ("safetensors", "train"),
    "serial": ("pyserial", "board"),
    "sklearn": ("scikit-learn", "data"),
    "sympy": ("sympy", "onnxruntime"),
    "tflite": ("tflite", "tflite"),
    "tokenizers": ("tokenizers", "text"),
    "torch": ("torch", "train"),
}
"""Optional packages by the name of their import: how pip calls each, and the extra that has it."""


@contextmanager
def optional_packages() -> Iterator[None]:
    """Raise MissingToolError, one sentence, where an import in the body lacks a package of others.

    Commands and families import late, so that `hwgen build` works without torch and cocotb.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if not missing or missing in PROJECT:
            raise
        raise missing_package(missing) from None


def check_package(package: str) -> None:
    """Raise MissingToolError if a package, by the name of its import, is not installed.

    For what a command needs at its end only: it is told before anything is computed.
    """
    try:
        found = find_spec(package) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise missing_package(package)


def missing_package(package: str) -> MissingToolError:
    """Return the error of a package that is not installed."""
    return MissingToolError(f"the package {package} is needed for this: {hint(package)}")


def hint(package: str) -> str:
    """Return how to install a package that is missing, by the name of its import."""
    name, extra = EXTRAS.get(package, (package, ""))
    return f"pip install {name}" + (f", or hwgen with its extra [{extra}]" if extra else "")
