"""The torch flow: float training, pruning, FTA-aware training on integers, export.

`prepare` gives any module of torch the weights of a chip, for a loop of your own.
Nothing is imported here: `recipe` is read without torch, `train` and `prepare` need it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hwgen.train.converted import convert
    from hwgen.train.prepared import Prepared, prepare

__all__ = ["Prepared", "convert", "prepare"]


def __getattr__(name: str) -> object:
    """Return what needs torch to those who ask for it."""
    if name in __all__:
        from hwgen.train import converted, prepared

        return getattr(converted if name == "convert" else prepared, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
