"""The image in memory: pixels in raster order, channels padded with zeros."""

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError
from hwgen.spec.dbpim.program import ProgramFacts


def pack_image(image: NDArray[np.uint8], facts: ProgramFacts, *, port_bytes: int) -> bytes:
    """Return the bytes of one image (height, width, channels), padded to whole beats."""
    region = facts.image_region
    shape = (region.height, region.width, region.channels)
    if image.dtype != np.uint8 or image.shape != shape:
        given = f"{image.dtype.name} of shape {image.shape}"
        raise DataError(f"an image must be uint8 of shape {shape}, got {given}")
    padded = np.pad(image, ((0, 0), (0, 0), (0, facts.pixel_bytes - region.channels)))
    return padded.tobytes() + bytes(-padded.size % port_bytes)


def image_beats(facts: ProgramFacts, *, port_bytes: int) -> int:
    """Return the beats of one image."""
    region = facts.image_region
    return -(-region.height * region.width * facts.pixel_bytes // port_bytes)
