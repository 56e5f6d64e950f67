"""Position vectors of a core in a step, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import of_core

Ints = NDArray[np.int64]
Bits = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Positions of a core's vectors in a CONV or SIMD step, each (vectors, macros of a core).

    image, y, x: of the output position; active: it is an output position of the step
    row: as stored in the output
    private: its row is one that no other core keeps
    """

    image: Ints
    y: Ints
    x: Ints
    active: Bits
    row: Ints
    private: Bits


def vectors_of(fields: Mapping[str, int], core: int, arch: Arch) -> Vectors:
    """Return the vectors of a core; fields: of the instruction."""
    macros, patch = arch.macros_per_core, fields["patch"]
    across, down = macros >> patch, 1 + patch
    first, end, width = (
        fields[name] for name in ("output_first_row", "output_end_row", "output_width")
    )
    in_row, in_column = -(-width // across), -(-(end - first) // down)
    image, y, x = (fields[of_core(f"start_{name}", core)] for name in ("image", "y", "x"))
    start = (image * in_column + (y - first) // down) * in_row + x // across
    number = start + np.arange(fields[of_core("vectors", core)])[:, np.newaxis]
    rows, columns = np.divmod(number, in_row)
    images, rows = np.divmod(rows, in_column)
    below, right = np.divmod(np.arange(macros), across)
    ys, xs = first + rows * down + below, columns * across + right
    row = images * fields["output_image_rows"] + ys
    private = row - fields[of_core("private_first", core)]
    return Vectors(
        image=np.broadcast_to(images, ys.shape),
        y=ys,
        x=xs,
        active=(ys < end) & (xs < width),
        row=row,
        private=(private >= 0) & (private < fields[of_core("private_rows", core)]),
    )


def words_read(vectors: Vectors, fields: Mapping[str, int], *, kernel_y: int, kernel_x: int) -> int:
    """Return the words that the banks read for a tap of every vector.

    Positions of a vector that see one pixel of a map that has grown share its word.
    """
    y = vectors.y * fields["stride_y"] + kernel_y - fields["padding_top"]
    x = vectors.x * fields["stride_x"] + kernel_x - fields["padding_left"]
    down, across = (1 << fields.get(name, 0) for name in ("grow_y", "grow_x"))
    height, width = fields["input_height"] * down, fields["input_width"] * across
    seen = vectors.active & (y >= 0) & (y < height) & (x >= 0) & (x < width)
    if fields.get("grow_zeros", 0):
        return int((seen & (y % down == 0) & (x % across == 0)).sum())
    pixel = np.sort(np.where(seen, y // down * width + x // across, -1), axis=1)
    shared = (pixel[:, 1:] == pixel[:, :-1]) & (pixel[:, 1:] >= 0)
    return int(seen.sum() - shared.sum())
