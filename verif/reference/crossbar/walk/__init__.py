"""A walk of a crossbar schedule: every word has an owner, every start reads what lies there."""

from verif.reference.crossbar.walk.hazards import Hazard
from verif.reference.crossbar.walk.rates import RATES, Rates
from verif.reference.crossbar.walk.walk import walk

__all__ = ["RATES", "Hazard", "Rates", "walk"]
