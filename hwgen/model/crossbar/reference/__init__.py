"""Reference of the crossbar evaluators: every node with its bits, step by step, plain Python."""

from hwgen.model.crossbar.reference.case import Case
from hwgen.model.crossbar.reference.evaluate import Evaluation, evaluate

__all__ = ["Case", "Evaluation", "evaluate"]
