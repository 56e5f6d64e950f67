"""Data-parallel training: processes that `torchrun` starts share every batch.

Each process holds the whole network and takes its part of every batch. Sums over the batch (the
gradients, the statistics of batch norm, the ranges of maps, loss and right images) are those of
the whole batch, so that all processes hold the same numbers and one process alone gives the same
up to the order of float sums. Without `torchrun` every function here is that of one process.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

from hwgen.errors import ConfigError


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if active() else 0


def size() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if active() else 1


def active() -> bool:
    """Whether several processes train together."""
    return dist.is_available() and dist.is_initialized()


@contextmanager
def processes() -> Iterator[torch.device]:
    """Join the processes of `torchrun`, if it started this one; yield the device to train on."""
    local = int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield device
        return
    if on_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


def check_batch(batch_images: int, *, source: str) -> None:
    """Refuse a batch that does not split evenly over the processes."""
    if batch_images % size():
        raise ConfigError(
            field="batch_images",
            allowed=f"a multiple of the {size()} processes",
            given=batch_images,
            source=source,
        )


def part_of(x: Tensor, *, dim: int = 0) -> Tensor:
    """Return this process's part of a tensor along `dim`; parts differ by one at most."""
    return x.tensor_split(size(), dim=dim)[rank()] if active() else x


def total(x: Tensor) -> Tensor:
    """Return the sum of a tensor over the processes, without a gradient."""
    if active():
        x = x.clone()
        dist.all_reduce(x)
    return x


def total_with_gradient(x: Tensor) -> Tensor:
    """Return the sum of a tensor over the processes; its gradient is that of every process."""
    summed: Tensor = all_reduce(x) if active() else x
    return summed


def extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lowest and the highest element over all processes."""
    low, high = in_memory_order(x).aminmax()
    if active():
        dist.all_reduce(low, dist.ReduceOp.MIN)
        dist.all_reduce(high, dist.ReduceOp.MAX)
    return low, high


def in_memory_order(x: Tensor) -> Tensor:
    """Return a map (n, c, h, w) as it lies in memory, so that a reduction of it is fast."""
    if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last):
        return x.permute(0, 2, 3, 1)
    return x


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes, in one message."""
    if not active():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= size()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.reshape(gradient.shape))


def of_first(value: Any) -> Any:
    """Return what the first process has."""
    held = [value]
    if active():
        dist.broadcast_object_list(held)
    return held[0]


def wait_for_all() -> None:
    """Return when every process is here."""
    if active():
        dist.barrier()
