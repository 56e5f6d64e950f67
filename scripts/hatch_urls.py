"""Addresses in the metadata of a wheel: a publisher gives one, HWGEN_HOME, such as https://host/group/hwgen.

Without it there are none, so that no wheel of a fork leads to somebody else.

Tests: `tests/test_urls.py`.
"""

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PLACES = {
    "Homepage": "",
    "Source": "",
    "Issues": "/issues",
    "Changelog": "/blob/main/CHANGELOG.md",
    "Citation": "/blob/main/CITATION.cff",
}


class Urls(MetadataHookInterface):
    """The hook of hatchling."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the addresses."""
        home = os.environ.get("HWGEN_HOME", "").rstrip("/")
        metadata["urls"] = {name: home + place for name, place in PLACES.items()} if home else {}
