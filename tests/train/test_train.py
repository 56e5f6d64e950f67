"""The loop: masks are held, an interrupted run ends as an unbroken one, mistakes are sentences."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

import golden.network as reference
from hwgen.data import Dataset
from hwgen.errors import ConfigError, DataError, HwgenError, OutputError
from hwgen.network import QuantizedNetwork
from hwgen.network.csd import phi
from hwgen.network.file import load_network
from hwgen.network.sparsity import ALPHA
from hwgen.train.augmentation import augment
from hwgen.train.integer import infer
from hwgen.train.models import plan_model
from hwgen.train.network import Masked, Network, Weighted
from hwgen.train.plans.plan import Plan
from hwgen.train.prune import prune_layers
from hwgen.train.recipe import Pruning, Recipe, Sgd, Start, Teacher, load_recipe
from hwgen.train.report import TrainResult
from hwgen.train.run import PhasedRun, Run
from hwgen.train.train import train_network
from tests.train.conftest import RECIPES, interrupted_after


def train(recipe: Recipe, out: Path, **options: Any) -> TrainResult:
    return train_network(recipe, out=out, progress=False, **options)


def events(result: TrainResult) -> list[dict[str, Any]]:
    """What happened, without the clock."""
    return [{**epoch, "seconds": 0} for epoch in result.history]


@pytest.mark.dear("1")
@pytest.mark.promise("an interrupted training ends as an unbroken one")
@pytest.mark.parametrize("batches", [1, 3, 6, 8, 13, 17])
def test_resumed_equals_unbroken(
    batches: int,
    recipe: Recipe,
    on_few_digits: Dataset,
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    """At the end of an epoch and in its middle, in each of the phases of six batches."""
    unbroken = train(recipe, tmp_path / "unbroken")
    with interrupted_after(batches, Run, monkeypatch):
        train(recipe, tmp_path / "broken")
    assert not (tmp_path / "broken" / "network.npz").exists()
    resumed = train(recipe, tmp_path / "broken")
    assert resumed.network_path.read_bytes() == unbroken.network_path.read_bytes()
    assert events(resumed) == events(unbroken)
    assert resumed.accuracy_float == unbroken.accuracy_float
    assert resumed.accuracy_pruned == unbroken.accuracy_pruned


def test_what_a_run_leaves(recipe: Recipe, on_few_digits: Dataset, tmp_path: Path) -> None:
    result = train(recipe, tmp_path, seed=3)
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    phases = {f"{phase}.safetensors" for phase in ("float", "pruned", "quantized")}
    assert names == {"network.npz", "training.json"} | phases
    report = json.loads(result.report_path.read_text())
    network = load_network(result.network_path)
    assert report["accuracy"]["integer"] == result.accuracy_integer
    assert report["network_digest"] == network.digest
    assert report["seed"] == report["recipe"]["seed"] == 3
    assert [epoch["phase"] for epoch in report["history"]] == [
        phase for phase in ("float", "pruned", "quantized") for _ in range(2)
    ]
    steps = len(on_few_digits.train_images) // recipe.batch_images
    for phase in ("float", "pruned", "quantized"):
        passes = 2 * steps * recipe.batch_images / len(on_few_digits.train_images)
        assert report["trained"][phase] == {
            "epochs": 2,
            "batches": 2 * steps,
            "passes": pytest.approx(passes, abs=1e-4),
        }
    assert report["processes"] == 1
    assert_fta(network)
    assert_masks_held(tmp_path / "checkpoints", network)
    assert_same_as_reference(network, on_few_digits.test_images, on_few_digits.test_labels, result)


def assert_fta(network: QuantizedNetwork) -> None:
    """Half of the blocks are zero, and all other weights of a filter have one digit count."""
    for name, parameters in network.parameters.items():
        weights = parameters.weights.reshape(len(parameters.weights), -1).astype(int)
        digits = np.vectorize(phi)(weights)
        groups = range(0, len(weights), ALPHA)
        unpruned = np.array([digits[g : g + ALPHA].any(axis=0) for g in groups])
        assert unpruned.mean() <= 0.5, name
        for row, digit_row in enumerate(digits):
            counts = set(digit_row[unpruned[row // ALPHA]])
            assert len(counts) <= 1 and max(counts, default=0) <= 2, (name, row)


def assert_masks_held(folder: Path, network: QuantizedNetwork) -> None:
    """The blocks that pruning masked are those that are zero in the end."""
    with (
        safe_open(folder / "pruned.safetensors", "pt") as pruned,
        safe_open(folder / "quantized.safetensors", "pt") as quantized,
    ):
        for name, parameters in network.parameters.items():
            key = f"network/weighted.{name}.mask"
            mask = pruned.get_tensor(key)
            assert torch.equal(mask, quantized.get_tensor(key))
            assert 0.4 < mask.float().mean() < 0.6
            zero = torch.tensor(parameters.weights) == 0
            in_order = mask.permute(0, 2, 3, 1).reshape(zero.shape)
            assert bool(zero[~in_order].all())


def assert_same_as_reference(
    network: QuantizedNetwork, images: np.ndarray, labels: np.ndarray, result: TrainResult
) -> None:
    """Every map equals golden's, and so does the accuracy."""
    ours = infer(network, torch.tensor(images))
    theirs = reference.infer(network, images)
    for name, expected in theirs.items():
        assert np.array_equal(ours[name].numpy().reshape(expected.shape), expected), name
    predicted = reference.predict(network, images)
    assert result.accuracy_integer == np.mean(predicted == labels)


