"""Each extra is tried as what it is: its commands find its packages and no others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.extras.closure import PROJECT, ROOT, run_closed

FILES = ROOT / "tests/importers/files"
ONNX, TFLITE = FILES / "prelu-script-calibrated.onnx", FILES / "means.tflite"
ON_TINY = ("digits_small_cnn", "dbpim/tiny")
RECIPES = ROOT / "configs/train"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Commands of an extra, which run one after the other in one folder.

    modules: commands of other programs, as `python -m` takes them
    prepare: what the folder holds before
    """

    hwgen: Sequence[Sequence[object]] = ()
    modules: Sequence[Sequence[object]] = ()
    prepare: Callable[[Path], None] = lambda folder: None


def short_recipe(folder: Path) -> None:
    """Write a recipe of one epoch a phase."""
    recipe = yaml.safe_load((RECIPES / "digits_small_cnn.yaml").read_text(encoding="utf-8"))
    write_recipe(folder, recipe | {"epoch_batches": 2})


def short_transformer(folder: Path) -> None:
    """Write a recipe of a transformer of one block, of one epoch a phase."""
    recipe = yaml.safe_load((RECIPES / "digits_vit.yaml").read_text(encoding="utf-8"))
    recipe["architecture"]["blocks"] = 1
    write_recipe(folder, recipe | {"epoch_batches": 2, "calibration_images": 64})


def write_recipe(folder: Path, recipe: dict[str, object]) -> None:
    """Write a recipe with one epoch a phase."""
    for value in recipe.values():
        if isinstance(value, dict) and "epochs" in value:
            value |= {"epochs": 1, "warmup_epochs": 0}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")


