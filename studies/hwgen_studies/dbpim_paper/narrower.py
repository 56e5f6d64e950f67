"""A dense network that is as small as a pruned one: ResNet20 with fewer channels.

    python -m hwgen_studies.dbpim_paper.narrower CHECKPOINT --data cifar10 --out FOLDER

Channels of a trained float checkpoint (akamaster's ResNet20) are cut out, those whose batch norms
have the largest factors, and the network goes on to train by
`configs/train/cifar10_resnet20_narrow.yaml`. A training that was interrupted goes on.

Tests: `studies/tests/dbpim_paper/test_narrower.py`.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from rich.progress import Progress
from torch import Tensor

from hwgen.data import load_dataset
from hwgen.train.checkpoint import Checkpoint, save_checkpoint
from hwgen.train.models import plan_model
from hwgen.train.network import Network
from hwgen.train.recipe import Recipe, Start, load_recipe
from hwgen.train.run import Run
from hwgen.train.schedule import make_optimizer
from hwgen.train.start import load_start
from hwgen.train.train import train_network
from hwgen_studies.dbpim_paper.race_networks import CONFIGS

RECIPE = CONFIGS / "train" / "cifar10_resnet20_narrow.yaml"
START = Start(
    mean=[0.485, 0.456, 0.406],
    std=[0.229, 0.224, 0.225],
    name="ResNet20 on CIFAR-10, resnet20-12fca82f.th of akamaster/pytorch_resnet_cifar10",
    licence="BSD-2-Clause",
)
STAGES = (16, 32, 64)
"""Channels of the stages as published."""


def cut(wide: Network, narrow: Network) -> None:
    """Fill `narrow` with channels of `wide`, a ResNet20 of more channels in each layer.

    Within a block those of the largest factors of batch norm stay; of the maps that blocks add up
    those of the largest sums of factors, where a stage keeps what the stage before it kept.
    """
    streams = kept_streams(wide, narrow)
    read: Tensor = torch.arange(3)
    for node in narrow.plan.weighted:
        source, target = wide.layer(node.name), narrow.layer(node.name)
        if node.name == "head":
            kept = torch.arange(node.channels)
        elif node.name.endswith("_conv1"):
            kept = largest(factors(wide, node.name), node.channels)
        else:
            kept = streams[1 if node.name == "conv1" else int(node.name[len("stage")])]
        with torch.no_grad():
            target.original.copy_(source.original[kept][:, read])
            for name, tensor in target.state_dict().items():
                if "parametrizations" not in name and tensor.ndim:
                    tensor.copy_(source.state_dict()[name][kept])
        read = kept


def factors(network: Network, name: str) -> Tensor:
    """Return the size of the factor of each channel of a layer's batch norm."""
    sizes: Tensor = network.layer(name).state_dict()["norm.weight"].abs()
    return sizes


def largest(sizes: Tensor, count: int) -> Tensor:
    """Return the indices of the largest `count` values, in order."""
    places: Tensor = sizes.topk(count).indices.sort().values
    return places


def kept_streams(wide: Network, narrow: Network) -> Mapping[int, Tensor]:
    """Return the channels that stay of the maps of each stage: of old ones, then of new ones."""
    kept: dict[int, Tensor] = {0: torch.arange(0)}
    for stage, published in enumerate(STAGES, start=1):
        names = [f"stage{stage}_block{block}_conv2" for block in (1, 2, 3)]
        if stage == 1:
            names.append("conv1")
        sums = torch.stack([factors(wide, name) for name in names]).sum(0)
        before = kept[stage - 1]
        first = STAGES[stage - 2] if stage > 1 else 0
        count = narrow.layer(names[0]).original.shape[0] - len(before)
        kept[stage] = torch.cat([before, first + largest(sums[first:published], count)])
    return kept


def begin(recipe: Recipe, checkpoint: Path, data: Path, out: Path) -> None:
    """Write the state with which the float phase begins, unless it has begun."""
    path = out / "checkpoints" / "float.safetensors"
    if path.exists():
        return
    dataset = load_dataset(recipe.dataset, data)
    classes = len(dataset.class_names)
    wide = Network(plan_model(recipe.model, dataset.shape, classes))
    load_start(wide, checkpoint, START, recipe)
    run = Run(
        recipe,
        dataset,
        None,
        out=out,
        device=torch.device("cpu"),
        resume=True,
        bars=Progress(disable=True),
    )
    narrow = run.start()
    cut(wide, narrow)
    path.parent.mkdir(parents=True, exist_ok=True)
    optimizer = make_optimizer(recipe, recipe.float_phase, narrow.parameters())
    state = Checkpoint(epochs=0, history=[])
    save_checkpoint(path, narrow, optimizer, state, digest=run.digest("float"))


def main(arguments: Sequence[str]) -> int:
    """Cut, train, and say how accurate the network is; return the exit code."""
    parser = argparse.ArgumentParser("dbpim-narrower", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder with the images")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    given = parser.parse_args(arguments)
    recipe = load_recipe(RECIPE)
    begin(recipe, given.checkpoint, given.data, given.out)
    result = train_network(recipe, data_path=given.data, out=given.out, progress=False)
    print(f"float {result.accuracy_float:.4f}, integers {result.accuracy_integer:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
