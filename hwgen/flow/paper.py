"""`hwgen paper`: find the family that compares itself with a paper."""

from hwgen.errors import ConfigError
from hwgen.flow.capabilities import PAPERS
from hwgen.flow.families import offering
from hwgen.flow.pages import Paper


def paper_called(name: str) -> Paper:
    """Return the paper of a name."""
    known = {
        paper: page
        for family in offering(PAPERS)
        for paper, page in family.need(PAPERS).PAPERS.items()
    }
    if name not in known:
        raise ConfigError(
            field="PAPER", allowed=" or ".join(known), given=name, source="command line"
        )
    return known[name]
