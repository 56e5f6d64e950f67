"""Networks drawn from a seed: which layers stand in which order, before a framework makes them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

STYLES = (
    "convolution", "dilated", "separable", "residual", "inverted", "gated", "dense", "maximum",
    "mean",
)  # fmt: skip
"""Blocks that both frameworks have."""
TORCH = (*STYLES, "grouped", "attention", "fire", "inception", "shuffle")
PT2E = tuple(each for each in TORCH if each != "attention")
"""pt2e leaves the weights of a convolution of rows real."""
FX = tuple(each for each in PT2E if each != "dense")
"""torch's exporter writes neither of the two behind torch.ao: a Transpose and a batch norm."""
KERAS = (*STYLES, "multiplied", "branches")
HEADS = ("mean", "hidden", "flat", "pixels", "transposed")
PT2E_HEADS = HEADS[:-1]
"""pt2e leaves the weights of a transposed convolution real."""
ACTS = ("relu", "relu", "relu6", "swish", "hard_swish", "leaky_relu")
"""ReLU twice: much of what people export has it."""
SIDES = ((16, 16, 3), (20, 20, 1), (12, 24, 3))
SMALLEST = 4
"""Side of a map that is not made smaller."""


@dataclass(frozen=True)
class Draw:
    """A network: a convolution of stride 2, blocks and a head.

    sides: rows, columns and channels of the image; width, kernel: of the convolution; blocks: name
    of each, and its stride, which holds while the map is not the smallest
    """

    seed: int
    sides: tuple[int, int, int]
    act: str
    width: int
    kernel: int
    blocks: tuple[tuple[str, int], ...]
    head: str

    @property
    def name(self) -> str:
        """What it consists of."""
        blocks = "_".join(name for name, _ in self.blocks)
        return f"drawn_{self.seed}_{self.act}_{blocks}_to_{self.head}"


def draw(seed: int, blocks: Sequence[str], heads: Sequence[str] = HEADS) -> Draw:
    """Return a network of some of the blocks and heads; equal seeds draw equal networks."""
    chance = random.Random(seed)
    return Draw(
        seed=seed,
        sides=chance.choice(SIDES),
        act=chance.choice(ACTS),
        width=chance.choice((8, 12, 16)),
        kernel=chance.choice((3, 5)),
        blocks=tuple(
            (chance.choice(blocks), chance.choice((1, 2))) for _ in range(chance.randint(2, 4))
        ),
        head=chance.choice(heads),
    )


def stride_of(map_: Sequence[int], stride: int) -> int:
    """Return the stride of a block on a map of these rows and columns."""
    return stride if min(map_) > SMALLEST else 1
