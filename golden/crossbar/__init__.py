"""Reference of a crossbar accelerator: cells and products, and every step of a design, in NumPy."""

from golden.crossbar.case import Case
from golden.crossbar.evaluate import Evaluation, evaluate

__all__ = ["Case", "Evaluation", "evaluate"]
