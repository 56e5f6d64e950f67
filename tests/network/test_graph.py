"""A network gives every array of its layers by name, and after them what its host needs."""

from dataclasses import replace

import numpy as np

from hwgen.network.host import RawImage
from verif.dbpim.directed_network import directed


def test_arrays_of_every_layer_and_of_the_host() -> None:
    network = directed("squeeze_and_excite")
    names = [
        f"{layer}.{key}"
        for layer in sorted({*network.parameters, *network.tables, *network.held})
        for key in network.arrays_of(layer)
    ]
    assert network.parameters and network.tables
    assert list(network.arrays()) == names
    places = np.arange(3, dtype=np.int32)
    told = replace(network, raw_image=RawImage(steps=(), byte=1.0), answer_places=places)
    assert list(told.arrays()) == names + list(told.host_arrays())
    assert len(told.host_arrays()) == 2
