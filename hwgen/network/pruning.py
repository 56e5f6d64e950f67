"""Rules of installed packages that say which blocks of weights are pruned.

A package names a function by an entry point of the group `hwgen.pruning`. `hwgen fit --prune-rule
NAME` and `pruning.rule` of a training recipe call it for each layer:

    def rule(scores, share): ...

scores: float64, (groups, inputs), what each block is worth: a block is one input of 8 neighbouring
filters, the last group may have fewer. Inputs of a layer are in the order of its weights: kernel
row, kernel column, channel.
share: fraction of the blocks that the user asks to prune, 0 to 1. The function returns bool,
(groups, inputs), true where a block stays.
"""

import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import ConfigError, plain_line

GROUP = "hwgen.pruning"
WEAKEST = "weakest"
"""The rule of this project: the blocks of a layer that are worth least (seed 002, IV-C1)."""

Scores = NDArray[np.float64]
Rule = Callable[[Scores, float], NDArray[np.bool_]]


def unpruned_by(name: str, scores: Scores, share: float) -> NDArray[np.bool_]:
    """Return which blocks the rule of an installed package leaves, (groups, inputs).

    Errors: ConfigError for a name that no package has, for a function that fails or that returns
    something else
    """
    try:
        found = rule_of(name)(scores.copy(), share)
    except ConfigError:
        raise
    except Exception as error:  # of a package that is not ours
        raise refused(name, plain_line(f"{type(error).__name__}: {error}")) from error
    if not isinstance(found, np.ndarray) or found.dtype != np.bool_:
        raise refused(name, getattr(found, "dtype", type(found).__name__))
    if found.shape != scores.shape:
        raise refused(name, f"the shape {found.shape} of scores {scores.shape}")
    return found


def refused(name: str, given: object) -> ConfigError:
    """Return the sentence about a rule that gives no blocks."""
    return ConfigError(
        field="what it returns",
        allowed="bool in the shape of the scores",
        given=given,
        source=f"installed pruning rule {name}",
    )


def rule_of(name: str) -> Rule:
    """Return the function of a rule."""
    entry = entry_of(name)
    try:
        found = entry.load()
    except Exception as error:
        found = plain_line(f"{type(error).__name__}: {error}")
    if not callable(found):
        raise ConfigError(
            field=entry.value,
            allowed="a function of scores and share",
            given=found,
            source=f"installed pruning rule {name}",
        )
    rule: Rule = found
    return rule


def entry_of(name: str) -> EntryPoint:
    """Return the entry point of a rule."""
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in known:
        raise ConfigError(
            field="the rule of pruning",
            allowed=f"{WEAKEST} or one of an installed package ({', '.join(sorted(known)) or '-'})",
            given=name,
            source=f"entry points {GROUP}",
        )
    return known[name]


def file_of_rule(name: str) -> Path | None:
    """Return the file that defines a rule, on which trained weights depend; None for `weakest`."""
    if name == WEAKEST:
        return None
    return Path(inspect.getfile(inspect.unwrap(rule_of(name))))
