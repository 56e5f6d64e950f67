"""Images: the embedded digits, and readers of the official file formats."""

from hwgen.data.dataset import Dataset
from hwgen.data.load import DATASETS, load_dataset

__all__ = ["DATASETS", "Dataset", "load_dataset"]
