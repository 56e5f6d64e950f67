"""TFLite: from a file of integers to the common graph."""

from hwgen.importers.tflite.operators import OPERATORS
from hwgen.importers.tflite.read import read_integer_graph

__all__ = ["OPERATORS", "read_integer_graph"]
