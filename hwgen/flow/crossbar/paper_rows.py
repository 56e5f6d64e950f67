"""How a row of the comparison with a paper is made."""

from collections.abc import Sequence

from hwgen.report.crossbar.paper import PaperRow


def row(
    figure: str,
    what: str,
    network: str | None,
    *,
    published: float | None,
    ours: float | None,
    unit: str,
    reason: str,
) -> PaperRow:
    """Return a row with its deviation."""
    deviation = None
    if published is not None and ours is not None:
        deviation = 100 * (ours / published - 1)
    return PaperRow(
        figure=figure,
        what=what,
        network=network,
        published=None if published is None else float(published),
        ours=None if ours is None else float(ours),
        unit=unit,
        deviation_percent=deviation,
        reason=reason,
    )


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
