"""Train a language model in float, then on weights of two digits: read it top to bottom.

Tests: `tests/train/characters/test_train.py`.
"""

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from golden.network import infer
from hwgen.errors import ConfigError, DataError
from hwgen.files.output import write_text
from hwgen.files.patience import Ticker
from hwgen.network import QuantizedNetwork
from hwgen.network.decoding import prefill
from hwgen.network.file import load_network, save_network
from hwgen.train.characters.export import ranges_of, step_network
from hwgen.train.characters.model import CharacterModel
from hwgen.train.characters.recipe import PHASES, CharacterRecipe
from hwgen.train.characters.text import Text, bits_a_character, read_text
from hwgen.train.checkpoint import Checkpoint, Epoch, load_checkpoint, save_checkpoint
from hwgen.train.loop import in_order, say
from hwgen.train.recipe import TRAINING_VERSION, Phase
from hwgen.train.schedule import learning_rate, make_optimizer
from hwgen.train.train import torch_settings

WINDOWS_AT_ONCE = 8
"""Of golden."""


@dataclass(frozen=True)
class Trained:
    """The model with integer weights, its texts, and bits a character: by float and by integers."""

    model: CharacterModel
    training: list[Text]
    test: Text
    bits_float: float
    bits_two_digits: float
    history: list[Epoch]


def train_characters(
    recipe: CharacterRecipe, *, texts: Sequence[Path], test: Path, out: Path, resume: bool = True
) -> Trained:
    """Train `recipe`; checkpoints stand in `out/checkpoints`.

    texts, test: files of UTF-8, plain or packed by gzip; those that the recipe names
    resume: continue an interrupted run of the same recipe into `out`
    """
    training, judged = [read_text(path) for path in texts], read_text(test)
    check_texts(training, recipe.texts.train, recipe, what="texts")
    check_texts([judged], recipe.texts.test, recipe, what="test")
    with torch_settings(recipe):  # type: ignore[arg-type]
        course = Course(recipe, training, out / "checkpoints", resume=resume)
        model = course.model()
        course.phase("float", model)
        in_float = bits_of(model, judged, recipe)
        say(f"bits a character of the test text in float: {in_float:.4f}")
        model.to_grids()
        course.phase("quantized", model)
        in_integers = bits_of(model, judged, recipe)
        say(f"bits a character of the test text with weights of two digits: {in_integers:.4f}")
        model.ranges = ranges_of(model, shown(recipe, training))
        course.phase("maps", model)
        in_bytes = bits_of(model, judged, recipe)
        say(f"bits a character of the test text with maps of bytes: {in_bytes:.4f}")
        model.eval()
    return Trained(model, training, judged, in_float, in_integers, course.history)


def make_network(
    recipe: CharacterRecipe, *, texts: Sequence[Path], test: Path, out: Path, resume: bool = True
) -> dict[str, Any]:
    """Train as `train_characters`; write `out/network.npz` and `out/training.json`; return that."""
    trained = train_characters(recipe, texts=texts, test=test, out=out, resume=resume)
    network = step_network(trained.model, name=recipe.name)
    save_network(network, out / "network.npz")
    characters = recipe.test_characters
    integer = integer_bits(load_network(out / "network.npz"), trained.test.codes, characters)
    about = {
        "format": "hwgen.training",
        "version": 2,
        "bits": {
            "float": trained.bits_float,
            "two_digits": trained.bits_two_digits,
            "integer": integer,
            "characters": characters,
        },
        "network": "network.npz",
        "network_digest": network.digest,
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "texts": [text.sha256 for text in trained.training],
        "test": trained.test.sha256,
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "history": trained.history,
    }
    write_text(out / "training.json", json.dumps(about, indent=1) + "\n", what="report")
    return about


def shown(recipe: CharacterRecipe, texts: Sequence[Text]) -> Tensor:
    """Return the sequences that show the ranges of maps, evenly from the training texts."""
    context, count = recipe.architecture.context, recipe.calibration_sequences
    codes = np.concatenate([text.codes for text in texts]).astype(np.int64)
    firsts = np.linspace(0, len(codes) - context, count).astype(np.int64)
    return torch.from_numpy(codes[firsts[:, np.newaxis] + np.arange(context)])


