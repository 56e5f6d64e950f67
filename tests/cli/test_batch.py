"""Several images in one run of the chip, and the steps of a program."""

from pathlib import Path
from typing import Any

import pytest

from hwgen.dbpim.facts import load_program
from tests.cli.given import ARCH, NETWORK, Command

ALONE = "digits_small_cnn on small: cycles of 4 images"


@pytest.fixture
def pair(hwgen: Command, tmp_path: Path, work: Path) -> Path:
    """Return a program whose runs have two images."""
    program = tmp_path / "pair.npz"
    given = ["--batch", 2, "--out", program, "--work", work]
    assert hwgen("compile", NETWORK, ARCH, *given)[0] == 0
    return program


@pytest.mark.promise(
    "a run of the chip may have several images, with the results of single ones; counts that do"
    " not fill a run are refused"
)
def test_a_program_has_the_images_of_one_run(pair: Path, report: Any) -> None:
    facts = load_program(pair).facts
    assert facts.images == len(facts.answer.offsets) == 2
    conv = next(step for step in facts.steps if step.name == "conv2 images 0-1")
    assert conv.images == (0, 2)
    # A program of other images of a run is another file of the work folder.
    single, batch = (
        report("compile", NETWORK, ARCH, "--batch", size)[0]["program"] for size in (1, 2)
    )
    assert single["file"] != batch["file"]
    assert single["digest"] != batch["digest"]


def test_a_run_of_several_images(report: Any) -> None:
    """Two runs of two images give the classes of four runs, in fewer cycles."""
    given = [NETWORK, ARCH, "--images", 4, "--engine", "model"]
    alone, _ = report("run", *given)
    pairs, out = report("run", *given, "--batch", 2)
    assert ALONE in out
    assert pairs["predictions"] == alone["predictions"]
    assert len(pairs["predictions"]) == len(pairs["images"]) == 4
    assert 0 < pairs["cycles_model"] < alone["cycles_model"]
    planes = [[layer["zero_bit_columns"] for layer in each["layers"]] for each in (alone, pairs)]
    assert planes[0] == planes[1]
    once, _ = report("run", NETWORK, ARCH, "--batch", 2, "--engine", "model")
    assert once["predictions"] == alone["predictions"][:2]
    assert once["cycles_model"] < pairs["cycles_model"]


def test_cycles_of_several_images(report: Any) -> None:
    """`time_us` is that of one image; what is written once a run is shared by its images."""
    run, _ = report("run", NETWORK, ARCH, "--batch", 2, "--images", 4, "--engine", "model")
    content, _ = report("model", NETWORK, ARCH, "--batch", 2, "--images", 4)
    assert content["images"] == 4
    assert content["cycles_model"] == run["cycles_model"]
    clock_mhz = content["clock"]["mhz"]
    assert content["time_us"] == pytest.approx(content["cycles_model"] / 4 / clock_mhz)
    single, _ = report("model", NETWORK, ARCH, "--images", 4)
    assert content["load_cycles_model"] < single["load_cycles_model"]
    one_run, _ = report("model", NETWORK, ARCH, "--batch", 2)
    assert one_run["images"] == 2


def test_a_compiled_program_says_how_many_images_a_run_has(pair: Path, report: Any) -> None:
    model = [NETWORK, ARCH, "--engine", "model"]
    given = report("run", *model, "--program", pair)
    assert given == report("run", *model, "--batch", 2)


@pytest.mark.parametrize("command", ["run", "model"])
@pytest.mark.parametrize("images", [1, 3])
def test_images_that_do_not_fill_the_last_run(
    hwgen: Command, work: Path, command: str, images: int
) -> None:
    given = ["--batch", 2, "--images", images, "--work", work]
    message = f"hwgen: --images must be a multiple of 2, the images of one run, got {images}\n"
    assert hwgen(command, NETWORK, ARCH, *given) == (2, "", message)


def test_images_that_do_not_fill_the_last_run_of_a_program(
    hwgen: Command, pair: Path, work: Path
) -> None:
    message = "hwgen: --images must be a multiple of 2, the images of one run, got 3\n"
    given = ["--program", pair, "--images", 3, "--work", work]
    assert hwgen("run", NETWORK, ARCH, *given) == (2, "", message)


@pytest.mark.parametrize("command", ["compile", "run", "model"])
@pytest.mark.parametrize("count", ["0", "-1", "two"])
def test_counts_that_are_none(hwgen: Command, command: str, count: str) -> None:
    code, out, err = hwgen(command, NETWORK, ARCH, "--batch", count)
    assert (code, out) == (2, "")
    assert "--batch" in err
    assert "Traceback" not in err


@pytest.mark.promise("info lists the steps of a network or program on a chip, in their order")
def test_steps_of_a_network(report: Any) -> None:
    content, out = report("info", NETWORK, ARCH)
    steps = content["steps"]
    names = [step["name"] for step in steps]
    assert names[0] == "load image for conv1"
    assert names[-2:] == ["store head", "end"]
    assert [step["layer"] for step in steps[1:-2]] == [each["name"] for each in content["layers"]]
    pool = steps[names.index("max_pool")]
    assert (pool["layer"], pool["kind"], pool["op"]) == ("max_pool", "simd", "max_pool")
    assert (pool["images"], pool["rows"], pool["cores"]) == ([0, 1], [0, 4], 2)
    assert pool["output"].startswith("word ")
    assert steps[-2]["output"] == "answer +0, 40 bytes"
    shown = [line.split() for line in out.partition("\nsteps: ")[2].splitlines()[2:]]
    assert shown[0] == ["step", "layer", "kind", "operation", "images", "rows", "cores", "output"]
    assert [line[: len(name.split())] for line, name in zip(shown[1:], names, strict=True)] == [
        name.split() for name in names
    ]
    line = shown[1 + names.index("max_pool")]
    assert line[1:7] == ["max_pool", "simd", "max_pool", "0-1", "0-4", "2"]


def test_steps_of_a_program(pair: Path, report: Any) -> None:
    """The images of a run share the steps of a layer, and each has its own LOAD and STORE."""
    content, out = report("info", pair, ARCH)
    assert any(
        line.startswith("load image 1 for conv1") and " 1-2 " in line for line in out.split("\n")
    )
    images = {step["name"]: step["images"] for step in content["steps"]}
    assert images["load image 1 for conv1"] == [1, 1]
    assert images["conv1 images 0-1"] == [0, 2]
    stores = [step["output"] for step in content["steps"] if step["kind"] == "store"]
    assert stores == ["answer +0, 40 bytes", "answer +64, 40 bytes"]


def test_without_an_architecture_there_are_no_steps(report: Any) -> None:
    content, out = report("info", NETWORK)
    assert content["steps"] is None
    assert "steps:" not in out
