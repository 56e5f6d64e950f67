"""Read JSON that stands in a file of a user: bytes in an array, with a format and a version.

Tests: `tests/files/test_shipped.py`.
"""

import json
from collections.abc import Sequence
from typing import Any

from hwgen.errors import FormatError


def plain_json(content: bytes, *, field: str, source: str) -> Any:
    """Return what JSON says; a mistake is one sentence about `field`.

    Errors: FormatError, also for integers of more digits than Python reads and for JSON nested too
    deeply
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise FormatError(field=field, allowed="JSON", given="other bytes", source=source) from None


def check_header(
    plain: Any, *, file_format: str, versions: Sequence[int], source: str
) -> dict[str, Any]:
    """Return a document whose format is `file_format`, and whose version is one of `versions`."""
    if not isinstance(plain, dict) or plain.get("format") != file_format:
        given = plain.get("format") if isinstance(plain, dict) else type(plain).__name__
        raise FormatError(field="format", allowed=file_format, given=given, source=source)
    version = plain.get("version")
    # Python takes true and 2.0 for integers.
    if type(version) is not int or version not in versions:
        *older, oldest = map(str, versions)
        allowed = f"{', '.join(older)} or {oldest}" if older else oldest
        raise FormatError(field="version", allowed=allowed, given=version, source=source)
    return plain