def integer_bits(network: QuantizedNetwork, codes: NDArray[np.uint8], characters: int) -> float:
    """Return the bits a character of a network's integers, all tokens of a window at once."""
    context, rows = network.graph.positions, network.token_rows
    assert rows is not None
    answer = network.map_of(network.answer).quantization[0]
    whole = prefill(network, context)
    with Ticker("windows of the test text", say, total=characters // (context // 2)) as ticker:

        def logits(given: NDArray[np.int64]) -> NDArray[Any]:
            images = rows.images(given, whole.graph.input, "the text")
            found = infer(whole, images, keep=[network.answer])[network.answer]
            ticker.advance(len(given))
            real: NDArray[Any] = found[:, :, 0].astype(np.float64) - answer.zero_point
            return real * answer.scale

        return bits_a_character(
            codes, logits, context=context, characters=characters, at_once=WINDOWS_AT_ONCE
        )


def check_texts(
    given: Sequence[Text], known: dict[str, str], recipe: CharacterRecipe, *, what: str
) -> None:
    """Refuse other texts than those of a recipe that names some."""
    found = [text.sha256 for text in given]
    if known and sorted(found) != sorted(known.values()):
        missing = [name for name, digest in known.items() if digest not in found]
        told = f"none of {', '.join(missing)}" if missing else f"{len(found)} files"
        raise DataError(
            f"the {what} of the recipe {recipe.name} must be {', '.join(known)} as in "
            f"{recipe.texts.package}, each once, got {told}"
        )


class Course:
    """Both phases: updates by sequences that are drawn from the texts, with checkpoints."""

    def __init__(
        self, recipe: CharacterRecipe, texts: Sequence[Text], folder: Path, *, resume: bool
    ) -> None:
        self.recipe, self.folder, self.resume = recipe, folder, resume
        # A sequence may run from the end of a text into the next one.
        self.codes = torch.from_numpy(np.concatenate([text.codes for text in texts]))
        self.sha256 = [text.sha256 for text in texts]
        self.history: list[Epoch] = []
        context = recipe.architecture.context
        if len(self.codes) <= context:
            raise DataError(
                f"the texts must have more than {context} characters, got {len(self.codes)}"
            )

    def model(self) -> CharacterModel:
        """Return the model before training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            return CharacterModel(self.recipe.architecture, dropout=self.recipe.dropout)

    def phase(self, name: str, model: CharacterModel) -> None:
        """Train for the epochs of a phase, from its checkpoint if there is one."""
        phase = self.recipe.schedule[name]
        path = self.folder / f"{name}.safetensors"
        facts = [TRAINING_VERSION, self.recipe.until(name), self.sha256]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        # Embeddings as matrices: every parameter decays.
        optimizer = make_optimizer(self.recipe, phase, model.parameters())  # type: ignore[arg-type]
        state = Checkpoint(epochs=0, history=[])
        if self.resume and path.exists():
            state = load_checkpoint(path, model, optimizer, digest=digest)
        with Ticker(f"epochs of the phase {name}", say, total=phase.epochs) as ticker:
            ticker.skip(state.epochs)
            for epoch in range(state.epochs, phase.epochs):
                done = self.epoch(name, model, optimizer, phase=phase, epoch=epoch)
                state = Checkpoint(epochs=epoch + 1, history=[*state.history, done])
                save_checkpoint(path, model, optimizer, state, digest=digest)
                ticker.advance()
        self.history += state.history

    def epoch(
        self,
        name: str,
        model: CharacterModel,
        optimizer: torch.optim.Optimizer,
        *,
        phase: Phase,
        epoch: int,
    ) -> Epoch:
        """Do the updates of one epoch; return what came of it."""
        began, total, steps = time.monotonic(), 0.0, self.recipe.epoch_batches
        seed = (self.recipe.seed * len(PHASES[1:]) + PHASES.index(name)) * 100_003 + epoch
        random = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)  # of the dropout
        model.train()
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(phase, epoch + step / steps)
            given, wanted = self.batch(random)
            loss = functional.cross_entropy(
                model(given).flatten(0, 1),
                wanted.flatten(),
                label_smoothing=phase.label_smoothing,
            )
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(in_order(model), self.recipe.gradient_norm or math.inf)
            if not math.isfinite(norm):
                raise ConfigError(
                    field=f"{name}_phase.learning_rate",
                    allowed=f"small enough for a finite loss (epoch {epoch})",
                    given=phase.learning_rate,
                    source=f"recipe {self.recipe.name}",
                )
            optimizer.step()
            total += loss.item()
        return {
            "phase": name,
            "epoch": epoch,
            "batches": steps,
            "loss": total / steps,
            "seconds": round(time.monotonic() - began, 3),
        }

    def batch(self, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return drawn sequences, int64 (n, context), and what comes behind each character."""
        context = self.recipe.architecture.context
        count = self.recipe.batch_sequences
        firsts = torch.randint(len(self.codes) - context, (count, 1), generator=random)
        drawn = self.codes[firsts + torch.arange(context + 1)].long()
        return drawn[:, :-1], drawn[:, 1:]


@torch.no_grad()
def bits_of(model: CharacterModel, text: Text, recipe: CharacterRecipe) -> float:
    """Return the bits a character of a model on a text."""
    model.eval()

    def logits(codes: NDArray[np.int64]) -> NDArray[Any]:
        found: NDArray[Any] = model(torch.from_numpy(codes)).numpy()
        return found

    return bits_a_character(
        text.codes,
        logits,
        context=recipe.architecture.context,
        characters=recipe.test_characters,
    )
