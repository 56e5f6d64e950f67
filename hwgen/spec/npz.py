"""Arrays in one `.npz` without pickle: written whole or not at all, the same bytes every time.

Nothing is compressed: another version of zlib would write other bytes.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.spec.output import whole_file


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
                contiguous = np.ascontiguousarray(array)
                np.lib.format.write_array(member, contiguous, allow_pickle=False)


def read_npz(path: Path, *, what: str, allowed: str) -> dict[str, NDArray[Any]]:
    """Return all arrays of a file; the error reads: `what` must be `allowed`."""
    try:
        # numpy leaves a file open that it opened itself and cannot read.
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            return {name: np.asarray(file[name]) for name in file.files}
    except FileNotFoundError:
        given = "no file"
    except OSError as error:
        given = error.strerror or "a damaged file"
    # Damaged bytes raise a dozen types in numpy, zipfile and zlib.
    except Exception:
        given = "a damaged file" if zipfile.is_zipfile(path) else "a truncated or foreign file"
    raise FormatError(field=f"the {what}", allowed=allowed, given=given, source=str(path))
