"""The torch flow: float training, pruning, FTA-aware training on integers, export."""

from hwgen.train.recipe import Recipe, load_recipe
from hwgen.train.report import TrainResult
from hwgen.train.train import train_network

__all__ = ["Recipe", "TrainResult", "load_recipe", "train_network"]
