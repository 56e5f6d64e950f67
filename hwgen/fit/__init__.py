"""Fit trained networks to sparse hardware without training: weights of few signed digits."""

from hwgen.fit.measured import measured
from hwgen.fit.text import text_rule
from hwgen.fit.weights import Fitted, refitted

__all__ = ["Fitted", "measured", "refitted", "text_rule"]
