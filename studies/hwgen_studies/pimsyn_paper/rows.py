"""What several rows of the comparison with a paper need."""

from collections.abc import Sequence


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of what there is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def ratio(one: float | None, other: float | None) -> float | None:
    """Return how many times larger one is; None where one of them is not there."""
    return one / other if one and other else None


def over(names: Sequence[str], whole: Sequence[str]) -> str:
    """Return what a mean is over, in words."""
    if set(names) == set(whole):
        return f"the same {len(names)} networks"
    return f"{', '.join(names)} alone, where the paper has {len(whole)} networks"
