"""Golden's maps of a network in a file, for processes that predict.

Tests: `tests/commands/test_sweep.py`.
"""

from pathlib import Path

from hwgen.commands.context import Context
from hwgen.commands.engines import Maps, expected_maps
from hwgen.commands.images import Batch
from hwgen.commands.subject import Subject
from hwgen.files.digests import digest_of
from hwgen.files.npz import read_npz, write_npz


def maps_file(context: Context, subject: Subject, batch: Batch) -> Path:
    """Return the file of the maps of a network; its name holds digests of network and images."""
    modes = "" if not any(batch.modes) else f"-{digest_of(batch.modes)[:16]}"
    name = f"{subject.network.digest[:16]}-{batch.about.digest[:16]}{modes}.npz"
    return context.work / "maps" / name


def keep_maps(context: Context, subject: Subject, batch: Batch) -> Path:
    """Return the file with the maps of images that all have one mode, written now if it lacks."""
    path = maps_file(context, subject, batch)
    if not path.is_file():
        write_npz(path, dict(expected_maps(context, subject, batch)), what="maps")
    return path


def read_maps(path: Path) -> Maps:
    """Return the maps of a file of `keep_maps`."""
    return read_npz(path, what="maps", allowed="maps of this command")
