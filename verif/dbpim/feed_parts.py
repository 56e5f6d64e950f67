"""The parts that feed the macros of a core, side by side."""

from hwgen.rtl.dbpim.activation_buffer import ActivationBuffer
from hwgen.rtl.dbpim.fetcher import Fetcher
from hwgen.rtl.dbpim.group_queue import GroupQueue
from hwgen.rtl.dbpim.switch import Switch
from hwgen.rtl.dbpim.tile_store import TileStore
from hwgen.rtl.dbpim.walker import Walker
from hwgen.spec.dbpim.arch import Arch
from verif.common.side_by_side import SideBySide


def feed_parts(arch: Arch) -> SideBySide:
    """Return the parts that feed the macros of a core."""
    parts = (ActivationBuffer, Fetcher, GroupQueue, Switch, TileStore, Walker)
    return SideBySide(parts=[part(arch=arch) for part in parts])
