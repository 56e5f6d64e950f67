"""Every step of a crossbar design, and its parts, in NumPy."""

from verif.reference.crossbar.case import Case
from verif.reference.crossbar.evaluate import Evaluation, evaluate

__all__ = ["Case", "Evaluation", "evaluate"]
