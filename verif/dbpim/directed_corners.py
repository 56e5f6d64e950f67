"""The directed networks by name, and what each of them is filled with."""

from collections.abc import Callable
from functools import wraps

from hwgen.network import QuantizedNetwork
from verif.dbpim.network_builder import NetworkBuilder, Shape, Weights
from verif.dbpim.random_weights import draw_weights

DIRECTED: dict[str, Callable[[], QuantizedNetwork]] = {}
"""Every directed network by name."""


def directed(name: str) -> QuantizedNetwork:
    """Return the directed network called `name`, always the same."""
    return DIRECTED[name]()


def corner(
    shape: Shape, *, zero_point: int = 0
) -> Callable[[Callable[[NetworkBuilder], None]], Callable[[NetworkBuilder], None]]:
    """Register a function that fills a builder, under its name; `shape` is that of the image."""

    def enter(fill: Callable[[NetworkBuilder], None]) -> Callable[[NetworkBuilder], None]:
        @wraps(fill)
        def build() -> QuantizedNetwork:
            builder = NetworkBuilder(name=fill.__name__, shape=shape, seed=1, zero_point=zero_point)
            fill(builder)
            return builder.build()

        DIRECTED[fill.__name__] = build
        return fill

    return enter


def fill_weights(
    net: NetworkBuilder,
    source: str,
    phis: list[int],
    *,
    kernel: tuple[int, int] = (3, 3),
    pruned_share: float = 0.0,
    loose_share: float = 0.0,
) -> Weights:
    """Return filters over `source`, one for each of `phis`."""
    k = kernel[0] * kernel[1] * net.features[source].channels
    return draw_weights(net.rng, phis=phis, k=k, pruned_share=pruned_share, loose_share=loose_share)


def finish(net: NetworkBuilder, now: str, classes: int = 3) -> None:
    """Append a linear head of phi 2."""
    whole = net.features[now].shape[:2]
    net.linear(now, fill_weights(net, now, [2] * classes, kernel=whole), head=True)
