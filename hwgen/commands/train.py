"""`hwgen train`: train a recipe, unless it is cached, and write the quantized network files."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from numpy.typing import NDArray
from pydantic import Field
from rich.console import RenderableType

from hwgen.commands.context import Context
from hwgen.commands.fields import LARGEST_SEED, File, OutFolder, Real, Whole, path_of
from hwgen.commands.infer import Infer
from hwgen.commands.request import Says, Working
from hwgen.commands.torch_module import ImportTorch
from hwgen.files import shipped
from hwgen.files.digests import digest_of, digest_of_array, digest_of_file
from hwgen.files.load import read_mapping
from hwgen.files.output import write_text
from hwgen.network.file import load_network
from hwgen.network.pruning import file_of_rule
from hwgen.report import work
from hwgen.report.info_tables import adaptive_train_table, character_train_table, train_table
from hwgen.report.types import Source

NETWORK = "network.npz"
ADAPTIVE_FORMAT = "hwgen.adaptive_recipe"
TRANSFORMER_FORMAT = "hwgen.transformer_recipe"
OWN_FORMAT = "hwgen.own_recipe"
CHARACTER_FORMAT = "hwgen.character_recipe"
TRAINING = "training.json"
DIGESTS = "digests.json"
"""Written last: a folder that holds it holds a finished training, of files with these digests."""


@dataclass(frozen=True)
class Train(Working, command="train", example="recipe.yaml --out build/mine"):
    """Train, prune and quantize a network; write a quantized network file.

    Writes network.npz, training.json and checkpoints; a channel-adaptive recipe gives one network
    with several modes. A language model of characters reads the texts of --text and is judged by
    that of --test. A result of the same recipe, images and code is cached, and an interrupted
    training resumes. Several processes share the work when torchrun starts them: torchrun
    --nproc-per-node 2 -m hwgen train recipe.yaml.
    """

    recipe: Annotated[
        File,
        Says("how to train (.yaml)", metavar="RECIPE", argument=True, complete=shipped.recipes),
    ]
    _: KW_ONLY
    data: Annotated[File | None, Says("folder with the images, unless they are embedded")] = None
    start: Annotated[File | None, Says("float weights that the recipe starts from")] = None
    teacher: Annotated[File | None, Says("float weights of the recipe's teacher")] = None
    text: Annotated[
        Sequence[File],
        Says(
            "a text to train on, UTF-8, plain or packed by gzip; given again for more",
            metavar="FILE",
            typed=list[Path],
            read=tuple,
        ),
    ] = ()
    test: Annotated[File | None, Says("the text that a language model is judged by")] = None
    seed: Annotated[
        Annotated[Whole, Field(ge=0, le=LARGEST_SEED)] | None,
        Says("replaces the seed of the recipe"),
    ] = None
    hours: Annotated[
        Annotated[Real, Field(ge=0.001, le=10_000)] | None,
        Says("budget that the epochs of the recipe are scaled to"),
    ] = None
    out: OutFolder = None
    resume: Annotated[bool, Says("resume an interrupted run")] = True

    def run(self) -> work.TrainReport | work.AdaptiveTrainReport | work.CharacterTrainReport:
        """Train, or return the cached result.

        Under `torchrun` every process calls it with one folder that all of them see.
        """
        if format_of(self.file) == CHARACTER_FORMAT:
            return self.train_characters()
        if self.text or self.test:
            field, given = ("text", self.text[0]) if self.text else ("test", self.test)
            raise self.refusal(field, "left out for a recipe that trains on images", given)
        return self.train_adaptive() if is_adaptive(self.file) else self.train_plain()

    def train_characters(self) -> work.CharacterTrainReport:
        """Train a language model; what it has trained before goes on from its checkpoints."""
        from hwgen.train.characters.recipe import load_character_recipe
        from hwgen.train.characters.train import make_network

        unread = {"data": self.data, "start": self.start, "teacher": self.teacher}
        for field, given in {**unread, "hours": self.hours}.items():
            if given is not None:
                raise self.refusal(field, "left out for a language model", given)
        recipe = self.seeded(load_character_recipe(self.file))
        if not self.text or self.test is None:
            missing = "text" if not self.text else "test"
            known = recipe.texts.train if missing == "text" else recipe.texts.test
            allowed = f"given: {', '.join(known) or 'a text'} as in {recipe.texts.package}"
            raise self.refusal(missing, allowed, "nothing")
        folder = path_of(self.out) or self.quiet.work / "train" / recipe.name
        about = make_network(
            recipe,
            texts=[Path(text) for text in self.text],
            test=Path(self.test),
            out=folder,
            resume=self.resume,
        )
        return work.CharacterTrainReport(
            format="hwgen.report.train_characters",
            version=1,
            recipe=recipe.name,
            network=source_of(folder / NETWORK),
            bits=work.BitsACharacter(**about["bits"]),
            training=about,
        )

    @property
    def file(self) -> Path:
        """The file of the recipe."""
        return shipped.recipe_file(Path(self.recipe))

    def train_plain(self) -> work.TrainReport:
        """Train a network of one mode."""
        more: dict[str, Any] = {}
        if format_of(self.file) == OWN_FORMAT:
            from hwgen.train.own import load_own_recipe

            recipe: Any = load_own_recipe(self.file)
            more = {"imported": partial(write_module, recipe.chip), "answers": answers_of}
        elif format_of(self.file) == TRANSFORMER_FORMAT:
            from hwgen.train.transformer.recipe import load_transformer_recipe

            recipe = load_transformer_recipe(self.file)
        else:
            from hwgen.train.recipe import load_recipe

            recipe = load_recipe(self.file)
        recipe, teacher = self.seeded(recipe), path_of(self.teacher)
        files = recipe.files if more else [file_of_rule(recipe.pruning.rule)]
        folder, reused = self.trained(
            recipe,
            plain_training,
            beside=[path for path in (*files, teacher) if path is not None],
            teacher_path=teacher,
            **more,
        )
        about = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
        return work.TrainReport(
            format="hwgen.report.train",
            version=1,
            recipe=recipe.name,
            network=source_of(folder / NETWORK),
            accuracy=work.Accuracy(**about["accuracy"]),
            reused=reused,
            training=about,
        )

    def train_adaptive(self) -> work.AdaptiveTrainReport:
        """Train a channel-adaptive recipe."""
        from hwgen.train.adaptive.recipe import load_adaptive_recipe

        file = self.file
        recipe = self.seeded(load_adaptive_recipe(file))
        teacher, staircase = path_of(self.teacher), recipe.staircase_in(file.parent)
        folder, reused = self.trained(
            recipe,
            adaptive_training,
            beside=[path for path in (teacher, staircase) if path is not None],
            recipe_folder=file.parent,
            teacher_path=teacher,
        )
        about = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
        return work.AdaptiveTrainReport(
            format="hwgen.report.train_adaptive",
            version=1,
            recipe=recipe.name,
            networks=[source_of(folder / name) for name in about["networks"]],
            modes=[
                work.ModeAccuracy(
                    mode=each["mode"],
                    float=each["accuracy_float"],
                    integer=each["accuracy_integer"],
                    macs=each["macs"],
                )
                for each in about["modes"]
            ],
            reused=reused,
            training=about,
        )

    def seeded(self, recipe: Any) -> Any:
        """Return the recipe with the seed that was asked for."""
        return recipe if self.seed is None else replace(recipe, seed=self.seed)

    def trained(
        self,
        recipe: Any,
        training: Callable[[], Callable[..., object]],
        beside: Sequence[Path] = (),
        **more: object,
    ) -> tuple[Path, bool]:
        """Return the folder of a training, and whether it was there; train otherwise.

        training: imports torch and returns the function that trains
        Without `out` the name of the folder says recipe, images and training version.
        """
        data, start, out = path_of(self.data), path_of(self.start), path_of(self.out)
        folder = out or (
            self.quiet.work
            / "train"
            / f"{recipe.name}-{identity(recipe, data, start, beside, hours=self.hours)}"
        )
        if self.resume and out is None and is_whole(self.quiet, folder):
            return folder, True
        training()(
            recipe,
            data_path=data,
            start_path=start,
            hours=self.hours,
            out=folder,
            resume=self.resume,
            progress=self.quiet.visible,
            **more,
        )
        mark_whole(folder)
        return folder, False

    def table(
        self, report: work.TrainReport | work.AdaptiveTrainReport | work.CharacterTrainReport
    ) -> RenderableType | None:
        """Return the accuracies; None in all processes of torchrun but the first."""
        if not is_first_process():
            return None
        if isinstance(report, work.TrainReport):
            return train_table(report)
        if isinstance(report, work.CharacterTrainReport):
            return character_train_table(report)
        return adaptive_train_table(report)


def is_whole(context: Context, folder: Path) -> bool:
    """Return whether a folder holds a finished training as it was written; say what is damaged."""
    if not (folder / DIGESTS).exists():
        return False
    try:
        expected = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        whole = {name: digest_of_file(folder / name) for name in expected} == expected
    except (OSError, ValueError, TypeError, AttributeError):
        whole = False
    if not whole or TRAINING not in expected:
        context.say(f"the cached training is damaged and made again: {folder}")
        return False
    return True


def mark_whole(folder: Path) -> None:
    """Write the digests of what a training has left; the first process does."""
    if not is_first_process():
        return
    files = [folder / TRAINING, *sorted(folder.glob("*.npz"))]
    digests = {file.name: digest_of_file(file) for file in files}
    write_text(folder / DIGESTS, json.dumps(digests, indent=1) + "\n", what="digests")


def is_adaptive(recipe_file: Path) -> bool:
    """Whether a file holds the recipe of a channel-adaptive network."""
    return format_of(shipped.recipe_file(recipe_file)) == ADAPTIVE_FORMAT


def format_of(recipe_file: Path) -> object:
    """Return what a file says that it is."""
    return read_mapping(recipe_file).get("format")


def source_of(path: Path) -> Source:
    """Return what a report says of a network file."""
    network = load_network(path)
    return Source(name=network.graph.name, file=str(path), digest=network.digest)


def is_first_process() -> bool:
    """Whether this process speaks for all that `torchrun` started."""
    return int(os.environ.get("RANK", "0")) == 0


def identity(
    recipe: Any,
    data: Path | None,
    start: Path | None,
    beside: Sequence[Path] = (),
    *,
    hours: float | None = None,
) -> str:
    """Return a short digest of everything that training depends on; beside: more files."""
    from hwgen.data import load_dataset
    from hwgen.train.recipe import TRAINING_VERSION

    dataset = load_dataset(recipe.dataset, data)
    parts: list[NDArray[Any]] = [
        dataset.train_images,
        dataset.train_labels,
        dataset.test_images,
        dataset.test_labels,
    ]
    facts = [
        recipe.fields(),
        [digest_of_array(part) for part in parts],
        None if start is None else digest_of_start(start),
        *(digest_of_start(path) for path in beside),
        hours,
        TRAINING_VERSION,
    ]
    return digest_of(facts)[:16]


def digest_of_start(path: Path) -> str:
    """Return the digest of a file that a training starts from; it needs torch."""
    from hwgen.train.loop import file_digest

    return file_digest(path)


def write_module(chip: str, module: Any, images: Any, path: Path) -> None:
    """Write the network file of a module of torch."""
    ImportTorch(module, images, path, chip=Path(chip)).run()


def answers_of(path: Path, images: Any) -> Any:
    """Return what a network file answers to images as its module reads them, channels last."""
    import torch

    found = Infer(path, images.numpy()).run().answers
    return torch.from_numpy(found.reshape(len(images), -1))


def plain_training() -> Callable[..., object]:
    """Return the function that trains a network of one mode; it needs torch."""
    from hwgen.train.train import train_network

    return train_network


def adaptive_training() -> Callable[..., object]:
    """Return the function that trains a channel-adaptive network; it needs torch."""
    from hwgen.train.adaptive.train import train_adaptive

    return train_adaptive
