"""A small language model from a text to its network file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.errors import DataError
from hwgen.files.shipped import recipe_file
from hwgen.network.csd import phi
from hwgen.network.file import load_network
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
