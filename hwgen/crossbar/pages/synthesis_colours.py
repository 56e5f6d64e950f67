"""Colours of the pictures of a synthesis: of layers, the same in all of them, and of parts."""

import colorsys

from hwgen.crossbar.facts.arch import Arch

PARTS = {
    "crossbar": "#2563a8",
    "dac": "#60a5d8",
    "adc": "#d97706",
    "shift_add": "#8b5fbf",
    "addition": "#b794d9",
    "relu": "#d16ba5",
    "sigmoid": "#c2547d",
    "pool": "#4aa391",
    "eltwise": "#8cc6b0",
    "scratchpad": "#2f855a",
    "network_on_chip": "#8a94a3",
}

GUEST = "#aab4c2"
"""Of layers without weights: they live in the macros of others."""


def layer_colours(arch: Arch) -> list[str]:
    """Return a colour for each layer: with weights once around the circle, in layer order."""
    weighted = [place for place, layer in enumerate(arch.layers) if layer.mapping.crossbars > 0]
    colours = [GUEST] * len(arch.layers)
    for turn, place in enumerate(weighted):
        hue = 0.58 + 0.92 * turn / len(weighted)
        lightness = 0.46 if turn % 2 == 0 else 0.62
        red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, 0.55)
        colours[place] = f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
    return colours
