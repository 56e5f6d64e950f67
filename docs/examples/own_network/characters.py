"""A small transformer of torch's own layers learns a chip: the next character of a text.

    python characters.py LICENSE --out build/characters

Needs `pip install '.[train,onnxruntime,sim]'`. A minute of one core.
"""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from hwgen import api
from hwgen.train import prepare

CHIP = "dbpim/small_rows"
TOKENS, WIDTH, IDS = 16, 32, 64


class Characters(nn.Module):
    """Characters, as numbers below 64, to the scores of the next one."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(IDS, WIDTH)
        self.places = nn.Parameter(0.1 * torch.randn(TOKENS, WIDTH))
        self.blocks = nn.Sequential(
            *[nn.TransformerEncoderLayer(WIDTH, 2, 64, 0.0, batch_first=True) for _ in range(2)]
        )
        self.head = nn.Linear(WIDTH, IDS)

    def forward(self, ids):
        x = self.blocks(self.table(ids) + self.places)
        return self.head(x.mean(1))


def batch(text, count):
    """Return sequences of characters, and the one behind each."""
    first = torch.randint(len(text) - TOKENS, (count, 1))
    found = text[first + torch.arange(TOKENS + 1)]
    return found[:, :-1], found[:, -1]


def train(net, text, steps, prepared=None):
    """Train in a loop that knows of a chip by `prepared.step()` alone."""
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    net.train()
    for _ in range(steps):
        ids, behind = batch(text, 64)
        loss = functional.cross_entropy(net(ids), behind)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if prepared is not None:
            prepared.step()


@torch.no_grad()
def accuracy(net, ids, behind):
    """Return how many of the next characters are guessed."""
    return f"{100 * (net.eval()(ids).argmax(1) == behind).float().mean():.1f} %"


def main():
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("build/characters"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    content = "".join(path.read_text(encoding="utf-8") for path in given.texts)
    shown = (each for each in content.upper() if " " <= each <= "_")
    text = torch.tensor([ord(each) - ord(" ") for each in shown])
    known, test = text[: -len(text) // 8], text[-len(text) // 8 :]
    ids, behind = batch(test, 1000)

    net = Characters()
    train(net, known, given.steps)
    print("float", accuracy(net, ids, behind))
    prepared = prepare(net, CHIP, share=0.5, digits=2, over=given.steps // 2)
    print(prepared)
    train(net, known, given.steps, prepared)
    print("trained for the chip", accuracy(net, ids, behind))

    made = api.import_torch(net, batch(known, 64)[0], given.out / "network.npz", chip=CHIP)
    print(f"{made.integers:,} integers are those of the training")
    dense = api.model(made.path, CHIP, sparsity="none", images=1)
    run = api.simulate(made.path, CHIP, images=1, context=api.Context(console=None, work=given.out))
    print(
        f"{run.cycles_model:,} cycles, {dense.cycles_model:,} without skipping, equal: {run.equal}"
    )


if __name__ == "__main__":
    main()
