"""What else the command line calls. It follows the commands and is not part of the stable surface.

train: recipes; results, benchmark, paper, demo: measurements; onnx: a generated file
"""

from hwgen.flow.benchmark import run_benchmark
from hwgen.flow.demo import run_demo
from hwgen.flow.engines import default_engine
from hwgen.flow.families import architectures
from hwgen.flow.info import graph_parts
from hwgen.flow.pages import PaperRequest
from hwgen.flow.paper import compare_paper, paper_called, papers, write_paper
from hwgen.flow.results import ResultsRequest, run_results
from hwgen.flow.results_case import run_case
from hwgen.flow.sweep import values_of
from hwgen.flow.synthesis import default_tables, graphs
from hwgen.flow.train import is_adaptive, is_first_process, train_adaptive_recipe, train_recipe
from hwgen.spec.shipped import networks

__all__ = [
    "PaperRequest",
    "ResultsRequest",
    "architectures",
    "compare_paper",
    "default_engine",
    "default_tables",
    "graph_parts",
    "graphs",
    "is_adaptive",
    "is_first_process",
    "networks",
    "paper_called",
    "papers",
    "run_benchmark",
    "run_case",
    "run_demo",
    "run_results",
    "train_adaptive_recipe",
    "train_recipe",
    "values_of",
    "write_paper",
]
