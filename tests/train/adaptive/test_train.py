"""The loop of channel-adaptive training, and the integers of every mode that it exports."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from rich.progress import Progress
from torch import Tensor
from torch.nn import functional

import golden.network as reference
from hwgen.data import Dataset
from hwgen.errors import DataError, OutputError
from hwgen.network.file import load_network
from hwgen.train.adaptive.network import GAMMA_FLOOR, AdaptiveNetwork, SharedConv
from hwgen.train.adaptive.order import importance, kept_first_orders, reorder
from hwgen.train.adaptive.recipe import AdaptiveRecipe, ByNorm, Given, Teacher
from hwgen.train.adaptive.report import AdaptiveResult
from hwgen.train.adaptive.run import AdaptiveRun
from hwgen.train.adaptive.train import train_adaptive
from hwgen.train.adaptive.widths import macs, uniform
from hwgen.train.integer import infer
from hwgen.train.models import plan_model
from hwgen.train.network import Network
from hwgen.train.recipe import Start
from hwgen.train.schedule import make_optimizer
from tests.train.conftest import RECIPES, interrupted_after

GRAY = Start(mean=[0.0] * 3, std=[1.0] * 3)


def train(recipe: AdaptiveRecipe, out: Path, **options: Any) -> AdaptiveResult:
    return train_adaptive(recipe, recipe_folder=RECIPES, out=out, progress=False, **options)


def make_run(recipe: AdaptiveRecipe, dataset: Dataset, out: Path) -> AdaptiveRun:
    return AdaptiveRun(
        recipe,
        dataset,
        None,
        out=out,
        device=torch.device("cpu"),
        resume=False,
        bars=Progress(disable=True),
    )


def assert_integers_are_golden(path: Path, images: np.ndarray) -> None:
    network = load_network(path)
    for mode in range(len(network.graph.modes)):
        ours = infer(network, torch.tensor(images), mode=mode)
        theirs = reference.infer(network, images, mode=mode)
        for name, expected in theirs.items():
            assert np.array_equal(ours[name].numpy(), expected), (mode, name)


@pytest.mark.promise(
    "a channel-adaptive network exports one file whose modes equal golden, from 1 to 16 bits"
)
@pytest.mark.parametrize(
    ("weight_bits", "activation_bits"), [(1, 1), (2, 4), (4, 4), (8, 8), (16, 16)]
)
def test_exported_modes_equal_golden(
    weight_bits: int,
    activation_bits: int,
    adaptive_recipe: AdaptiveRecipe,
    on_few_digits: Dataset,
    tmp_path: Path,
) -> None:
    recipe = replace(adaptive_recipe, weight_bits=weight_bits, activation_bits=activation_bits)
    result = train(recipe, tmp_path)
    network = load_network(tmp_path / "network.npz")
    assert network.graph.modes == ("1.0x", "0.75x", "0.5x", "0.25x")
    assert network.map_of("conv2").mode_channels == (16, 12, 8, 4)
    assert network.map_of("conv2").bits == activation_bits
    layer = network.layers[0]
    assert (layer.weight_bits, layer.weight_grid) == (  # type: ignore[union-attr]
        weight_bits,
        "odd" if weight_bits <= 4 else "integer",
    )
    for each in network.parameters.values():
        if weight_bits <= 4:
            assert set(np.abs(each.weights).flatten()) <= set(range(1, 1 << weight_bits, 2))
        else:
            assert np.abs(each.weights.astype(int)).max() <= (1 << (weight_bits - 1)) - 1
        # One sign of a filter in all modes: the factors of batch norm are positive.
        kept = each.multiplier[each.shift > 0]
        assert (kept > 0).all()
    assert_integers_are_golden(tmp_path / "network.npz", on_few_digits.test_images[:10])
    predicted = reference.predict(network, on_few_digits.test_images, mode=3)
    right = float((predicted == on_few_digits.test_labels).mean())
    assert result.modes[3].accuracy_integer == right


def test_a_residual_network_with_shortcuts(
    adaptive_recipe: AdaptiveRecipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    recipe = replace(
        adaptive_recipe,
        model="resnet20",
        widths=[1.0, 0.55, 0.25],
        base_phase=replace(adaptive_recipe.base_phase, epochs=0),
        phases=[replace(adaptive_recipe.phases[1], epochs=1, batches=2)],
    )
    train(recipe, tmp_path)
    network = load_network(tmp_path / "network.npz")
    shortcut = network.map_of("stage2_block1_shortcut")
    assert shortcut.mode_channels == (32, 18, 8)
    assert_integers_are_golden(tmp_path / "network.npz", on_few_digits.test_images[:4])


def test_integers_follow_the_float_network(
    adaptive_recipe: AdaptiveRecipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    """With 16 bits the integers of a mode are its float network but for rounding."""
    recipe = replace(adaptive_recipe, weight_bits=16, activation_bits=16)
    train(recipe, tmp_path)
    run = make_run(recipe, on_few_digits, tmp_path)
    run.resume = True
    base = run.base()
    run.set_teacher(base)
    reorder(base, kept_first_orders(run.plan, importance(base)))
    shared = run.adaptive(run.plan, uniform(run.plan, recipe.widths), base)
    run.train(shared)
    network, images = load_network(tmp_path / "network.npz"), on_few_digits.test_images[:20]
    for mode in range(4):
        with torch.no_grad():
            wanted = shared.eval()(run.real(torch.tensor(images)), mode)
        scale = network.map_of("head").quantization[mode].scale
        given = infer(network, torch.tensor(images), mode=mode)["head"].flatten(1) * scale
        assert torch.allclose(given.float(), wanted, atol=0.01)


@pytest.mark.promise(
    "sub-nets of several widths share weights by algorithm 1 of the seed, with positive factors"
    " in all modes"
)
def test_one_update_for_the_gradients_of_all_modes(
    adaptive_recipe: AdaptiveRecipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    """Algorithm 1: the gradient is that of the sum of (1 - beta) CE + beta tau^2 KL."""
    run = make_run(adaptive_recipe, on_few_digits, tmp_path)
    base = run.base()
    run.set_teacher(base)
    shared = run.adaptive(run.plan, uniform(run.plan, adaptive_recipe.widths), base)
    phase = adaptive_recipe.phases[0]
    run.begin_phase(shared, phase)
    x, labels = run.real(run.train_images[:16]), run.train_labels[:16]
    total = torch.zeros(())
    with torch.no_grad():
        answers = base.eval()(x)
    for mode in range(4):
        logits = shared.train()(x, mode)
        hard = functional.cross_entropy(logits, labels)
        p, q = (answers / 4).softmax(1), (logits / 4).softmax(1)
        soft = (p * (p / q).log()).sum(1).mean()
        total = total + 0.3 * hard + 0.7 * 16 * soft
    shared.zero_grad()
    total.backward()
    wanted = {name: p.grad.clone() for name, p in shared.named_parameters() if p.grad is not None}
    optimizer = make_optimizer(adaptive_recipe, phase, shared.parameters())
    _, loss = run.step(shared, optimizer, x, labels, phase=phase, rate=1e-9)
    assert float(loss) == pytest.approx(float(total.detach()), rel=1e-5)
    for name, parameter in shared.named_parameters():
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, wanted[name], rtol=1e-3, atol=1e-5), name


def test_a_phase_of_some_modes_leaves_the_others(
    adaptive_recipe: AdaptiveRecipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    run = make_run(adaptive_recipe, on_few_digits, tmp_path)
    base = run.base()
    run.set_teacher(base)
    shared = run.adaptive(run.plan, uniform(run.plan, adaptive_recipe.widths), base)
    before = {name: tensor.clone() for name, tensor in shared.state_dict().items()}
    phase = replace(adaptive_recipe.phases[0], modes=["0.25x"], weight_decay=0.0)
    run.phase("float", shared, phase)
    after = shared.state_dict()
    changed = {name for name, tensor in before.items() if not torch.equal(tensor, after[name])}
    assert "weighted.conv2.norms.3.weight" in changed
    assert "weighted.conv2.norms.0.weight" not in changed
    assert torch.equal(
        before["weighted.conv2.weight"][:, 4:], after["weighted.conv2.weight"][:, 4:]
    )


def test_factors_stay_positive(
    adaptive_recipe: AdaptiveRecipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    run = make_run(adaptive_recipe, on_few_digits, tmp_path)
    base = run.base()
    shared = run.adaptive(run.plan, uniform(run.plan, adaptive_recipe.widths), base)
    phase = adaptive_recipe.phases[0]
    run.begin_phase(shared, phase)
    optimizer = make_optimizer(adaptive_recipe, phase, shared.parameters())
    x, labels = run.real(run.train_images[:16]), run.train_labels[:16]
    for _ in range(3):
        run.step(shared, optimizer, x, labels, phase=phase, rate=5.0)
    least = torch.cat([norm.weight.detach() for norm in shared.norms()]).min()
    assert float(least) == pytest.approx(GAMMA_FLOOR)


@pytest.mark.parametrize("batches", [2, 9, 17])
def test_resumed_equals_unbroken(
    batches: int, adaptive_recipe: AdaptiveRecipe, tmp_path: Path, monkeypatch: Any
) -> None:
    unbroken = train(adaptive_recipe, tmp_path / "unbroken")
    with interrupted_after(batches, AdaptiveRun, monkeypatch):
        train(adaptive_recipe, tmp_path / "broken")
    resumed = train(adaptive_recipe, tmp_path / "broken")
    assert resumed.modes == unbroken.modes
    files = [tmp_path / name / "network.npz" for name in ("unbroken", "broken")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_no_teacher_and_weights_of_each_mode(
    adaptive_recipe: AdaptiveRecipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    recipe = replace(adaptive_recipe, teacher=None, weights="individual", widths=[1.0, 0.5])
    result = train(recipe, tmp_path)
    names = [path.name for path in result.network_paths]
    assert names == ["network_1.0x.npz", "network_0.5x.npz"]
    narrow = load_network(result.network_paths[1])
    assert narrow.graph.modes == ("0.5x",)
    assert narrow.map_of("conv1").channels == 8
    assert narrow.map_of("conv1").mode_channels == ()
    assert_integers_are_golden(result.network_paths[1], on_few_digits.test_images[:5])
    about = json.loads(result.report_path.read_text())
    assert list(about["networks"]) == names
    assert [each["mode"] for each in about["modes"]] == ["1.0x", "0.5x"]


@pytest.mark.parametrize("path", ["multi", "single"])
@pytest.mark.parametrize("cost", ["macs", "cycles"])
def test_channels_by_norm(
    path: Any, cost: Any, adaptive_recipe: AdaptiveRecipe, tmp_path: Path
) -> None:
    selection = ByNorm(
        kind="norm",
        path=path,
        phase=adaptive_recipe.base_phase,
        penalty=0.01,
        cost=cost,
        staircase="staircases/adaptive_cnn_small.yaml" if cost == "cycles" else None,
    )
    recipe = replace(adaptive_recipe, selection=selection, widths=[1.0, 0.5, 0.25])
    even = train(replace(recipe, phases=recipe.phases[1:]), tmp_path)
    trained = [each["phase"] for each in even.history]
    # The same total of epochs on one path; two modes on many paths.
    assert trained.count("select_0.5x") == (1 if path == "single" else 2)
    assert trained.count("select_0.25x") == (1 if path == "single" else 2)
    plan = plan_model("adaptive_cnn", (8, 8, 1), 10)
    table = uniform(plan, recipe.widths)
    for mode, each in enumerate(even.modes[1:], start=1):
        if cost == "macs":
            limit = macs(plan, table, mode)
            assert limit * 0.8 < each.macs <= limit
        wider = even.modes[mode - 1].channels
        assert all(each.channels[name] <= wider[name] for name in wider)


@pytest.mark.promise(
    "widths are uniform, given, or chosen by norm within multiplications or cycles of a staircase"
)
def test_a_given_table(adaptive_recipe: AdaptiveRecipe, tmp_path: Path) -> None:
    given = Given(kind="table", modes={"slim": {"conv1": 3, "conv2": 7, "conv3": 11}})
    phases = [replace(phase, modes=None) for phase in adaptive_recipe.phases]
    recipe = replace(adaptive_recipe, selection=given, phases=phases)
    result = train(recipe, tmp_path)
    assert [each.mode for each in result.modes] == ["1.0x", "slim"]
    assert load_network(tmp_path / "network.npz").map_of("max_pool").mode_channels == (16, 7)


def test_mistakes_are_one_sentence(adaptive_recipe: AdaptiveRecipe, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must have no teacher's checkpoint, got there\.th"):
        train(adaptive_recipe, tmp_path, teacher_path=Path("there.th"))
    assert adaptive_recipe.teacher is not None
    start = Start(mean=[0.4] * 3, std=[0.2] * 3)
    other = replace(adaptive_recipe.teacher, model="resnet44", start=start)
    recipe = replace(adaptive_recipe, teacher=other)
    with pytest.raises(DataError, match="must have a teacher's checkpoint, got none"):
        train(recipe, tmp_path / "a")


@pytest.mark.promise(
    "a run hangs on recipe, images, start, teacher and staircase, and on the version of the"
    " training code"
)
def test_a_run_hangs_on_the_file_of_its_teacher(
    adaptive_recipe: AdaptiveRecipe, tmp_path: Path, monkeypatch: Any
) -> None:
    """Another teacher in the same folder is refused, and begun again it gives another network."""

    def drawn(network: Network, path: Path, *_: Any) -> None:
        torch.manual_seed(int(path.read_text()))
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter)

    monkeypatch.setattr("hwgen.train.loop.load_start", drawn)
    about = Teacher(model="resnet20", start=GRAY, beta=0.9, tau=4.0)
    recipe = replace(adaptive_recipe, teacher=about)
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    other.write_text("2")
    first = train(recipe, tmp_path / "out", teacher_path=one)
    content = first.network_paths[0].read_bytes()
    with pytest.raises(OutputError, match="hold a run of the same recipe"):
        train(recipe, tmp_path / "out", teacher_path=other)
    again = train(recipe, tmp_path / "out", teacher_path=other, resume=False)
    fresh = train(recipe, tmp_path / "fresh", teacher_path=other)
    assert again.network_paths[0].read_bytes() == fresh.network_paths[0].read_bytes() != content


def test_a_run_hangs_on_its_staircase(adaptive_recipe: AdaptiveRecipe, tmp_path: Path) -> None:
    steps = yaml.safe_load((RECIPES / "staircases" / "adaptive_cnn_small.yaml").read_text())
    (tmp_path / "stairs.yaml").write_text(yaml.safe_dump(steps))
    selection = ByNorm(
        kind="norm",
        path="single",
        phase=adaptive_recipe.base_phase,
        penalty=0.01,
        cost="cycles",
        staircase="stairs.yaml",
    )
    recipe = replace(adaptive_recipe, selection=selection, widths=[1.0, 0.5])
    folder = {"recipe_folder": tmp_path, "out": tmp_path / "out", "progress": False}
    train_adaptive(recipe, **folder)  # type: ignore[arg-type]
    for step in steps["layers"]["conv2"]:
        step["cycles"] *= 3
    (tmp_path / "stairs.yaml").write_text(yaml.safe_dump(steps))
    with pytest.raises(OutputError, match="hold a run of the same recipe"):
        train_adaptive(recipe, **folder)  # type: ignore[arg-type]


@pytest.mark.promise(
    "long gradients are shortened, and mixed precision ends before the integer grid"
)
def test_integer_grids_are_float32(
    adaptive_recipe: AdaptiveRecipe, tmp_path: Path, monkeypatch: Any
) -> None:
    """bfloat16 would put weights of 16 bits up to a hundred steps off their grid."""
    kinds: dict[bool, set[torch.dtype]] = {False: set(), True: set()}
    real_compute = AdaptiveNetwork.compute

    def compute(network: AdaptiveNetwork, node: Any, *arguments: Any) -> Any:
        x = real_compute(network, node, *arguments)
        if network.training and node.op == "conv":
            kinds[network.quantized].add(network.layer(node.name).seen)
        return x

    real_forward = SharedConv.forward

    def forward(layer: SharedConv, x: Any, *arguments: Any) -> Any:
        layer.seen = functional.conv2d(x[:1], layer.weight[:1, : x.shape[1]]).dtype
        return real_forward(layer, x, *arguments)

    monkeypatch.setattr(AdaptiveNetwork, "compute", compute)
    monkeypatch.setattr(SharedConv, "forward", forward)
    monkeypatch.setattr("hwgen.train.loop.has_bfloat16", lambda _: True)
    train(replace(adaptive_recipe, mixed_precision=True), tmp_path)
    assert kinds == {False: {torch.bfloat16}, True: {torch.float32}}


def test_batches_of_an_epoch_are_drawn_anew(
    adaptive_recipe: AdaptiveRecipe, tmp_path: Path, monkeypatch: Any
) -> None:
    """Few batches an epoch see all images in the end."""
    seen: list[Tensor] = []
    real_step = AdaptiveRun.step

    def step(
        run: AdaptiveRun, network: Any, optimizer: Any, x: Any, *rest: Any, **options: Any
    ) -> Any:
        seen.append(x.sum((1, 2, 3)))
        return real_step(run, network, optimizer, x, *rest, **options)

    monkeypatch.setattr(AdaptiveRun, "step", step)
    phases = [replace(adaptive_recipe.phases[0], epochs=6), adaptive_recipe.phases[-1]]
    train(replace(adaptive_recipe, epoch_batches=1, shift_pixels=0, phases=phases), tmp_path)
    images = torch.cat(seen)
    assert len(images.unique()) > 2 * adaptive_recipe.batch_images
