"""A small language model from a text to its network file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hwgen.errors import DataError
from hwgen.files.shipped import recipe_file
from hwgen.network.csd import phi
from hwgen.network.file import load_network
from hwgen.train.characters.model import CharacterModel
from hwgen.train.characters.recipe import CharacterRecipe, Decoder, load_character_recipe
from hwgen.train.characters.train import make_network

TEXT = "It is a truth universally acknowledged, that a single man must be in want. " * 12


def small() -> CharacterRecipe:
    """Return a recipe of a few seconds, of any text."""
    given = load_character_recipe(recipe_file(Path("austen_chars")))
    phases: dict[str, Any] = {
        f"{name}_phase": replace(phase, epochs=2, warmup_epochs=0)
        for name, phase in given.schedule.items()
    }
    return replace(
        given,
        texts=replace(given.texts, train={}, test={}),
        architecture=Decoder(blocks=1, width=16, heads=2, hidden=16, context=16),
        epoch_batches=3,
        test_characters=64,
        calibration_sequences=4,
        **phases,
    )


def as_it_is(_: str, values: torch.Tensor) -> torch.Tensor:
    """Return a map as it is."""
    return values


def tokens_of(model: CharacterModel, codes: torch.Tensor) -> torch.Tensor:
    """Return what the first block reads."""
    return model.letters[codes] + model.places[: codes.shape[1]]


def made(folder: Path, recipe: CharacterRecipe) -> dict[str, Any]:
    """Train into a folder."""
    text = folder.parent / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    return make_network(recipe, texts=[text], test=text, out=folder)


@pytest.mark.promise("a language model has weights of two digits or zero, and goes on where it was")
def test_a_model_is_trained_exported_and_goes_on(tmp_path: Path) -> None:
    recipe = small()
    about = made(tmp_path / "once", recipe)
    network = load_network(tmp_path / "once" / "network.npz")
    assert network.graph.positions == 16
    digits = {phi(int(w)) for each in network.parameters.values() for w in each.weights.flat}
    assert digits <= {0, 2}
    assert 0 < about["bits"]["integer"] < 8
    # The last phase begins again: what came before stands in checkpoints.
    (tmp_path / "once" / "checkpoints" / "maps.safetensors").unlink()
    assert made(tmp_path / "once", recipe)["network_digest"] == about["network_digest"]


def test_other_texts_than_those_of_the_recipe_are_refused(tmp_path: Path) -> None:
    given = load_character_recipe(recipe_file(Path("austen_chars")))
    with pytest.raises(DataError, match="the texts of the recipe austen_chars must be emma"):
        made(tmp_path / "no", given)


def test_peaks_of_what_is_added_are_trained_away() -> None:
    """What a channel of its own bias adds to all tokens is a peak."""
    model = CharacterModel(small().architecture)
    (block,) = model.blocks
    codes = torch.arange(16)[torch.newaxis] % 7
    with torch.no_grad():
        block.narrow.bias[3] = 20.0
    before = model.with_peaks(codes)[1]
    assert torch.equal(model.with_peaks(codes)[0], model.seen(tokens_of(model, codes), as_it_is))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5, weight_decay=0.0)
    for _ in range(20):
        optimizer.zero_grad()
        model.with_peaks(codes)[1].backward()
        optimizer.step()
    assert float(model.with_peaks(codes)[1].detach()) < 0.7 * float(before.detach())


def test_the_float_phase_does_not_depend_on_peaks() -> None:
    given = small()
    other = replace(given, peaks=0.5)
    assert given.until("float") == other.until("float")
    assert given.until("quantized") != other.until("quantized")


def test_a_recipe_with_peaks_makes_another_network(tmp_path: Path) -> None:
    plain = made(tmp_path / "plain", small())
    flat = made(tmp_path / "flat", replace(small(), peaks=0.5))
    assert plain["history"][0]["loss"] == flat["history"][0]["loss"]
    assert plain["network_digest"] != flat["network_digest"]
