"""The answers of a teacher: a frozen float network."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from hwgen.spec.output import whole_file
from hwgen.train.network import Network
from hwgen.train.parallel import rank, size


class TeacherAnswers:
    """Logits of the teacher for the batches of an epoch, in order.

    folder: where the answers of epochs that come back are stored; None: they never come back
    """

    def __init__(self, network: Network, *, folder: Path | None, mixed_precision: bool) -> None:
        self.network = network.eval()
        self.folder, self.mixed = folder, mixed_precision
        self.known: list[Tensor] = []
        self.batch = 0
        self.path: Path | None = None

    def begin(self, seed: int) -> None:
        """Begin an epoch; epochs of one seed have the same batches."""
        self.store()
        self.batch = 0
        self.known = []
        if self.folder is None:
            return
        self.path = self.folder / f"teacher_{seed}_{rank()}_of_{size()}.safetensors"
        if self.path.exists():
            try:
                self.known = list(load_file(self.path)["logits"].unbind())
            except (OSError, KeyError, SafetensorError):
                self.path.unlink()  # damaged: the teacher answers again

    def store(self) -> None:
        """Store the answers of the epoch that ends, unless they are."""
        if self.path is None or self.path.exists() or not self.known:
            return
        with whole_file(self.path, what="teacher's answers") as fresh:
            fresh.write_bytes(save({"logits": torch.stack(self.known).contiguous()}))

    @torch.no_grad()
    def answer(self, x: Tensor) -> Tensor:
        """Return the logits for the next batch of the epoch, float32."""
        self.batch += 1
        if self.batch <= len(self.known):
            return self.known[self.batch - 1].to(x.device).float()
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.mixed):
            logits: Tensor = self.network(x)
        if self.folder is not None:
            self.known.append(logits.half().cpu())
        return logits.float()
