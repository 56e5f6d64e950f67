"""Any function of an element, as a lookup table."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import (
    LayerBase,
    Surroundings,
    array_shape_complaints,
    array_type_complaints,
)
from hwgen.network.maps import BYTE_BITS, Complaint, same_channels_complaints

ENTRIES = 1 << BYTE_BITS


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Table(LayerBase):
    """output = table[mode, input]; array `table` uint8 (modes, 256), unused entries 0."""

    op: Literal["table"]

    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = {"table": (np.uint8,)}

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that both maps have up to 8 bits, and used entries lie in the output's range."""
        name, source, table = self.name, around.sources[0], around.arrays["table"]
        for where, feature in ((f"the input of {name}", source), (name, self.output)):
            if feature.bits > BYTE_BITS:
                yield f"{where}.bits", f"at most {BYTE_BITS}", feature.bits
                return
        yield from same_channels_complaints(name, source, self.output)
        mistakes = [
            *array_type_complaints(name, "table", table, (np.uint8,)),
            *array_shape_complaints(name, "table", table, (around.modes, ENTRIES)),
        ]
        yield from mistakes
        if mistakes:
            return
        used = table[:, : 1 << source.bits]
        if table[:, 1 << source.bits :].any():
            yield f"{name}.table", f"0 from entry {1 << source.bits} on", "others"
        for mode, values in enumerate(self.output.quantization):
            outside = used[mode][(used[mode] < values.low) | (used[mode] > values.high)]
            if outside.size:
                yield f"{name}.table", f"from {values.low} to {values.high}", outside[0]
