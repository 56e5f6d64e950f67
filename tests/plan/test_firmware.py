"""A plan in C: the pieces in order, moves, classes, and functions that the user writes."""

import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen import api
from hwgen.commands.context import Context
from hwgen.plan.file import load_plan
from hwgen.plan.firmware import runs_of
from hwgen.report.plans import PlanReport
from tests.plan.test_cut import two_convolutions
from tests.plan.test_lists import LISTS, by_planes, of_integers
from tests.quantized_onnx import Model, saved

ROOT = Path(__file__).parents[2]
DRIVER = ROOT / "hwgen/chip/driver"
FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined")
LRN = """
#include <math.h>
#include "hwgen_plan.h"

static float real(const uint8_t *in, int c, int p)
{
    return c < 0 || c > 7 ? 0 : (float)(in[c * 36 + p] - 3) * 0.04f;
}

void hwgen_host1(const uint8_t *in0, uint8_t *out0)
{
    for (int c = 0; c < 8; c++)
        for (int p = 0; p < 36; p++) {
            float sum = 0;

            for (int k = c - 1; k <= c + 1; k++)
                sum += real(in0, k, p) * real(in0, k, p);
            sum = 128 * real(in0, c, p) * powf(1.0f + 0.0001f / 3 * sum, -0.75f);
            out0[c * 36 + p] = (uint8_t)(fminf(fmaxf(rintf(sum), -128), 127) + 128);
        }
}
"""


def with_class(operator: str) -> onnx.ModelProto:
    """Return a network that ends in classes: of each pixel, or of each row of a list."""
    model = Model()
    if operator == "Softmax":
        return model.build(model.node("Softmax", by_planes(model)[0], axis=-1))
    first = model.quantized(model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1]))
    sums = model.quantized(model.conv(first, 4, 8, 3, 3), 0.09, 111)
    return of_integers(model.build(model.node("ArgMax", sums, axis=1, keepdims=0)))


def of_list(name: str) -> onnx.ModelProto:
    model = Model()
    return of_integers(model.build(*LISTS[name](model)))


def exported(model: onnx.ModelProto, chip: str, folder: Path) -> Path:
    """Return the folder of a plan in C, of two calls."""
    path = saved(model, folder)
    context = Context(work=folder, console=None)
    report = api.import_network(path, folder / "net.npz", chip=chip)
    assert isinstance(report, PlanReport)
    out = folder / "out"
    api.export(folder / "net.npz", chip, out, images=2, firmware=True, context=context)
    return out


def played(out: Path, functions: str = "") -> list[str]:
    """Return what the player says, with functions of the user."""
    (out / "functions.c").write_text(functions or "typedef int none;\n", encoding="utf-8")
    sources = [*out.glob("*.c"), *out.glob("chip*/*.c"), DRIVER / "hwgen_play.c"]
    sources.append(ROOT / "tests/plan/player.c")
    folders = [f"-I{each}" for each in (DRIVER, out, *out.glob("chip*"))]
    program = out / "play"
    subprocess.run(["gcc", *FLAGS, *folders, *sources, "-lm", "-o", program], check=True)
    done = subprocess.run([program], cwd=out, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def fine(lines: list[str], pieces: int, outputs: int) -> bool:
    """Return whether all calls are as in the runtime, on the images of golden."""
    images = [line for line in lines if line.startswith("run ")]
    ends = [line for line in lines if line.endswith((": equal", ": differs"))]
    return (
        lines.count("code 0") == 2
        and len(images) == 2 * pieces
        and all(": its image, 1 at once, scratch 1" in line for line in images)
        and len(ends) == 2 * outputs
        and all(line.endswith(": equal") for line in ends)
    )


@pytest.mark.promise(
    "the driver in C plays a plan: pieces in order, moves between them, functions of the user"
)
def test_a_plan_with_a_function_of_the_user_is_played(tmp_path: Path) -> None:
    out = exported(two_convolutions(), "dbpim/small_rows", tmp_path)
    header = (out / "hwgen_plan.h").read_text(encoding="utf-8")
    assert "void hwgen_host1(const uint8_t *in0, uint8_t *out0);" in header
    assert "hwgen_host0" not in header and "hwgen_host2" not in header
    lines = played(out, LRN)
    assert fine(lines, pieces=2, outputs=1), lines
    loads = [line for line in lines if line.startswith("load ")]
    assert len(loads) == 4 and loads[0] == "load 0, limit 7" != loads[1]
    assert not fine(played(out, LRN.replace("127) + 128", "126) + 127")), pieces=2, outputs=1)


@pytest.mark.promise("a network that ends in a class or in a list needs no function of its user")
@pytest.mark.parametrize("name", ["ArgMax", "Softmax", "two scales", "two lists"])
def test_ends_of_networks_are_moves(name: str, tmp_path: Path) -> None:
    model = of_list(name) if name in LISTS else with_class(name)
    out = exported(model, "dbpim/small_rows", tmp_path)
    header = (out / "hwgen_plan.h").read_text(encoding="utf-8")
    assert "void hwgen_" not in header
    assert ("the class of" in header) == (name not in LISTS)
    graph = load_plan(tmp_path / "net.npz").graph
    assert fine(played(out), pieces=len(graph.chip_steps), outputs=len(graph.outputs))


def test_runs_are_as_long_as_they_can_be() -> None:
    places = [(0, 0, 4), (0, 0, 6), (0, 0, 8), (0, 0, 9), (0, 1, 10), (1, 1, 11), (-1, -1, -1)]
    places += [(-1, -1, -1), (0, 0, 5), (0, 0, 5)]
    assert list(runs_of(np.array(places))) == [
        (0, 0, 4, 3, 2),
        (0, 0, 9, 1, 0),
        (0, 1, 10, 1, 0),
        (1, 1, 11, 1, 0),
        (-1, -1, -1, 2, 0),
        (0, 0, 5, 2, 0),
    ]
