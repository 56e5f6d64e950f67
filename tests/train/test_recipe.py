"""Recipes are complete, or one sentence says what is wrong and where."""

from pathlib import Path

import pytest

from hwgen.commands.train import ADAPTIVE_FORMAT, CHARACTER_FORMAT, TRANSFORMER_FORMAT, format_of
from hwgen.errors import ConfigError
from hwgen.train.adaptive.recipe import AdaptiveRecipe, load_adaptive_recipe
from hwgen.train.characters.recipe import CharacterRecipe, load_character_recipe
from hwgen.train.recipe import Recipe, load_recipe
from hwgen.train.transformer.recipe import TransformerRecipe, load_transformer_recipe
from tests.train.conftest import RECIPES

GOOD = (RECIPES / "digits_small_cnn.yaml").read_text()


@pytest.mark.promise("recipes are complete, and a mistake is one sentence")
@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_loads_and_is_called_like_its_file(path: Path) -> None:
    kind = format_of(path)
    recipe: AdaptiveRecipe | CharacterRecipe | TransformerRecipe | Recipe
    if kind == ADAPTIVE_FORMAT:
        recipe = load_adaptive_recipe(path)
    elif kind == CHARACTER_FORMAT:
        recipe = load_character_recipe(path)
    elif kind == TRANSFORMER_FORMAT:
        recipe = load_transformer_recipe(path)
    else:
        recipe = load_recipe(path)
    assert recipe.name == path.stem


def test_the_image_grid_follows_from_mean_and_deviation() -> None:
    plain = load_recipe(RECIPES / "digits_small_cnn.yaml")
    assert (plain.input_zero_point, plain.input_scale) == (0, 1 / 255)
    normalized = load_recipe(RECIPES / "cifar10_resnet20.yaml")
    assert normalized.input_zero_point == 114
    assert normalized.input_scale == pytest.approx(1 / 255 / 0.226)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("seed: 1\n", "", "seed must be present, got nothing"),
        ("seed: 1\n", "seed: 1\ncolour: red\n", "colour must be a known key"),
        ("seed: 1\n", "seed: one\n", "seed must be a valid integer, got 'one'"),
        ("model: small_cnn", "model: vgg", "model must be 'small_cnn', 'resnet20', "),
        ("share: 0.5", "share: 1.5", "pruning.share must be less than 1, got 1.5"),
        ("rule: mode", "rule: best", "quantization.rule must be "),
        ("version: 2", "version: 1", "version must be 2, got 1"),
        ("kind: adamw", "kind: adam", "optimizer.kind must be one of 'adamw', 'sgd', got 'adam'"),
        ("kind: adamw", "kind: sgd", "optimizer.sgd.momentum must be present"),
        (
            "kind: adamw",
            "{kind: sgd, momentum: 0.0, nesterov: true}",
            "optimizer.nesterov must be false without momentum, got true",
        ),
        ("gradient_norm: null", "gradient_norm: 0.0", "gradient_norm must be greater than 0"),
        ("epoch_batches: null", "epoch_batches: 0", "epoch_batches must be greater than or"),
        ("width: 1.0", "width: 1.5", "width must be less than or equal to 1"),
        ("start: null", "start: {mean: [0.5]}", "start.mean must be "),
    ],
)
def test_mistakes_are_one_sentence(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    message = str(caught.value)
    assert sentence in message and message.endswith(f"({path})") and "\n" not in message


def test_the_integer_grid_needs_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    before, after = GOOD.split("quantized_phase:\n  epochs: ")
    path.write_text(f"{before}quantized_phase:\n  epochs: 0\n{after.split(chr(10), 1)[1]}")
    with pytest.raises(ConfigError, match=r"quantized_phase.epochs must be at least 1, got 0"):
        load_recipe(path)


def test_optional_keys_at_their_defaults_change_no_digest() -> None:
    """What was begun before these keys is gone on with."""
    fields = load_recipe(RECIPES / "cifar10_resnet20_50.yaml").until("quantized")
    assert fields["pruning"] == {"share": 0.5, "first_layer": True, "head": True}
    assert fields["quantization"] == {"rule": "mode", "range_momentum": 0.99}
    digits = load_recipe(RECIPES / "cifar10_resnet20_digits.yaml").until("quantized")
    assert digits["pruning"]["blocks"] == "digits"
    assert digits["quantization"]["step"] == "least_error"
