"""The staircase of a network on an MRAM chip, which the trainer chooses channels by.

    python -m hwgen.mram.pages.staircase configs/networks/cadnn_digits.npz configs/mram/small.yaml

prints a file of the format hwgen.staircase: cycles of each layer by the cycle model. They depend on
the shapes and the modes of the network alone, and the same arguments give the same bytes. With
--loaded the cycles are those on the weights that the network's own program loads.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from hwgen.errors import HwgenError
from hwgen.mram.compiler.staircase import staircases
from hwgen.mram.facts.arch import Arch, load_arch
from hwgen.mram.model import SplitCost
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network

USAGE = "usage: python -m hwgen.mram.pages.staircase [--loaded] NETWORK ARCH"
LOADED = "--loaded"
FILES = 2


def main(arguments: Sequence[str]) -> int:
    """Print the staircase of the network on the chip named in `arguments`; return the exit code."""
    files = [Path(each) for each in arguments if each != LOADED]
    if len(files) != FILES:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        network, arch = load_network(files[0]), load_arch(files[1])
        print(staircase_text(network, arch, loaded=LOADED in arguments), end="")
    except HwgenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def staircase_text(network: QuantizedNetwork, arch: Arch, *, loaded: bool = False) -> str:
    """Return the YAML of a staircase file; loaded: see `staircases`."""
    graph, lines = network.graph, []
    for name, steps in staircases(network, arch, layer_cost=SplitCost(arch), loaded=loaded).items():
        lines.append(f"  {name}:")
        lines += [
            f"    - {{outputs: {step.outputs}, inputs: {step.inputs}, cycles: {step.cycles}}}"
            for step in steps
        ]
    modes = f"on the weights that are loaded for {', '.join(graph.modes)}"
    head = [
        f"# Cycles of the layers of {graph.name} by their channels, on the chip {arch.name}:",
        f"# {modes if loaded else 'each size with copies of its own in the rows'}.",
        "# Made by scripts/staircases.",
        "format: hwgen.staircase",
        "version: 1",
        "layers:",
    ]
    return "\n".join([*head, *lines]) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
