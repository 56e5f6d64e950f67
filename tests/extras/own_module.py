"""A small module of torch learns a chip for two steps, and is imported: what the how-to needs."""

import torch
from torch import nn

from hwgen import api
from hwgen.train import prepare

CHIP = "dbpim/paper_float32"

torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 16, 3, padding=1),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(16, 4),
)
images = torch.randn(32, 3, 8, 8)
print(prepare(net, CHIP, share=0.5, digits=2))
optimizer = torch.optim.SGD(net.parameters(), 0.01)
for _ in range(2):
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(images), torch.arange(32) % 4).backward()
    optimizer.step()
made = api.import_torch(net, images, "net.npz", chip=CHIP)
assert made.integers
print(api.model(made.path, CHIP, images=1).cycles_model)
