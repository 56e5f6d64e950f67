"""Rules as tests name them, and a mixture that nothing ships."""

from hwgen.crossbar.facts.rules import RULES, STRICT, Rules

UNCHAINED = STRICT._replace(chain_before_activation=False)
"""All charges but chains: results are merged behind the store."""


def named(rules: Rules) -> str:
    """Return a name for rules."""
    return next((name for name, each in RULES.items() if each == rules), "unchained")
