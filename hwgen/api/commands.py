"""What else the command line calls. It follows the commands and is not part of the stable surface.

train: recipes; onnx: a generated file
"""

from hwgen.commands.engines import default_engine
from hwgen.commands.families import architectures
from hwgen.commands.info import graph_parts
from hwgen.commands.studies import add_commands
from hwgen.commands.sweep import values_of
from hwgen.commands.synthesis import default_tables, graphs
from hwgen.commands.train import is_adaptive, is_first_process, train_adaptive_recipe, train_recipe
from hwgen.files.shipped import networks

__all__ = [
    "add_commands",
    "architectures",
    "default_engine",
    "default_tables",
    "graph_parts",
    "graphs",
    "is_adaptive",
    "is_first_process",
    "networks",
    "train_adaptive_recipe",
    "train_recipe",
    "values_of",
]
