"""Prepare any module of torch for a chip: each layer that macros compute gets the chip's weights.

    prepared = hwgen.train.prepare(net, "dbpim/paper_float32", share=0.5, digits=2)
    print(prepared)  # a table of layers
    ...  # your loop; behind each step, where the share grows: prepared.step()
    hwgen.api.import_torch(net, images, chip="dbpim/paper_float32", out="net.npz")

Tests: `tests/train/test_prepared.py`.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from torch import nn
from torch.nn.utils import parametrize

from hwgen.chip.effects import load_effects
from hwgen.chip.family import GROUP, Family
from hwgen.errors import ArgumentError, with_near
from hwgen.files.load import read_mapping
from hwgen.files.shipped import file_of, tables
from hwgen.network.pruning import WEAKEST
from hwgen.train.converted import chip_weights
from hwgen.train.few_digits import ALL_DIGITS, MODE, FewDigits
from hwgen.train.prune import grown
from hwgen.train.recipe import Noise

SOURCE = "hwgen.train.prepare"
Convolution = nn.Conv1d | nn.Conv2d
WEIGHTS = {
    nn.Conv1d: "weight",
    nn.Conv2d: "weight",
    nn.Linear: "weight",
    nn.MultiheadAttention: "in_proj_weight",
}
"""Modules with weights that a macro multiplies, and what they call them."""
FEWEST, FEWEST_OF_A_FILTER = 64, 4
"""Weights that show an import which integers they are."""


@dataclass(frozen=True)
class PreparedLayer:
    """What becomes of the weights of one module.

    name, kind: of the module; weights: how many
    share: of its blocks, pruned at the end; digits: of a weight at most, or `mode`
    left: why it stays as it is; empty where it is prepared
    """

    name: str
    kind: str
    weights: int
    share: float = 0.0
    digits: int | str = ALL_DIGITS
    left: str = ""


class Prepared:
    """A module with the weights of a chip, which your loop trains.

    module: the one that was given, changed in place; layers: a line for each module with weights
    steps: of training, where the share grows
    """

    def __init__(self, module: nn.Module, layers: list[PreparedLayer], over: int) -> None:
        self.module, self.layers, self.over, self.steps = module, layers, over, 0
        self.renew()

    def step(self) -> None:
        """Let the share grow: called behind each step of the optimizer, as a schedule's `step`."""
        self.steps += 1
        if self.steps <= self.over:
            self.renew()

    @property
    def grown(self) -> float:
        """How much of the share is reached, 0 to 1."""
        return grown(self.steps / self.over) if self.over else 1.0

    def renew(self) -> None:
        """Choose blocks, digits and steps of the weights as they are now."""
        shares = {layer.name: layer.share for layer in self.layers}
        for name, weights, original in chip_weights(self.module):
            assert isinstance(weights, FewDigits)
            weights.renew(original, shares[name] * self.grown)

    def state_dict(self) -> dict[str, int]:
        """Return how far the share has grown; masks are in the module's own."""
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on from where a training was interrupted."""
        self.steps = state["steps"]

    def __str__(self) -> str:
        rows = [("layer", "kind", "weights", "pruned", "digits", "left as it is")]
        for each in self.layers:
            done = ("-", "-") if each.left else (f"{each.share:.0%}", str(each.digits))
            rows.append((each.name or "-", each.kind, f"{each.weights:,}", *done, each.left))
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join(lines)


def prepare(
    module: nn.Module,
    chip: object,
    *,
    share: float | Mapping[str, float] = 0.0,
    over: int = 0,
    digits: int | str | None = None,
    bits: int = 8,
    rule: str = WEAKEST,
    leave: Collection[str] = (),
    noise: str | Path | None = None,
) -> Prepared:
    """Give each layer that the macros of a chip compute the weights of the chip, in place.

    The module answers with the chip's weights from now on, in training and in evaluation; its
    parameters, their gradients and its optimizer stay.

    chip: name or file of an architecture, or what `hwgen.api.load_architecture` returns
    share: of the blocks of a layer that are pruned, 0 to below 1; or one a layer by name, 0 for
        those that are not named
    over: calls of `step` until the share is reached; 0: at once
    digits: signed digits of a weight at most, 1 to 4; `mode`: 1 or 2, by filter; None: 2 where the
        chip skips digits, else all
    bits: of a weight, 8 or 4; weights of four bits have all their digits
    rule: which blocks are pruned: `weakest`, or a rule of an installed package
    leave: names of modules that are left as they are
    noise: a file of effects; cells of a crossbar chip vary anew at each forward while training
    Raises ArgumentError for what a chip or the module cannot; the module is unchanged then
    """
    if not isinstance(module, nn.Module):
        raise refusal("module", "a torch.nn.Module", type(module).__name__)
    if any(weights for _, weights, _ in chip_weights(module)):
        raise refusal("module", "not prepared yet", "one that is")
    arch = architecture_of(chip)
    check_bits(arch, bits, digits)
    if digits is None:
        digits = 2 if skips(arch, "weight_bits") and bits == 8 else ALL_DIGITS
    check_names(module, (*leave, *(share if isinstance(share, Mapping) else ())))
    drawn = noise_of(noise, arch)
    layers = []
    for line in layers_of(module, leave):
        own = share.get(line.name, 0.0) if isinstance(share, Mapping) else share
        check_share(own, arch)
        layers.append(line if line.left else replace(line, share=own, digits=digits))
    if all(line.left for line in layers):
        raise refusal("module", "one with a layer that macros compute", type(module).__name__)
    for line in layers:
        if not line.left:
            each = module.get_submodule(line.name)
            name = weights_of(each)
            parts = FewDigits(
                getattr(each, name),
                digits=digits,
                bits=bits,
                groups=each.groups if isinstance(each, Convolution) else 1,
                rule=rule,
                noise=drawn,
            )
            parametrize.register_parametrization(each, name, parts)
    return Prepared(module, layers, over)


def layers_of(module: nn.Module, leave: Collection[str]) -> Iterator[PreparedLayer]:
    """Yield a line for each module with weights of its own, and why it is left as it is."""
    owners: dict[int, list[str]] = {}
    for name, each in module.named_modules():
        for parameter in each.parameters(recurse=False):
            owners.setdefault(id(parameter), []).append(name)
    for name, each in module.named_modules():
        large = [part for part in each.parameters(recurse=False) if part.dim() > 1]
        if large or parametrize.is_parametrized(each):
            left = "as asked" if name in leave else left_of(each, owners)
            count = sum(part.numel() for part in large)
            if not left and count < max(FEWEST, FEWEST_OF_A_FILTER * len(large[0])):
                left = "too few weights"
            yield PreparedLayer(name, type(each).__name__, count, left=left)


def left_of(module: nn.Module, owners: Mapping[int, list[str]]) -> str:
    """Return why the weights of a module stay as they are; owners: of each parameter."""
    if parametrize.is_parametrized(module):
        return "it has parametrizations already"
    weight = getattr(module, weights_of(module) or "", None)
    if weight is None:
        return "no Conv1d, Conv2d or Linear"
    if isinstance(module, Convolution) and 1 < module.groups == module.in_channels:
        return "depthwise: computed without bit cells"
    users = owners[id(weight)]
    return f"shares its weights: {', '.join(users)}" if len(users) > 1 else ""


def weights_of(module: nn.Module) -> str:
    """Return what a module calls the weights that a macro multiplies; empty: it has none."""
    return next((name for kind, name in WEIGHTS.items() if isinstance(module, kind)), "")


def check_names(module: nn.Module, given: Collection[str]) -> None:
    """Refuse names that no module has."""
    names = [name for name, _ in module.named_modules()]
    for name in given:
        if name not in names:
            raise refusal("leave or share", "names of modules", with_near(name, names))


def architecture_of(chip: object) -> Any:
    """Return the architecture of a name, of a file, or of a chip that is loaded."""
    if not isinstance(chip, str | Path):
        loaded = getattr(chip, "parameters", None)
        if loaded is None:
            raise refusal("chip", "the name or file of an architecture", type(chip).__name__)
        return loaded
    found = {each.name: each for each in entry_points(group=GROUP)}
    known = {name: file for family in found for name, file in tables(family).items()}
    file = file_of(Path(chip), known, what="the architecture")
    given = str(read_mapping(file).get("format"))
    entry = found.get(given.removeprefix("hwgen.").removesuffix(".architecture"))
    if entry is None:
        raise refusal("chip", "an architecture of an installed family", f"{chip} ({given})")
    family = cast(Family, entry.load())
    return family.architectures().load_arch(file)


def skips(arch: Any, switch: str) -> bool:
    """Return whether a chip skips what a switch of its sparsity names."""
    return bool(getattr(getattr(arch, "sparsity", None), switch, False))


def check_bits(arch: Any, bits: int, digits: int | str | None) -> None:
    """Refuse bits and digits that no weight has."""
    if bits not in (4, 8):
        raise refusal("bits", "4 or 8", bits)
    if digits not in (None, MODE, *range(1, ALL_DIGITS + 1)):
        raise refusal("digits", f"1 to {ALL_DIGITS}, or {MODE}", digits)
    if bits == 4 and digits not in (None, ALL_DIGITS):
        raise refusal("digits", "left out with bits=4", digits)
    if digits not in (None, ALL_DIGITS) and not skips(arch, "weight_bits"):
        allowed = "left out on a chip without sparsity.weight_bits, which saves nothing by it"
        raise refusal("digits", allowed, f"{digits} on {arch.name}")


def check_share(share: float, arch: Any) -> None:
    """Refuse a share of blocks that is none, or that a chip does not skip."""
    if not (isinstance(share, int | float) and 0 <= share < 1 and math.isfinite(share)):
        raise refusal("share", "from 0 to below 1", share)
    if share and not skips(arch, "weight_values"):
        allowed = "0 on a chip without sparsity.weight_values, which skips no blocks"
        raise refusal("share", allowed, f"{share} on {arch.name}")


def noise_of(file: str | Path | None, arch: Any) -> Noise | None:
    """Return what cells of a crossbar chip do by a file of effects, named or given."""
    if file is None:
        return None
    point = getattr(arch, "point", None)
    if point is None:
        raise refusal("noise", "left out: cells of crossbars alone vary", f"{file} on {arch.name}")
    path = file_of(Path(file), tables("effects"), what="the effects")
    variation = load_effects(path).cells.variation
    if variation <= 0:
        raise refusal("noise", "effects with cells.variation above 0", variation)
    return Noise(variation=variation, cell_bits=point.cell_bits, side=point.side)


def refusal(field: str, allowed: str, given: object) -> ArgumentError:
    """Return the error of an argument."""
    return ArgumentError(field=field, allowed=allowed, given=given, source=SOURCE)
