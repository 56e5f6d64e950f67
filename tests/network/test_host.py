"""Raw images become integers of the input, up to the largest that its bits hold."""

from dataclasses import replace

import numpy as np

from hwgen.network.host import RawImage
from verif.dbpim.directed_network import directed


def test_integers_end_at_both_ends_of_the_map() -> None:
    image = directed("squeeze_and_excite").graph.input
    entry = image.quantization[0]
    for bits in (4, 8):
        narrow = replace(image, bits=bits)
        steps = np.array([-300, -1, 0, 1, 2, 300], np.float32)
        raw = np.broadcast_to(steps[:, None] * np.float32(entry.scale), (6, image.channels))
        found = RawImage(steps=(), byte=1.0).integers(raw, narrow)
        wanted = [min(max(int(s) + entry.zero_point, 0), 2**bits - 1) for s in steps]
        assert found[:, 0].tolist() == wanted
