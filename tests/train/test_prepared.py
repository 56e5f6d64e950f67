"""Any module of torch with the weights of a chip, in a loop of its own."""

import copy
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from hwgen import train
from hwgen.errors import HwgenError
from hwgen.network.csd import phi
from hwgen.train.converted import chip_weights, integers_of
from hwgen.train.few_digits import FewDigits
from tests.network.test_pruning import install

CHIP = "dbpim/paper_float32"


class Net(nn.Module):
    """Two convolutions, one of them depthwise, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 20, 3, padding=1)
        self.norm = nn.BatchNorm2d(20)
        self.each = nn.Conv2d(20, 20, 3, groups=20)
        self.head = nn.Linear(20, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.each(functional.relu(self.norm(self.first(x)))))
        return self.head(x.mean((2, 3)))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(1)
    return Net()


def trained(net: nn.Module, prepared: train.Prepared, steps: int) -> None:
    optimizer = torch.optim.SGD(net.parameters(), 0.1, 0.9)
    net.train()
    for _ in range(steps):
        loss = functional.cross_entropy(net(torch.randn(8, 3, 6, 6)), torch.arange(8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        prepared.step()


def zero_blocks(integers: np.ndarray) -> float:
    """Return the share of zero blocks of the first 16 filters."""
    return float((integers[:16].reshape(2, 8, -1) == 0).all(1).mean())


@pytest.mark.promise(
    "any module of torch gets a chip's weights in place: blocks masked, few digits, straight"
    " through, in evaluation as in training"
)
@pytest.mark.parametrize("digits", [1, 2, "mode"])
def test_weights_obey_the_chip_while_a_loop_trains(net: Net, digits: int | str) -> None:
    before = {id(each) for each in net.parameters()}
    prepared = train.prepare(net, CHIP, share=0.5, digits=digits)
    assert {id(each) for each in net.parameters()} == before
    first = integers_of(net)
    pruned = {name: ~part.mask.numpy() for name, part, _ in chip_weights(net)}
    trained(net, prepared, 4)
    after = integers_of(net)
    most = 1 if digits == 1 else 2
    for name, integers in after.items():
        assert max(phi(int(v)) for v in np.unique(integers)) <= most
        assert not integers[pruned[name]].any()
        assert digits != 1 or integers[~pruned[name]].all()  # a cell of one digit holds no zero
    assert zero_blocks(after["first"]) >= 0.5
    assert any(not np.array_equal(after[name], first[name]) for name in after)
    plain = train.convert(net)
    x = torch.randn(2, 3, 6, 6)
    assert not list(chip_weights(plain)) and torch.equal(plain(x), net.eval()(x))


def test_the_table_says_what_is_left_and_why(net: Net) -> None:
    prepared = train.prepare(net, CHIP, share={"first": 0.25}, leave=["head"])
    assert str(prepared).splitlines() == [
        "layer  kind    weights  pruned  digits  left as it is",
        "first  Conv2d  540      25%     2",
        "each   Conv2d  180      -       -       depthwise: computed without bit cells",
        "head   Linear  200      -       -       as asked",
    ]


def test_shared_weights_are_left_and_a_module_that_is_used_twice_is_not() -> None:
    one, other = nn.Linear(16, 16), nn.Linear(16, 16)
    other.weight = one.weight
    twice = nn.Linear(16, 16)
    prepared = train.prepare(nn.Sequential(one, other, twice, twice), CHIP)
    assert [each.left for each in prepared.layers] == [*["shares its weights: 0, 1"] * 2, ""]


def test_layers_whose_integers_no_file_would_show_are_left() -> None:
    layers = nn.Conv2d(1, 64, 1), nn.Conv2d(64, 8, 1), nn.Linear(7, 9), nn.Linear(8, 8)
    prepared = train.prepare(nn.Sequential(*layers), CHIP)
    assert [each.left for each in prepared.layers] == ["too few weights", "", "too few weights", ""]


def test_a_share_grows_over_steps_and_masks_stay(net: Net) -> None:
    prepared = train.prepare(net, CHIP, share=0.5, over=4)
    shares, masks = [], []
    for _ in range(5):
        masks.append(next(part.mask.clone() for _, part, _ in chip_weights(net)))
        shares.append(1 - float(masks[-1][:16].float().mean()))
        trained(net, prepared, 1)
    assert shares[0] == 0 and shares == sorted(shares) and shares[3] > 0.4
    assert all(not (later & ~sooner).any() for sooner, later in itertools.pairwise(masks))
    again = train.prepare(Net(), CHIP, share=0.5, over=4)
    again.load_state_dict(prepared.state_dict())
    assert again.steps == 5 and again.grown == 1.0


def test_state_copies_and_bfloat16_work(net: Net) -> None:
    prepared = train.prepare(net, CHIP, share=0.5)
    trained(net, prepared, 1)
    other = Net()
    train.prepare(other, CHIP, share=0.5)
    other.load_state_dict(net.state_dict())
    x = torch.randn(2, 3, 6, 6)
    expected = net.eval()(x)
    assert torch.equal(other.eval()(x), expected) and torch.equal(copy.deepcopy(net)(x), expected)
    with torch.autocast("cpu", torch.bfloat16):
        loss = net.train()(x).float().sum()
    loss.backward()
    original = net.first.parametrizations.weight.original
    mask = net.first.parametrizations.weight[0].mask
    assert original.grad is not None and original.grad.dtype == torch.float32
    assert not original.grad[~mask].any() and original.grad[mask].any()


def test_compiled_and_distributed_modules_answer_alike(net: Net, tmp_path: Path) -> None:
    train.prepare(net, CHIP, share=0.5)
    net.eval()
    x = torch.randn(2, 3, 6, 6)
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    assert torch.equal(compiled(x), net(x))
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/one", rank=0, world_size=1
    )
    try:
        parallel = nn.parallel.DistributedDataParallel(net)
        parallel(x).sum().backward()
        assert torch.equal(parallel(x), net(x))
    finally:
        distributed.destroy_process_group()
    assert net.first.parametrizations.weight.original.grad.any()


def test_groups_have_blocks_of_their_own() -> None:
    weight = torch.randn(24, 4, 3, 3)
    part = FewDigits(weight, digits=2, groups=2)
    part.renew(weight, 0.5)
    # Eight and four filters of each group.
    sizes = [0, 8, 12, 20, 24]
    for first, last in itertools.pairwise(sizes):
        mask = part.mask[first:last]
        assert (mask == mask[:1]).all()
    assert not (part.mask[8] == part.mask[12]).all()


def test_a_rule_of_an_installed_package_chooses_blocks(
    net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "def rule(scores, share):\n    return scores < 0\n")
    train.prepare(net, CHIP, share=0.5, rule="foreign", leave=["head"])
    assert not integers_of(net)["first"].any()


def test_cells_of_a_crossbar_vary_while_training_alone(net: Net) -> None:
    train.prepare(net, "crossbar/digits_small_cnn", noise="effects/reram_study")
    drawn = [net.train().first.weight.detach() for _ in range(2)]
    assert not torch.equal(*drawn)
    held = [net.eval().first.weight.detach() for _ in range(2)]
    assert torch.equal(*held) and (drawn[0] - held[0]).abs().max() < held[0].abs().max()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"chip": "dbpim/papr"}, "did you mean dbpim/paper"),
        ({"share": 1.0}, "share must be from 0 to below 1, got 1.0"),
        ({"digits": 5}, "digits must be 1 to 4, or mode, got 5"),
        ({"leave": ["heat"]}, "names of modules, got heat: did you mean head"),
        ({"chip": "dbpim/paper_dense", "share": 0.5}, "skips no blocks, got 0.5 on paper_dense"),
        ({"chip": "mram/paper", "digits": 2}, "saves nothing by it, got 2 on paper"),
        ({"noise": "effects/reram_study"}, "cells of crossbars alone vary"),
        ({"bits": 4, "digits": 2}, "digits must be left out with bits=4"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_changes_nothing(
    net: Net, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(HwgenError) as error:
        train.prepare(net, **{"chip": CHIP, **options})
    assert sentence in str(error.value)
    assert not list(chip_weights(net))


def test_a_module_is_prepared_once(net: Net) -> None:
    train.prepare(net, CHIP)
    with pytest.raises(HwgenError, match="not prepared yet"):
        train.prepare(net, CHIP)
    with pytest.raises(HwgenError, match="with a layer that macros compute"):
        train.prepare(nn.ReLU(), CHIP)
