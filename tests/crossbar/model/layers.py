"""Short names for the layers of test networks; channels and sides are (in, out)."""

from hwgen.crossbar.facts.network import Activation, CrossbarLayer, Kind

Pair = tuple[int, int]
Window = tuple[int, int, int]
"""Kernel, stride, padding."""


def layer(
    name: str,
    kind: Kind,
    providers: tuple[int, ...],
    channels: Pair,
    sides: Pair,
    *,
    window: Window = (1, 1, 0),
    activation: Activation = "none",
    groups: int = 1,
) -> CrossbarLayer:
    kernel, stride, padding = window
    return CrossbarLayer(
        name=name,
        kind=kind,
        providers=providers,
        kernel=kernel,
        stride=stride,
        padding=padding,
        in_channels=channels[0],
        out_channels=channels[1],
        groups=groups,
        in_side=sides[0],
        out_side=sides[1],
        activation=activation,
    )


def conv(
    name: str,
    providers: tuple[int, ...],
    channels: Pair,
    sides: Pair,
    *,
    window: Window,
    activation: Activation = "relu",
    groups: int = 1,
) -> CrossbarLayer:
    return layer(
        name,
        "conv",
        providers,
        channels,
        sides,
        window=window,
        activation=activation,
        groups=groups,
    )


def pool(
    name: str, providers: tuple[int, ...], channels: int, sides: Pair, *, window: Window
) -> CrossbarLayer:
    return layer(name, "pool", providers, (channels, channels), sides, window=window)


def fc(
    name: str, providers: tuple[int, ...], channels: Pair, *, activation: Activation = "relu"
) -> CrossbarLayer:
    return layer(name, "fc", providers, channels, (1, 1), activation=activation)
