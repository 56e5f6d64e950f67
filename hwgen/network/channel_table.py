"""A function of an element for each channel, as lookup tables."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic.dataclasses import dataclass

from hwgen.network.layer import LayerBase, Surroundings, one_mode_complaints
from hwgen.network.maps import STRICT, Complaint
from hwgen.network.table import table_complaints


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ChannelTable(LayerBase):
    """output = table[mode, channel, input]; array `table` uint8 (modes, channels, 256)."""

    op: Literal["channel_table"]

    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = {"table": (np.uint8,)}

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that there is one mode, and what holds for a table."""
        yield from one_mode_complaints(self.name, around)
        yield from table_complaints(self, around, (self.output.channels,))
