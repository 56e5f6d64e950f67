"""The teacher: answers of a cycle that comes back are read, in order, and not computed again."""

from pathlib import Path

import torch
from torch import Tensor

from hwgen.train.adaptive.teacher import TeacherAnswers
from hwgen.train.models import plan_model
from hwgen.train.network import Network

PLAN = plan_model("adaptive_cnn", (8, 8, 1), 10)


def batches(seed: int) -> list[Tensor]:
    """Return three batches of images."""
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(4, 1, 8, 8, generator=random) for _ in range(3)]


def test_answers_of_a_cycle_come_back_in_order(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = Network(PLAN)
    teacher = TeacherAnswers(network, folder=tmp_path, mixed_precision=False)
    teacher.begin(7)
    first = [teacher.answer(x) for x in batches(7)]
    with torch.no_grad():
        wanted = [network(x) for x in batches(7)]
    assert all(torch.equal(a, b) for a, b in zip(first, wanted, strict=True))
    teacher.begin(8)
    other = [teacher.answer(x) for x in batches(8)]
    assert not torch.allclose(other[0], first[0])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    teacher.begin(7)
    again = [teacher.answer(x) for x in batches(7)]
    # They are stored in half precision.
    assert all(torch.allclose(a, b, atol=2e-3) for a, b in zip(again, first, strict=True))
    assert not torch.allclose(again[0], again[1], atol=2e-3)


def test_without_a_folder_every_answer_is_computed() -> None:
    torch.manual_seed(2)
    teacher = TeacherAnswers(Network(PLAN), folder=None, mixed_precision=False)
    teacher.begin(7)
    x = batches(7)[0]
    assert torch.equal(teacher.answer(x), teacher.answer(x))
    assert teacher.known == []
