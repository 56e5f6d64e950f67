"""Cutting a TFLite file at its operators."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.commands.context import Context
from hwgen.commands.plans import Wanted, cut_file_of, cut_plan
from hwgen.errors import FormatError
from hwgen.plan.feeds import drawn_feeds, feeds_of
from hwgen.plan.file import Plan, load_plan, save_plan
from hwgen.plan.play import Player
from hwgen.plan.target import Target

CASES = Path(__file__).parent / "cases"
OTHERS = Path(__file__).parents[1] / "importers/tflite/cases"


def cut(path: Path) -> Plan:
    """Return the plan of a file for golden, checked."""
    wanted = Wanted(chip=Path("golden"), strict=False, differ=False, least=None)
    return cut_plan(Context(console=None), cut_file_of(path), path, wanted, Target())


@pytest.mark.promise("a TFLite file is cut at its operators, and answers as LiteRT does")
@pytest.mark.parametrize(
    ("path", "share"),
    [
        (OTHERS / "two_outputs.tflite", 1),
        (OTHERS / "detector_one_list.tflite", 1),
        (OTHERS / "int16_mean_2.tflite", 0),
        (CASES / "keras_dilated_same_conv1d.tflite", 1),
    ],
    ids=lambda value: getattr(value, "stem", str(value)),
)
def test_a_file_is_equal_where_it_is_cut(path: Path, share: float, tmp_path: Path) -> None:
    plan = cut(path)
    graph = plan.graph
    assert graph.seen is not None
    assert graph.seen.equal == graph.seen.elements > 0
    assert graph.chip_products == share * graph.products
    save_plan(plan, tmp_path / "plan.npz")
    again = load_plan(tmp_path / "plan.npz")
    assert again.digest == plan.digest
    (feed,) = drawn_feeds([graph.by_name[name] for name in graph.inputs], 1, 5)
    player = Player(again)
    (wanted,) = cut_file_of(path).answers([feed])
    found = player.play(feed)
    for name, array in zip(graph.outputs, wanted, strict=True):
        assert np.array_equal(found[name].reshape(array.shape), array)


def test_several_images_of_a_border_are_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of an image in a batch, if nobody reads them as a dilation."""
    monkeypatch.setattr("hwgen.importers.tflite.read.without_parts", lambda file: file)
    steps = cut(CASES / "keras_dilated_same_conv1d.tflite").graph.chip_steps
    assert [step.batch for step in steps] == [2, 4, 1]


def test_unsigned_images_are_those_of_a_signed_input_and_128() -> None:
    file = cut_file_of(OTHERS / "two_outputs.tflite")
    inputs = file.tensors(file.units.inputs)
    images = np.full((1, *inputs[0].sides[1:]), 130, np.uint8)
    (feed,) = feeds_of(inputs, images, "images.npz")
    assert feed[inputs[0].name].dtype == np.int8
    assert (feed[inputs[0].name] == 2).all()


def test_a_file_that_its_runtime_refuses_is_one_sentence(tmp_path: Path) -> None:
    content = bytearray((OTHERS / "two_outputs.tflite").read_bytes())
    path = tmp_path / "damaged.tflite"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError):
        cut_file_of(path)
