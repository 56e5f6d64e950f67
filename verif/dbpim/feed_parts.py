"""The parts that feed the macros of a core, side by side."""

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.activation_buffer import ActivationBuffer
from hwgen.dbpim.rtl.direct_feed import DirectFeed
from hwgen.dbpim.rtl.fetcher import Fetcher
from hwgen.dbpim.rtl.group_queue import GroupQueue
from hwgen.dbpim.rtl.switch import Switch
from hwgen.dbpim.rtl.tile_store import TileStore
from hwgen.dbpim.rtl.walker import Walker
from verif.common.side_by_side import SideBySide


def feed_parts(arch: Arch) -> SideBySide:
    """Return the parts that feed the macros of a core."""
    grouping = (GroupQueue, Switch) if arch.sparse_parts else (DirectFeed,)
    parts = (ActivationBuffer, Fetcher, *grouping, TileStore, Walker)
    return SideBySide(parts=[part(arch=arch) for part in parts])
