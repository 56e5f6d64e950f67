"""The integer graph: what readers of files fill, and what is lowered to a quantized network.

Tests: `tests/importers/integer/test_lower.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.integer.endings import Ending
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import Node
from hwgen.network import QuantizedNetwork
from hwgen.network.host import RawImage
from hwgen.network.tokens import TokenRows


@dataclass(frozen=True, kw_only=True)
class Note:
    """What the network file does not hold exactly.

    node: name of a node of the file
    what: a sentence without its full stop
    steps: largest effect on an element of the node's output, in steps before rounding
    operator: of the node, as the file calls it
    """

    node: str
    what: str
    steps: float
    operator: str = ""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where the runtime of the file computes other integers than the network.

    operator: as the file calls it; nodes: of that operator, of which this holds
    what: a sentence without its full stop
    steps: by which an element may differ at most, on the same inputs
    """

    operator: str
    nodes: int
    what: str
    steps: int


BIAS_NOTE = "its bias is rounded"
"""What the note of a layer says whose bias is no whole number of steps of its sums."""


def unchanged(network: QuantizedNetwork) -> QuantizedNetwork:
    """Return the network as it is."""
    return network


@dataclass(frozen=True, kw_only=True)
class IntegerGraph:
    """A quantized network of any format.

    name: of the network; source: path of the file, for messages; format: such as `TFLite`
    input: name of the map that is the image; outputs: names of maps, the first is the answer
    maps: every quantized map by name; a map that is not quantized is absent
    nodes: in topological order, each after those that write its inputs
    notes: what the reader did not take over exactly
    raw_image: what the host does to the image before its quantization; None: nothing
    ends: by name of a tensor of the file what it is, in the order of the outputs; empty: each
        output is a map
    answer_places: order of the answer's elements in the file; None: that of its map
    behind: sentences, what the host does behind the chip
    token_rows: what the host looks up by ids; None: the image is given
    remarks: sentences, what one should know of the file beside what is not exact
    kernels: whose arithmetic the file says that it computes; None: that of its format's runtime
    finish: adds to the lowered network what the file says besides, such as the names of classes
    model: gives the whole file in the library of its format; None: nobody asks for it
    reading: gives what the reader knows of every tensor, for the runtime; None: no runtime asks
    in_session: as the default session of its runtime runs it; None: as it is written
    runtime: with its version, that `in_session` is of; unread: a sentence, why there is none
    whole: functions at the ends are kept, of which a network else answers the order alone
    """

    name: str
    source: str
    format: str
    input: str
    outputs: tuple[str, ...]
    maps: Mapping[str, QuantizedMap]
    nodes: tuple[Node, ...]
    notes: tuple[Note, ...] = field(default=())
    raw_image: RawImage | None = None
    ends: Mapping[str, Ending] = field(default_factory=dict)
    answer_places: NDArray[np.int64] | None = None
    behind: tuple[str, ...] = ()
    token_rows: TokenRows | None = None
    remarks: tuple[str, ...] = ()
    kernels: Kernels | None = None
    finish: Callable[[QuantizedNetwork], QuantizedNetwork] = unchanged
    model: Callable[[], Any] | None = None
    reading: Callable[[], Any] | None = None
    in_session: "IntegerGraph | None" = None
    runtime: str = ""
    unread: str = ""
    whole: bool = False

    def read_by(self, kernels: Kernels) -> "IntegerGraph":
        """Return the graph that kernels compute: onnxruntime's are those of a default session."""
        return self.in_session if kernels == "onnxruntime" and self.in_session else self

    @cached_property
    def writers(self) -> dict[str, Node]:
        """The node that writes each map; none writes the image."""
        return {node.output: node for node in self.nodes}

    @cached_property
    def _readers(self) -> dict[str, list[Node]]:
        """The nodes that read each map."""
        readers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                readers.setdefault(name, []).append(node)
        return readers

    def writer(self, name: str) -> Node | None:
        """Return the node that writes a map; None for the image."""
        return self.writers.get(name)

    def readers(self, name: str) -> list[Node]:
        """Return the nodes that read a map, in order."""
        return self._readers.get(name, [])