def test_the_exported_network_is_the_trained_one(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path, monkeypatch: Any
) -> None:
    trained = []
    real_phase = Run.phase

    def phase(run: Run, name: str, network: Any, how: Any) -> None:
        real_phase(run, name, network, how)
        trained.append((run, network))

    monkeypatch.setattr(Run, "phase", phase)
    result = train(recipe, tmp_path)
    run, quantized = trained[-1]
    with torch.no_grad():
        real_logits = quantized.eval()(run.real(run.test_images))
    network = load_network(result.network_path)
    head = network.layers[-1]
    integers = infer(network, torch.tensor(on_few_digits.test_images))[head.name].flatten(1)
    # Rounded biases and multipliers of 16 bits move a byte now and then.
    assert torch.allclose(integers * head.output.quantization[0].scale, real_logits, atol=0.1)


def test_resnet20_trains_and_its_shortcuts_are_exact(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    short = {
        name: replace(getattr(recipe, name), epochs=1)
        for name in ("float_phase", "pruned_phase", "quantized_phase")
    }
    deep = replace(recipe, model="resnet20", input_mean=0.3, **short)
    result = train(deep, tmp_path)
    network = load_network(result.network_path)
    assert network.graph.input.quantization[0].zero_point == round(0.3 * 255)
    images = on_few_digits.test_images
    maps = infer(network, torch.tensor(images))
    for stage, channels in ((2, 16), (3, 32)):
        name = f"stage{stage}_block1_shortcut"
        source = next(layer for layer in network.layers if layer.name == name).inputs[0]
        assert torch.equal(maps[name][..., :channels], maps[source][:, ::2, ::2])
        zero_point = network.map_of(name).quantization[0].zero_point
        assert (maps[name][..., channels:] == zero_point).all()
    assert_same_as_reference(network, images, on_few_digits.test_labels, result)


@pytest.mark.promise("training.json and the table of networks say how long each phase really was")
def test_what_was_trained_is_what_was_done(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    none = replace(recipe.float_phase, epochs=0, warmup_epochs=0)
    short = replace(
        recipe,
        epoch_batches=1,
        float_phase=none,
        pruned_phase=none,
        quantized_phase=replace(recipe.quantized_phase, epochs=1),
    )
    report = json.loads(train(short, tmp_path).report_path.read_text())
    counts = {phase: (each["epochs"], each["batches"]) for phase, each in report["trained"].items()}
    assert counts == {"float": (0, 0), "pruned": (0, 0), "quantized": (1, 1)}


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_resumes_with_its_momentum(
    nesterov: bool, recipe: Recipe, on_few_digits: Dataset, tmp_path: Path, monkeypatch: Any
) -> None:
    sgd = replace(recipe, optimizer=Sgd(kind="sgd", momentum=0.9, nesterov=nesterov))
    unbroken = train(sgd, tmp_path / "unbroken")
    with interrupted_after(4, Run, monkeypatch):
        train(sgd, tmp_path / "broken")
    resumed = train(sgd, tmp_path / "broken")
    assert resumed.network_path.read_bytes() == unbroken.network_path.read_bytes()


@pytest.mark.promise(
    "long gradients are shortened, and mixed precision ends before the integer grid"
)
def test_long_gradients_are_shortened(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path, monkeypatch: Any
) -> None:
    lengths = []
    real_step = torch.optim.SGD.step

    def step(optimizer: torch.optim.SGD, *arguments: Any) -> Any:
        gradients = [p.grad.flatten() for p in optimizer.param_groups[0]["params"]]
        lengths.append(float(torch.cat(gradients).norm()))
        return real_step(optimizer, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", step)
    sgd = replace(recipe, optimizer=Sgd(kind="sgd", momentum=0.0, nesterov=False))
    train(sgd, tmp_path / "free")
    free, lengths[:] = max(lengths), []
    train(replace(sgd, gradient_norm=0.01), tmp_path / "short")
    assert free > 0.02 and max(lengths) <= 0.0101


@pytest.mark.parametrize("fast", [True, False])
def test_mixed_precision_ends_before_the_integer_grid(
    fast: bool, recipe: Recipe, on_few_digits: Dataset, tmp_path: Path, monkeypatch: Any
) -> None:
    kinds: dict[str, set[torch.dtype]] = {"NormalizedConv": set(), "QuantizedConv": set()}
    real_convolve = Weighted.convolve

    def convolve(layer: Weighted, *arguments: Any) -> Any:
        result = real_convolve(layer, *arguments)
        kind = type(layer).__name__.removeprefix("Parametrized")
        if layer.training and kind in kinds:
            kinds[kind].add(result.dtype)
        return result

    monkeypatch.setattr(Weighted, "convolve", convolve)
    monkeypatch.setattr("hwgen.train.loop.has_bfloat16", lambda _: fast)
    train(replace(recipe, mixed_precision=True), tmp_path)
    floats = torch.bfloat16 if fast else torch.float32
    assert kinds == {"NormalizedConv": {floats}, "QuantizedConv": {torch.float32}}


def test_signed_maps_have_a_zero_point(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    network = load_network(train(recipe, tmp_path).network_path)
    signed, clipped = network.map_of("conv3"), network.map_of("residual")
    signed, clipped = signed.quantization[0], clipped.quantization[0]
    assert signed.zero_point > 0 and signed.low == 0
    assert clipped.zero_point == clipped.low == 0


@pytest.mark.promise(
    "a run hangs on recipe, images, start, teacher and staircase, and on the version of the"
    " training code"
)
def test_another_recipe_in_the_same_folder(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    train(recipe, tmp_path)
    with pytest.raises(OutputError, match="hold a run of the same recipe and seed to go on with"):
        train(recipe, tmp_path, seed=99)
    train(recipe, tmp_path, seed=99, resume=False)


def test_a_later_phase_changes_and_the_earlier_ones_stay(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    train(recipe, tmp_path)
    pruned = tmp_path / "checkpoints" / "pruned.safetensors"
    before = pruned.stat().st_mtime_ns
    slower = replace(recipe, quantized_phase=replace(recipe.quantized_phase, learning_rate=1e-5))
    with pytest.raises(OutputError, match=r"one of another \(.*quantized.safetensors\)"):
        train(slower, tmp_path)
    (tmp_path / "checkpoints" / "quantized.safetensors").unlink()
    went_on = train(slower, tmp_path).network_path.read_bytes()
    assert pruned.stat().st_mtime_ns == before
    assert train(slower, tmp_path / "fresh").network_path.read_bytes() == went_on


@pytest.mark.promise("another share of pruned blocks goes on with what the float phase has trained")
def test_pruning_and_quantization_are_not_of_the_float_phase(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    train(recipe, tmp_path)
    trained = tmp_path / "checkpoints" / "float.safetensors"
    before = trained.stat().st_mtime_ns
    whole = replace(recipe, pruning=replace(recipe.pruning, share=0.25, first_layer=False))
    other = replace(whole, quantization=replace(recipe.quantization, range_momentum=0.5))
    with pytest.raises(OutputError, match=r"one of another \(.*pruned.safetensors\)"):
        train(other, tmp_path)
    for later in ("pruned", "quantized"):
        (tmp_path / "checkpoints" / f"{later}.safetensors").unlink()
    went_on = train(other, tmp_path).network_path.read_bytes()
    assert trained.stat().st_mtime_ns == before
    assert train(other, tmp_path / "fresh").network_path.read_bytes() == went_on


@pytest.mark.promise("damaged caches are found by digest and made again")
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_is_made_again(
    recipe: Recipe,
    on_few_digits: Dataset,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    damage: str,
) -> None:
    whole = train(recipe, tmp_path).network_path.read_bytes()
    path = tmp_path / "checkpoints" / "pruned.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 4
    path.write_bytes({"truncated": content[:1000], "flipped": content, "empty": b""}[damage])
    assert train(recipe, tmp_path).network_path.read_bytes() == whole
    said = capfd.readouterr().err
    assert said.startswith("a checkpoint is damaged, and its phase begins again: the checkpoint")
    assert said.count("\n") == 1


@pytest.mark.promise("a step that takes longer than 5 s says so in a log, and roughly how long")
def test_a_log_says_how_far_a_phase_is(
    recipe: Recipe,
    on_few_digits: Dataset,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hwgen.files.patience.FIRST_SECONDS", 0.001)
    train(recipe, tmp_path)
    said = capfd.readouterr().err
    for phase in ("float", "pruned", "quantized"):
        assert f"epochs of the phase {phase}: 0 s so far, 0 of 2" in said


def test_an_unwritable_folder(recipe: Recipe, on_few_digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"the checkpoint must be writable at .*file/checkpoints"):
        train(recipe, tmp_path / "file")


def test_start_and_recipe_agree(recipe: Recipe, on_few_digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must start from no checkpoint, got x.th"):
        train(recipe, tmp_path, start_path=Path("x.th"))
    cifar = load_recipe(RECIPES / "cifar10_resnet20.yaml")
    with pytest.raises(HwgenError, match="cifar10_resnet20 must start from a checkpoint, got none"):
        train(cifar, tmp_path)


@pytest.mark.parametrize("name", ["float_phase", "pruned_phase", "quantized_phase"])
def test_a_diverging_recipe(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path, name: str
) -> None:
    steep = replace(getattr(recipe, name), learning_rate=1e30, warmup_epochs=0)
    with pytest.raises(ConfigError, match=f"{name}.learning_rate must be small enough for a"):
        train(replace(recipe, **{name: steep}), tmp_path)


def prune(network: Network, plan: Plan, pruning: Pruning, part: float = 1.0) -> None:
    layers: dict[str, Masked] = {node.name: network.layer(node.name) for node in plan.sparse}
    prune_layers(layers, pruning, part=part)


def shares(network: Network, plan: Plan) -> dict[str, float]:
    """Return the share of the weights of each layer that is pruned."""
    masks = {node.name: network.layer(node.name).chip.mask for node in plan.sparse}
    return {name: 1 - float(mask.float().mean()) for name, mask in masks.items()}


@pytest.mark.promise(
    "a recipe with phases prunes a share a layer, lets it grow over the pruned phase, and learns"
    " the answers of its float network or of a checkpoint"
)
def test_a_share_a_layer() -> None:
    plan = plan_model("small_cnn", (8, 8, 1), 10)
    network = Network(plan)
    pruning = Pruning(share=0.5, first_layer=False, head=False, layers={"conv1": 0.2, "conv2": 0.0})
    prune(network, plan, pruning)
    found = shares(network, plan)
    assert found["conv1"] == pytest.approx(0.2, abs=0.12) and found["conv2"] == found["head"] == 0
    assert found["conv3"] == pytest.approx(0.5, abs=0.02)
    with pytest.raises(ConfigError, match=r"layers must be names .*, got conv9: did you mean conv"):
        prune(network, plan, replace(pruning, layers={"conv9": 0.1}))


def test_a_share_grows_over_the_pruned_phase(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path, monkeypatch: Any
) -> None:
    """Also in a run that is interrupted in its midst and goes on."""
    steps = replace(recipe.pruned_phase, epochs=5)
    growing = replace(recipe, pruned_phase=steps, pruning=replace(recipe.pruning, over=0.6))
    found, real = [], PhasedRun.begin_epoch

    def begin_epoch(run: Run, network: Network, name: str, epoch: int) -> None:
        real(run, network, name, epoch)
        if name == "pruned":
            found.append(shares(network, run.plan)["conv3"])

    monkeypatch.setattr(PhasedRun, "begin_epoch", begin_epoch)
    whole = train(growing, tmp_path / "whole")
    assert found == sorted(found) and 0.3 < found[0] < 0.45
    assert found[2:] == [pytest.approx(0.5, abs=0.02)] * 3
    batches = len(on_few_digits.train_images) // recipe.batch_images
    with interrupted_after(3 * batches + 1, Run, monkeypatch):
        train(growing, tmp_path / "broken")
    again = train(growing, tmp_path / "broken")
    digests = [load_network(each.network_path).digest for each in (whole, again)]
    assert (
        digests[0]
        == digests[1]
        != load_network(train(recipe, tmp_path / "at_once").network_path).digest
    )


def test_the_float_network_teaches_the_later_phases(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    teacher = Teacher(model=None, start=None, beta=0.9, tau=4.0)
    taught = replace(recipe, teacher=teacher)
    assert taught.until("float") == recipe.until("float")
    assert taught.until("pruned") != recipe.until("pruned")
    assert "teacher" not in recipe.fields()
    alone, found = train(recipe, tmp_path / "alone"), train(taught, tmp_path / "taught")
    assert found.accuracy_float == alone.accuracy_float
    losses = [[each["loss"] for each in run.history] for run in (alone, found)]
    assert losses[0][:2] == losses[1][:2] and losses[0][2] != losses[1][2]
    of_file = replace(teacher, model="small_cnn", start=Start(mean=[0, 0, 0], std=[1, 1, 1]))
    with pytest.raises(DataError, match="must have a teacher's checkpoint, got none"):
        train(replace(recipe, teacher=of_file), tmp_path / "none")


def test_depthwise_layers_are_not_pruned() -> None:
    plan = plan_model("mobilenetv2", (16, 16, 3), 10, width=0.25)
    network = Network(plan)
    prune(network, plan, Pruning(share=0.5, first_layer=True, head=True))
    for node in plan.weighted:
        share = float(network.layer(node.name).chip.mask.float().mean())
        assert share == 1 if node.groups > 1 else 0.2 < share < 0.8, node.name
    ends = Network(plan)
    prune(ends, plan, Pruning(share=0.5, first_layer=False, head=False))
    whole = [node.name for node in plan.sparse if ends.layer(node.name).chip.mask.all()]
    assert whole == ["stem", "head"]


def test_augmentation_moves_whole_pixels(recipe: Recipe, on_few_digits: Dataset) -> None:
    x = torch.rand(40, 2, 5, 5) + 1
    still = augment(x, replace(recipe, shift_pixels=0), torch.Generator())
    assert torch.equal(still, x)
    moved = augment(x, replace(recipe, shift_pixels=1), torch.Generator().manual_seed(1))
    assert moved.shape == x.shape
    padded = torch.nn.functional.pad(x, [1] * 4)
    for image, source in zip(moved, padded, strict=True):
        windows = [source[:, i : i + 5, j : j + 5] for i in range(3) for j in range(3)]
        assert any(torch.equal(image, window) for window in windows)
    mirrored = augment(
        x, replace(recipe, shift_pixels=0, flip=True), torch.Generator().manual_seed(1)
    )
    kinds = [torch.equal(a, b.flip(2)) for a, b in zip(mirrored, x, strict=True)]
    assert 10 < sum(kinds) < 30
    assert all(
        flipped or torch.equal(a, b) for flipped, a, b in zip(kinds, mirrored, x, strict=True)
    )
