"""Networks that remember, whole on RTL: fifty calls, a reset in the middle, two streams in turn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from golden.states import Session
from hwgen.chip.trouble import Trouble
from hwgen.dbpim.sim.chip_run import Call
from hwgen.network import QuantizedNetwork
from tests.verif.dbpim.chips import check_chip, chip_arch
from verif.dbpim.recurrent import NETWORKS

CALLS = 50


def drawn_images(network: QuantizedNetwork, count: int) -> NDArray[np.uint8]:
    """Return drawn images, one a call."""
    return np.random.default_rng(3).integers(0, 256, (count, *network.graph.input.shape), np.uint8)


def golden_maps(
    network: QuantizedNetwork, images: NDArray[np.uint8], calls: Sequence[Call]
) -> dict[str, NDArray[np.uint8]]:
    """Return golden's maps of calls; each stream goes on where it was."""
    sessions = {call.stream: Session(network) for call in calls}
    found = [
        sessions[call.stream].step(image[np.newaxis])
        for image, call in zip(images, calls, strict=True)
    ]
    return {name: np.concatenate([maps[name] for maps in found]) for name in found[0]}


@pytest.mark.dear("streaming")
@pytest.mark.promise("a recurrent or streaming network runs call by call as golden computes it")
@pytest.mark.parametrize("name", NETWORKS)
def test_fifty_calls(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name](1)
    images = drawn_images(network, CALLS)
    calls = [Call()] * CALLS
    maps = golden_maps(network, images, calls)
    check_chip(network, chip_arch("small_rows"), images, tmp_path, maps=maps, calls=calls)


@pytest.mark.promise("a stream is an address: streams in turn and a reset need no other program")
def test_two_streams_in_turn_and_a_reset(tmp_path: Path) -> None:
    network = NETWORKS["gru"](2)
    # A reset is a scratch space that holds the first values again: the third stream.
    calls = [Call(stream=number) for number in (0, 1, 0, 1, 1, 2, 0, 2, 1)]
    images = drawn_images(network, len(calls))
    maps = golden_maps(network, images, calls)
    check_chip(network, chip_arch("small_rows"), images, tmp_path, maps=maps, calls=calls)


def test_calls_with_a_memory_that_stalls(tmp_path: Path) -> None:
    network = NETWORKS["streaming"](2)
    images = drawn_images(network, 6)
    calls = [Call()] * len(images)
    maps = golden_maps(network, images, calls)
    trouble = Trouble(stall=40, seed=5)
    arch = chip_arch("small_rows")
    check_chip(network, arch, images, tmp_path, maps=maps, calls=calls, trouble=trouble)
