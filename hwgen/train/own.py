"""A recipe for a user's own module of torch: trained in float, then with the weights of a chip.

    model: {python: my_net.py:make, weights: w.pt}

Tests: `tests/train/test_own.py`.
"""

import runpy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import nn

from hwgen.data import Dataset
from hwgen.errors import ConfigError
from hwgen.files.load import EXACT, load_spec
from hwgen.train.loop import Loop
from hwgen.train.prepared import Prepared, prepare
from hwgen.train.recipe import PHASES, Count, InPhases, Phase, Share
from hwgen.train.run import PhasedRun

SHOWN = 64
"""Training images that show an import the range of each map."""
NO_EPOCH = Phase(epochs=0, warmup_epochs=0, learning_rate=1.0, weight_decay=0, label_smoothing=0)
LATER = ("quantized_phase", "teacher", "chip", "share", "layers", "over", "digits", "bits", "leave")
"""Fields that the float phase does not depend on."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class OwnModel:
    """Where the module comes from; paths are relative to the recipe.

    python: a file and its function that returns the module, such as my_net.py:make
    weights: of the module, as torch.save writes a state_dict; null: those that it comes with
    """

    python: Annotated[str, Field(pattern=r"^.+\.py:\w+$")]
    weights: str | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class OwnRecipe(InPhases):
    """How a module of the user's learns a chip; `quantized_phase` has the weights of the chip.

    dataset: `own`: a .npz with train_images, train_labels, test_images and test_labels
    chip, share, digits, bits, leave: as `hwgen.train.prepare` has them
    layers: a share by name, in place of one for all
    over: part of the quantized phase in which the share grows; 0: at once
    """

    format: Literal["hwgen.own_recipe"]
    version: Literal[1]
    dataset: Literal["own", "digits", "fashion_mnist", "cifar10", "cifar100"]  # type: ignore[assignment]
    model: OwnModel
    start: None = None
    chip: str
    share: Share = 0.0
    layers: dict[str, Share] = Field(default_factory=dict)
    over: Share = 0.0
    digits: int | Literal["mode"] | None = None
    bits: Literal[4, 8] = 8
    leave: list[str] = Field(default_factory=list)
    float_phase: Phase = NO_EPOCH
    quantized_phase: Phase

    @property
    def files(self) -> list[Path]:
        """Files that the module comes from."""
        given = (self.model.python.rpartition(":")[0], self.model.weights)
        return [Path(each) for each in given if each]

    @property
    def pruned_phase(self) -> Phase:
        """Blocks and digits are learnt together."""
        return NO_EPOCH

    def until(self, phase: str) -> dict[str, Any]:
        """Return the fields that a phase depends on."""
        fields = super().until(phase)
        return {k: v for k, v in fields.items() if phase == "quantized" or k not in LATER}

    def with_schedule(self, phases: Mapping[str, Phase], epoch_batches: Count | None) -> Self:
        """Return the recipe with other phases of the same names."""
        both: Any = {f"{name}_phase": phases[name] for name in ("float", "quantized")}
        return replace(self, epoch_batches=epoch_batches, **both)


def load_own_recipe(path: Path) -> OwnRecipe:
    """Return the recipe in a YAML file, whose paths are whole then."""
    recipe = load_spec(OwnRecipe, path)
    weights = recipe.model.weights
    model = OwnModel(
        python=str(path.parent / recipe.model.python),
        weights=None if weights is None else str(path.parent / weights),
    )
    recipe = replace(recipe, model=model)
    for file in recipe.files:
        if not file.is_file():
            raise ConfigError(
                field="model", allowed="of files", given=f"no {file}", source=str(path)
            )
    return recipe


def module_of(recipe: OwnRecipe) -> nn.Module:
    """Return the module of a recipe with its weights. Raises ConfigError."""
    file, _, name = recipe.model.python.rpartition(":")
    known: Any = (FileNotFoundError, KeyError, RuntimeError, TypeError, SyntaxError, ImportError)
    try:
        module = runpy.run_path(file)[name]()
        if recipe.model.weights is not None:
            module.load_state_dict(torch.load(recipe.model.weights, map_location="cpu"))
    except known as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        allowed = "a function of a file, and its weights"
        raise ConfigError(field="model", allowed=allowed, given=told, source=file) from None
    if not isinstance(module, nn.Module):
        raise ConfigError(
            field="model.python",
            allowed="one that returns a torch.nn.Module",
            given=type(module).__name__,
            source=file,
        )
    return module


class OwnRun(PhasedRun):
    """The training of a module that the user gives.

    imported: writes the network file of a module, of images as it reads them
    answers: of a network file to images as the module reads them, channels last: logits
    """

    prepared: Prepared | None = None

    def __init__(
        self,
        recipe: OwnRecipe,
        dataset: Dataset,
        start_path: Path | None,
        *,
        imported: Callable[[nn.Module, torch.Tensor, Path], object],
        answers: Callable[[Path, torch.Tensor], torch.Tensor],
        **options: Any,
    ) -> None:
        self.recipe, self.imported, self.answers_of = recipe, imported, answers
        beside = {f"model.{each.name}": each for each in recipe.files}
        Loop.__init__(self, recipe, dataset, start_path, phases=PHASES, beside=beside, **options)

    def start(self) -> nn.Module:
        """Return the module of the user."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            return module_of(self.recipe).to(self.device)

    def prune_at_first(self, network: nn.Module) -> None:
        """Give the module the weights of the chip."""
        about = self.recipe
        over = round(about.over * about.quantized_phase.epochs)
        self.prepared = prepare(
            network,
            about.chip,
            share=about.layers or about.share,
            over=over,
            digits=about.digits,
            bits=about.bits,
            leave=about.leave,
        )

    def begin_epoch(self, network: nn.Module, name: str, epoch: int) -> None:
        """Let the share grow."""
        if name == "quantized" and self.prepared is not None:
            self.prepared.steps = epoch
            self.prepared.step()

    def quantize(self, network: nn.Module) -> nn.Module:
        """Return the module, which has the weights of the chip."""
        return network

    def on_grids(self, network: nn.Module) -> bool:
        """Whether a module has the weights of a chip."""
        return self.prepared is not None and network is self.prepared.module

    def write(self, network: nn.Module, path: Path) -> None:
        """Write the network file."""
        self.imported(network.eval().cpu(), self.real(self.train_images[:SHOWN]).cpu(), path)

    def integer_accuracy(self, path: Path) -> float:
        """Return the fraction of the test images that the integers get right."""
        correct = 0
        for images, labels in zip(
            self.test_images.split(500), self.test_labels.split(500), strict=True
        ):
            found = self.answers_of(path, self.real(images).permute(0, 2, 3, 1).cpu())
            correct += int((found.argmax(1) == labels.cpu()).sum())
        return correct / len(self.test_labels)
