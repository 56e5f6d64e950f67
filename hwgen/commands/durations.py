"""Spans of time as people write them: `20s`, `1h`, `1.5 d`.

Tests: `tests/commands/test_durations.py`.
"""

import re

from hwgen.errors import ConfigError

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "y": 365.25 * 86400.0}
SPAN = re.compile(rf"\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*({'|'.join(SECONDS)})\s*")


def seconds_of(text: str, *, field: str) -> float:
    """Return the seconds of a span of time; ConfigError for what is none."""
    found = SPAN.fullmatch(text)
    try:
        if found:
            return float(found[1]) * SECONDS[found[2]]
    except ValueError:
        pass
    allowed = f"a number and one of {', '.join(SECONDS)}, such as 1h"
    raise ConfigError(field=field, allowed=allowed, given=text or "nothing", source="command line")
