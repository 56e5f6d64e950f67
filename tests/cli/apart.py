"""A command on a disk of its own, or beside a checkout that nothing can be written to.

The mounts are in a namespace that ends with the command. Not every machine allows that: then the
tests are skipped.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.cli.given import ROOT

DISK = """
set -e
mount -t tmpfs -o size="$1" none "$2"
cp -r "$4/." "$2"
cd "$2"
if [ "$3" != - ]; then head -c "$1" /dev/zero > filler || true; truncate -s "-$3" filler; fi
shift 4
code=0
"$@" || code=$?
rm -f filler
cp -r . "$OLDPWD"
exit "$code"
"""
"""Arguments: bytes of the disk, where it is mounted, bytes that are free (-: all), what it
holds at first, the command.
"""

READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
cd "$PWD"  # through the mount
shift
exec "$@"
"""


@cache
def namespace() -> tuple[str, ...]:
    """Return the command that gives mounts of its own; nothing: the machine does not allow it."""
    if shutil.which("unshare") is None:
        return ()
    own = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    command = ("unshare", *own, "--mount")
    trial = [*command, "sh", "-c", "mount -t tmpfs none /tmp"]
    done = subprocess.run(trial, capture_output=True, check=False)
    return command if done.returncode == 0 else ()


def on_a_disk(
    begin: Path, arguments: Sequence[object], *, size: int, free: int | None = None
) -> tuple[int, str, Path]:
    """Run hwgen in a copy of a folder on a disk of some bytes; free: so many are left of it.

    Returns exit code, stderr and a folder with what the disk holds afterwards.
    """
    disk, after = begin.with_name("disk"), begin.with_name("after")
    shutil.rmtree(after, ignore_errors=True)
    for folder in (disk, after):
        folder.mkdir(exist_ok=True)
    mine = {"TMPDIR": str(disk), "HWGEN_BUILD_ROOT": str(disk / "sim")}
    given = [size, disk, "-" if free is None else free, begin]
    done = in_namespace(DISK, [*given, *hwgen(arguments)], folder=after, **mine)
    return done.returncode, done.stderr, after


def beside_a_read_only_checkout(
    folder: Path, arguments: Sequence[object]
) -> "subprocess.CompletedProcess[str]":
    """Run hwgen in a folder while nothing in the repository can be written."""
    mine = {"HWGEN_BUILD_ROOT": str(folder / "sim")}
    return in_namespace(READ_ONLY, [ROOT, *hwgen(arguments)], folder=folder, **mine)


def hwgen(arguments: Sequence[object]) -> list[object]:
    """Return the command line of hwgen."""
    return [sys.executable, "-m", "hwgen", *arguments]


def in_namespace(
    script: str, arguments: Sequence[object], *, folder: Path, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a script with mounts of its own."""
    if not namespace():
        pytest.skip("this machine allows no mounts")
    return subprocess.run(
        [*namespace(), "sh", "-c", script, "sh", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
