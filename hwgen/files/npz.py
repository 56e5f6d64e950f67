"""Arrays in one `.npz` without pickle: written whole or not at all, the same bytes every time.

Nothing is compressed: another version of zlib would write other bytes.
"""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import FormatError, HwgenError
from hwgen.files.given import check_given, read_given
from hwgen.files.output import whole_file

SUFFIX = ".npy"
"""Of the name of every member."""
MOST_BYTES = 1 << 30
"""Of all arrays of a file together."""
HEADERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Readers of the header by the version of the format of arrays."""


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]], *, what: str) -> None:
    """Write the arrays; `what` names the content in the error."""
    with whole_file(path, what=what) as fresh:
        write_members(fresh, arrays)


def write_members(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write one `.npy` for each array into a zip file."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            # ZipInfo has a fixed date where ZipFile.write would take today's, and the memory
            # order of an array would show in the file.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                contiguous = np.asarray(array, order="C")
                np.lib.format.write_array(member, contiguous, allow_pickle=False)


def read_npz(path: Path, *, what: str, allowed: str) -> dict[str, NDArray[Any]]:
    """Return all arrays of a file; the error reads: `what` must be `allowed`.

    The sizes of all members are checked before any of them is read.
    Errors: FormatError
    """
    try:
        check_given(path, what=f"the {what}", allowed=allowed)
        with path.open("rb") as handle, zipfile.ZipFile(handle) as archive:
            check_members(archive, allowed=allowed, source=str(path))
            return {
                member.filename.removesuffix(SUFFIX): read_member(archive, member)
                for member in archive.infolist()
            }
    except HwgenError:
        raise
    except FileNotFoundError:
        given = "no file"
    except OSError as error:
        given = error.strerror or "a damaged file"
    # Damaged bytes raise a dozen types in numpy, zipfile and zlib.
    except Exception:
        given = "a damaged file" if is_archive(path) else "a truncated or foreign file"
    raise FormatError(field=f"the {what}", allowed=allowed, given=given, source=str(path))


def read_npy(path: Path, *, what: str, allowed: str) -> NDArray[Any]:
    """Return the array of a `.npy`; the error reads: `what` must be `allowed`."""
    content = read_given(path, what=f"the {what}", allowed=allowed, most_bytes=MOST_BYTES)
    try:
        return np.asarray(np.lib.format.read_array(BytesIO(content), allow_pickle=False))
    except Exception:  # damaged bytes raise several types in numpy
        given = "a damaged or foreign file"
    raise FormatError(field=f"the {what}", allowed=allowed, given=given, source=str(path))


def check_members(archive: zipfile.ZipFile, *, allowed: str, source: str) -> None:
    """Refuse an archive of other things than arrays, with one name twice, or too large."""
    names = [member.filename for member in archive.infolist()]
    for name in names:
        if not name.endswith(SUFFIX):
            raise FormatError(field="every member", allowed="an array", given=name, source=source)
    if len(set(names)) < len(names):
        raise FormatError(
            field="every array", allowed="there once", given="one twice", source=source
        )
    size = sum(member.file_size for member in archive.infolist())
    if size > MOST_BYTES:
        allowed = f"{allowed} with at most {MOST_BYTES:,} bytes of arrays"
        raise FormatError(field="the file", allowed=allowed, given=f"{size:,} bytes", source=source)


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Return one array; its header must ask for as many bytes as the member has."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = HEADERS[version]
        shape, _, dtype = read_header(file)
        wanted = dtype.itemsize
        for side in shape:
            wanted *= side
        if dtype.hasobject or min(shape, default=0) < 0 or wanted != member.file_size - file.tell():
            raise ValueError(f"the header of {member.filename} does not fit its bytes")
    with archive.open(member) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def is_archive(path: Path) -> bool:
    """Return whether a file ends as a zip file does."""
    try:
        return zipfile.is_zipfile(path)
    except (OSError, ValueError):
        return False
