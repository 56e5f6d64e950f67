"""Equal arrays of several layers as one, in memory and in the file: the steps of a recurrent layer.

A file with such arrays has version 5, or 6 where its kinds of layers need that: it stores the first
of equal arrays, and its member `shared` says which other arrays are that one. Graph and arrays mean
what they mean without it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.files.json_text import plain_json
from hwgen.network.graph import version_of_kinds
from hwgen.network.layer import Arrays

VERSION_5 = 5
"""Of a file that stores equal arrays once."""
SHARED = "shared"
"""Member of a file of version 5: JSON, the array that is stored by the name of each that is not."""
LEAST_BYTES = 1024
"""Of an array that is shared: a smaller one takes hardly more of a file than its mention."""

Plain = dict[str, Any]
Content = tuple[str, tuple[int, ...], bytes]


def content_of(array: NDArray[Any]) -> Content | None:
    """Return type, shape and sha256 of an array; None: it is too small to be shared."""
    if array.nbytes < LEAST_BYTES:
        return None
    digest = hashlib.sha256(np.ascontiguousarray(array).data).digest()
    return array.dtype.str, array.shape, digest


class SharedArrays:
    """Gives the first of equal arrays for each of them; one that is given again is read-only."""

    def __init__(self) -> None:
        self._first: dict[Content, NDArray[Any]] = {}

    def all_of(self, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
        """Return arrays by name, equal ones as one."""
        return {name: self.one(array) for name, array in arrays.items()}

    def one(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the first array of the content of this one; a small one as it is."""
        content = content_of(array)
        if content is None:
            return array
        if content not in self._first:
            self._first[content] = array
            return array
        first = self._first[content]
        first.flags.writeable = False
        return first


def stored_once(plain: Plain, arrays: Arrays) -> tuple[Plain, Arrays]:
    """Return graph and arrays as they are stored: version 5 or 6 where arrays are equal."""
    first: dict[Content, str] = {}
    shared: dict[str, str] = {}
    for name, array in arrays.items():
        content = content_of(array)
        if content is not None and first.setdefault(content, name) != name:
            shared[name] = first[content]
    if not shared:
        return plain, arrays
    kept = {name: array for name, array in arrays.items() if name not in shared}
    text = np.frombuffer(json.dumps(shared).encode(), np.uint8)
    version = max(plain["version"], VERSION_5)
    return {**plain, "version": version}, {**kept, SHARED: text}


def from_version_5(plain: Plain, arrays: Arrays, *, source: str) -> tuple[Plain, Arrays]:
    """Return graph and arrays without shared ones, of version 3, 4 or 6.

    Raises FormatError where `shared` is absent, is no mapping of names, names an array that is not
    there, or an array twice.
    """
    kept = {name: array for name, array in arrays.items() if name != SHARED}
    shared = None
    if SHARED in arrays:
        shared = plain_json(arrays[SHARED].tobytes(), field=SHARED, source=source)
    if not isinstance(shared, dict):
        allowed = f"a mapping of names of arrays in a file of version {VERSION_5}"
        given = "nothing" if shared is None else shared
        raise FormatError(field=SHARED, allowed=allowed, given=given, source=source)
    found = dict(kept)
    for name, first in shared.items():
        allowed = "an array that is stored" if name not in kept else "absent: it is stored"
        if name in kept or not isinstance(first, str) or first not in kept:
            raise FormatError(field=f"{SHARED}.{name}", allowed=allowed, given=first, source=source)
        found[name] = kept[first]
    return {**plain, "version": version_without(plain)}, found


def version_without(plain: Plain) -> int:
    """Return the version that the graph would have without shared arrays."""
    layers = plain.get("layers")
    given = layers if isinstance(layers, list) else []
    kinds = {each.get("op") for each in given if isinstance(each, dict)}
    return version_of_kinds({kind for kind in kinds if isinstance(kind, str)})
