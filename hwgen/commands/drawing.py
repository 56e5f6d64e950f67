"""A network that is drawn by the densities of a file, where a network is asked for.

Tests: `tests/commands/test_densities.py`.
"""

from pathlib import Path

from hwgen.commands.context import Context
from hwgen.files.digests import digest_of, digest_of_code
from hwgen.network.densities import Densities
from hwgen.network.drawn import digest_of_densities, drawn_network
from hwgen.network.file import save_network

SUFFIXES = (".yaml", ".yml")


def is_densities(network: Path) -> bool:
    """Return whether a file has densities, not a network."""
    return network.suffix.lower() in SUFFIXES


def drawn_file(context: Context, densities: Densities) -> Path:
    """Return the file of the network that is drawn, in the work folder."""
    facts = [digest_of_densities(densities), digest_of_code("hwgen.network")]
    out = context.work / "drawn" / f"{densities.graph.name}-{digest_of(facts)[:16]}.npz"
    if not out.is_file():
        save_network(drawn_network(densities), out)
    return out
