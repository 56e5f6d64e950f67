"""A network of depthwise layers from timm learns a chip: drawn weights, a few steps, cycles alone.

    pip install timm
    python depthwise.py mobilenetv2_035 --side 64 --out build/depthwise

Needs `pip install '.[train,onnxruntime,sim]'`. Depthwise layers stay as they are, and so does what
the table names; all pointwise layers lose half of their blocks and all but two digits of a weight.
"""

import argparse
from pathlib import Path

import timm
import torch
from torch.nn import functional

from hwgen import api
from hwgen.train import prepare

CHIP = "dbpim/paper_float32"


def main():
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="mobilenetv2_035")
    parser.add_argument("--side", type=int, default=64, help="of the images")
    parser.add_argument("--out", type=Path, default=Path("build/depthwise"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    net = timm.create_model(given.model, num_classes=10)
    images, labels = torch.randn(32, 3, given.side, given.side), torch.arange(32) % 10

    prepared = prepare(net, CHIP, share=0.5, digits=2, over=4)
    print(prepared)
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    net.train()
    for _ in range(5):
        loss = functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        prepared.step()

    made = api.import_torch(net, images[:8], given.out / "network.npz", chip=CHIP)
    print(f"{made.integers:,} integers are those of the training")
    context = api.Context(console=None, work=given.out)
    dense = api.model(made.path, CHIP, sparsity="none", images=1, context=context)
    run = api.simulate(made.path, CHIP, images=1, context=context)
    print(
        f"{run.cycles_model:,} cycles, {dense.cycles_model:,} without skipping, equal: {run.equal}"
    )


if __name__ == "__main__":
    main()
