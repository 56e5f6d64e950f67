"""Popular networks on signals and on vectors."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from tests.corpus.popular.parts import CLASSES, Conv

STEPS, FEATURES, CELLS = 20, 16, 24


class Recurrent(nn.Module):
    """Cells over steps, and the classes of the last step."""

    def __init__(self, cells: type[nn.LSTM | nn.GRU], *, both: bool = False) -> None:
        super().__init__()
        self.cells = cells(FEATURES, CELLS, batch_first=True, bidirectional=both)
        self.head = nn.Linear(CELLS * (1 + both), 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cells(x)[0][:, -1])


class Crnn(nn.Module):
    """CRNN: columns of a map as steps of a GRU of both directions, classes a step."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Sequential(Conv(1, 16), nn.MaxPool2d(2), Conv(16, 32), nn.MaxPool2d((4, 1)))
        self.cells = nn.GRU(64, 16, batch_first=True, bidirectional=True)
        self.head = nn.Linear(32, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maps(x)
        x = x.permute(0, 3, 1, 2).flatten(2)
        return self.head(self.cells(x)[0])


class Causal(nn.Module):
    """TCN's block: convolutions behind padding on the left, and x beside."""

    def __init__(self, i: int, o: int, step: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv1d(i, o, 3, dilation=step), nn.Conv1d(o, o, 3, dilation=step)
        self.way = nn.Conv1d(i, o, 1) if i != o else nn.Identity()
        self.left = (2 * step, 0)

    def forward(self, x: Tensor) -> Tensor:
        y = f.relu(self.one(f.pad(x, self.left)))
        y = f.relu(self.two(f.pad(y, self.left)))
        return f.relu(y + self.way(x))


class Tcn(nn.Module):
    """TCN; the classes of its last step."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(Causal(8, 16, 1), Causal(16, 16, 2), Causal(16, 16, 4))
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x)[:, :, -1])


class WaveNet(nn.Module):
    """WaveNet: tanh times sigmoid, dilated, skips added."""

    def __init__(self) -> None:
        super().__init__()
        steps = (1, 2, 4)
        self.first = nn.Conv1d(1, 16, 1)
        self.filters = nn.ModuleList(nn.Conv1d(16, 16, 2, dilation=s) for s in steps)
        self.gates = nn.ModuleList(nn.Conv1d(16, 16, 2, dilation=s) for s in steps)
        self.skips = nn.ModuleList(nn.Conv1d(16, 16, 1) for _ in steps)
        self.ways = nn.ModuleList(nn.Conv1d(16, 16, 1) for _ in steps)
        self.steps = steps
        self.one, self.two = nn.Conv1d(16, 16, 1), nn.Conv1d(16, CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, total = self.first(x), None
        for step, parts in zip(
            self.steps, zip(self.filters, self.gates, self.skips, self.ways, strict=True),
            strict=True,
        ):  # fmt: skip
            kept, gate, skip, way = parts
            y = f.pad(x, (step, 0))
            y = torch.tanh(kept(y)) * torch.sigmoid(gate(y))
            total = skip(y) if total is None else total + skip(y)
            x = x + way(y)
        return self.two(f.relu(self.one(f.relu(total))))


def autoencoder() -> nn.Module:
    """Return MLPerf Tiny's autoencoder, narrow."""
    sizes, layers = (640, 64, 32, 8, 32, 64), []
    for i, o in itertools.pairwise(sizes):
        layers += [nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 640))


class PointNet(nn.Module):
    """PointNet: layers of each point, the maximum over points."""

    def __init__(self) -> None:
        super().__init__()
        pairs = ((3, 16), (16, 32), (32, 64))
        layers = [(nn.Conv1d(i, o, 1), nn.BatchNorm1d(o), nn.ReLU()) for i, o in pairs]
        self.body = nn.Sequential(*(each for layer in layers for each in layer))
        self.head = nn.Sequential(
            nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, CLASSES)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = torch.max(self.body(x), 2, keepdim=True)[0]
        return self.head(x.view(-1, 64))


class Siamese(nn.Module):
    """Two halves of the input through one network; the absolute difference of both."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.head = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        one, two = x[:, :16], x[:, 16:]
        return torch.sigmoid(self.head(torch.abs(self.body(one) - self.body(two))))


class Dueling(nn.Module):
    """Value plus advantage less its mean."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.value = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
        self.advantage = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(1, keepdim=True)