def float_file(folder: Path) -> None:
    """Write a float ONNX file, and images that calibrate it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(1).normal(size=(3, 1, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["answer"])],
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1, 3, 2, 2])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "float.onnx")
    images = np.random.default_rng(2).integers(0, 256, (4, 4, 4, 1)).astype(np.uint8)
    np.savez(folder / "images.npz", images=images)


EXTRAS = {
    "": Tried(
        hwgen=[
            ("info", *ON_TINY),
            ("build", "dbpim/tiny", "--out", "verilog"),
            ("compile", *ON_TINY, "--out", "program.npz"),
            ("model", *ON_TINY),
            ("run", *ON_TINY, "--engine", "golden"),
            ("run", *ON_TINY, "--engine", "model"),
            ("explore", *ON_TINY, "--grid", "port_bits=32,64"),
            ("effects", *ON_TINY, "--effects", "effects/sram_low_voltage", "--seeds", 1,
             "--images", 2),
            ("export", *ON_TINY, "--out", "by-hand"),
            ("energy", "dbpim", "--out", "energy.yaml"),
            ("cache",),
        ]
    ),
    "sim": Tried(hwgen=[("run", *ON_TINY, "--images", 1)]),
    "data": Tried(
        hwgen=[("fit", *ON_TINY[:1], "--images", 40, "--calibration", 8, "--out", "fit.npz")]
    ),
    "import": Tried(
        hwgen=[
            ("import", ONNX, "--out", "network.npz"),
            ("info", ONNX),
            ("run", "network.npz", "dbpim/paper", "--engine", "golden", "--images", 1),
            ("export-onnx", "digits_small_cnn", "--out", "network.onnx"),
            ("export-onnx", "resnet18", "--out", "resnet18.onnx"),
        ]
    ),
    "tflite": Tried(hwgen=[("import", TFLITE, "--out", "network.npz"), ("info", TFLITE)]),
    "litert,tflite": Tried(
        hwgen=[
            ("import", TFLITE, "--out", "network.npz"),
            ("compare", "network.npz", "--against", TFLITE, "--images", 2),
        ]
    ),
    "onnxruntime": Tried(
        hwgen=[
            ("import", "float.onnx", "--calibrate", "images.npz", "--qdq", "quantized.onnx",
             "--out", "network.npz"),
            ("compare", "network.npz", "--against", "quantized.onnx", "--data", "images.npz"),
        ],
        prepare=float_file,
    ),
    "dse": Tried(
        hwgen=[
            ("synthesize", "digits_small_cnn", "--power-w", 1, "--evaluations", 20),
            ("explore", "digits_small_cnn", "dbpim/tiny", "--area", 2, "--points", 2,
             "--keys", "port_bits=32,64", "--plot", "front.svg"),
            ("model", *ON_TINY, "--plot", "model.svg"),
        ]
    ),
    "train": Tried(hwgen=[("train", "recipe.yaml", "--out", "trained")], prepare=short_recipe),
    "transformer": Tried(
        hwgen=[("train", "recipe.yaml", "--out", "trained")], prepare=short_transformer
    ),
    "mosaic": Tried(modules=[("PIL", "--version")]),
    "synth": Tried(hwgen=[("cost", "mram/tiny")]),
    "layout": Tried(hwgen=[("cost", "dbpim/tiny", "--module", "dbpim_ppu", "--placed")]),
    "docs": Tried(modules=[("mkdocs", "--version"), ("mkdocstrings",)]),
}  # fmt: skip
"""Commands by extra; without a name: what `pip install .` brings."""
SLOW = ("synth",)
"""Extras whose command takes a minute."""
OTHERS = {
    "board": "tests/host/test_lines.py opens a line by pyserial",
    "corpus": "tests/corpus makes its files in an environment of their own",
    "dev": "all tests run in it",
    "fpga": "tests/boards/test_route.py routes a small design on each board",
    "notebook": "tests/docs/test_notebooks.py runs the cells",
    "soc": "tests/soc builds the system of docs/howto/soc.md",
    "text": "tests/network/test_vocabulary.py reads a tokenizer.json",
    "verif": "tests/verif runs the benches, whose packages these are",
}
"""Extras that no command of hwgen needs, and who tries them."""


def test_each_extra_is_tried() -> None:
    tried = {extra for extras in EXTRAS for extra in extras.split(",") if extra}
    assert not tried & set(OTHERS)
    assert tried | set(OTHERS) == set(PROJECT["optional-dependencies"])


@pytest.mark.dear("import")
@pytest.mark.promise(
    "the commands of each extra import what that extra brings, and no package besides"
)
@pytest.mark.parametrize(
    "extras",
    [pytest.param(each, marks=pytest.mark.long if each in SLOW else ()) for each in EXTRAS],
)
def test_the_commands_of_an_extra_need_no_other(extras: str, tmp_path: Path) -> None:
    tried = EXTRAS[extras]
    tried.prepare(tmp_path)
    named = [each for each in extras.split(",") if each]
    commands = [("hwgen", *each) for each in tried.hwgen] + list(tried.modules)
    for command in commands:
        done = run_closed(named, command, tmp_path)
        assert done.returncode in (0, 1), (command, done.stderr)
        assert "Traceback" not in done.stderr, (command, done.stderr)


PICTURES = {
    "model": ("model", *ON_TINY, "--plot", "picture.svg"),
    "run": ("run", "digits_small_cnn", "crossbar/digits_small_cnn", "--plot", "picture.svg"),
    "grid": ("explore", *ON_TINY, "--grid", "port_bits=32,64", "--plot", "picture.svg"),
    "effects": ("effects", *ON_TINY, "--effects", "effects/sram_low_voltage", "--plot", "p.svg"),
    "cost": ("cost", "dbpim/tiny", "--plot", "picture.svg"),
}


@pytest.mark.dear("run")
@pytest.mark.promise(
    "a package that only the picture needs is told before anything is computed, with its extra"
)
@pytest.mark.parametrize("command", PICTURES)
def test_a_picture_without_its_package(command: str, tmp_path: Path) -> None:
    done = run_closed([], ("hwgen", *PICTURES[command]), tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (said,) = done.stderr.splitlines()
    assert "the package matplotlib is needed" in said and "extra [dse]" in said
    assert not list(tmp_path.iterdir())


def test_a_search_without_its_package(tmp_path: Path) -> None:
    given = ("explore", "digits_small_cnn", "dbpim/tiny", "--area", 2)
    done = run_closed([], ("hwgen", *given), tmp_path)
    assert done.returncode == 2 and not list(tmp_path.iterdir())
    assert "the package optuna is needed" in done.stderr and "extra [dse]" in done.stderr
