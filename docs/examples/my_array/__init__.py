"""A compute array of another package: `hwgen run ... --replace dots=my_array` finds it by name."""

from pathlib import Path

REPLACEMENT = Path(__file__).with_name("my_array.yaml")
