"""Latency follows width: a network of ResNet20's shape with four widths on the paper chip."""

from hwgen.compiler.mram import compile_network
from hwgen.model.mram import CycleModel
from hwgen.spec.network import INPUT, QuantizedNetwork
from tests.compiler.mram.archs import arch_of
from tests.compiler.mram.nets import SAME, Drawn

WIDTHS = (1.0, 0.75, 0.5, 0.25)
STAGES = (16, 32, 64)
BLOCKS = 3


def resnet20() -> QuantizedNetwork:
    """Return a network of ResNet20's shape with random weights."""
    net = Drawn(1, modes=tuple(f"{width}x" for width in WIDTHS), shape=(32, 32, 3))
    now = net.conv(INPUT, channels(STAGES[0]), **SAME)
    for stage, count in enumerate(STAGES):
        for block in range(BLOCKS):
            stride = (2, 2) if stage and not block else (1, 1)
            inner = net.conv(now, channels(count), stride=stride, **SAME)
            inner = net.conv(inner, channels(count), **SAME)
            skip = now if stride == (1, 1) else net.shortcut(now, channels(count), stride=stride)
            now = net.add(inner, skip)
    pooled = net.average_pool(now, kernel=net.size(now), stride=(1, 1), padding=(0, 0, 0, 0))
    return net.build(net.linear(pooled, (10,) * len(WIDTHS), bits=32))


def channels(count: int) -> tuple[int, ...]:
    """Return the channels of each mode."""
    return tuple(int(count * width) for width in WIDTHS)


def test_cycles_fall_with_the_width_of_the_mode() -> None:
    arch = arch_of("paper")
    model = CycleModel(compile_network(resnet20(), arch), arch)
    cycles = [model.predict(modes=[mode]).cycles for mode in range(len(WIDTHS))]
    assert cycles[0] <= 150_000
    for found, most in zip(cycles[1:], (0.70, 0.50, 0.22), strict=True):
        assert found <= most * cycles[0]
    seed = CycleModel(compile_network(resnet20(), arch, mapping="seed"), arch)
    assert seed.predict(modes=[0]).cycles > 4 * cycles[0]
    assert seed.predict(modes=[3]).cycles > 0.9 * seed.predict(modes=[0]).cycles
