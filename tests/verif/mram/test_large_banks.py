"""Image banks of several sub-arrays: maps larger than one, equal to golden in RTL."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.errors import ConfigError
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.sim import simulate
from hwgen.network import INPUT, QuantizedNetwork
from tests.verif.mram.chips import check_cycles, check_maps, chip_arch, compiled, images_of
from verif.common.drawing import Drawing

TINY = chip_arch("tiny")
LARGE = replace(TINY, bank_arrays=4)


def drawn(seed: int) -> QuantizedNetwork:
    """Return an image, a convolution, an addition and a pool of maps beyond one sub-array."""
    net = Drawing(seed, modes=("1.0x",), shape=(12 + seed, 16, 3))
    around = (1, 1, 1, 1)
    first = net.conv(INPUT, (4,), kernel=(3, 3), padding=around, weight_bits=3)
    now = net.conv(first, (4,), kernel=(3, 3), padding=around, weight_bits=3, like=first)
    now = net.add(first, now)
    now = net.max_pool(now, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0))
    now = net.conv(now, (6,), kernel=(3, 3), stride=(2, 2), padding=around, weight_bits=2)
    sides = net.size(now)
    now = net.average_pool(now, kernel=sides, stride=(1, 1), padding=(0, 0, 0, 0))
    return net.build(net.linear(now, (3,), bits=32, weight_bits=2))


@pytest.mark.dear
@pytest.mark.promise(
    "image banks of several sub-arrays hold larger maps: RTL equal to golden, cycles to the model"
)
def test_maps_beyond_a_sub_array() -> None:
    network = drawn(1)
    sizes = [each.height * each.width * each.channels for each in network.graph.maps.values()]
    assert TINY.bank_bytes < max(sizes) <= LARGE.bank_bytes == 4 * TINY.bank_bytes
    program = compiled(network, LARGE, images=1)
    images = images_of(network, 1)
    (run,) = simulate(LARGE, program, images, modes=[0], seed=3)
    check_maps(run, network, images)
    check_cycles(run, program, LARGE, [0])


def test_a_bank_is_of_a_power_of_two(tmp_path: Path) -> None:
    given = Path("configs/mram/tiny.yaml").read_text() + "bank_arrays: 3\n"
    (tmp_path / "chip.yaml").write_text(given)
    with pytest.raises(ConfigError, match="bank_arrays must be a power of two, got 3"):
        load_arch(tmp_path / "chip.yaml")
