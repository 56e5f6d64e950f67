"""ONNX: from a file to a graph with all its shapes, and from a graph to a file."""

from hwgen.importers.onnx.read import graph_of, read_graph
from hwgen.importers.onnx.write import model_of, write_graph

__all__ = ["graph_of", "model_of", "read_graph", "write_graph"]
