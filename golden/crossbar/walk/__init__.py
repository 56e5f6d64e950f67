"""A walk of a crossbar schedule: every word has an owner, every start reads what lies there."""

from golden.crossbar.walk.hazards import Hazard
from golden.crossbar.walk.rates import RATES, Rates
from golden.crossbar.walk.walk import walk

__all__ = ["RATES", "Hazard", "Rates", "walk"]
