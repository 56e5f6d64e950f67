"""A cached result is reused exactly while its inputs are the same."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

import hwgen.dbpim.model
from hwgen.commands import train as train_step
from hwgen.commands.context import Context
from hwgen.commands.subject import (
    load_subject,
    program_of,
    program_path,
    split_cost,
    with_switches,
)
from hwgen.commands.train import Train, is_adaptive
from hwgen.errors import HwgenError
from hwgen.files.digests import digest_of_code, digest_of_files
from hwgen.train.recipe import load_recipe

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"
RECIPE = ROOT / "configs/train/digits_small_cnn.yaml"
ADAPTIVE = RECIPE.with_name("cadnn_digits.yaml")

TRAIN = """
import sys
from pathlib import Path
from hwgen.commands.context import Context
from hwgen.commands.train import Train

work, recipe = map(Path, sys.argv[1:])
print(Train(recipe, context=Context(work=work, console=None)).run().reused, "torch" in sys.modules)
"""


@pytest.mark.promise(
    "what was made before is used again while all that it was made from is the same"
)
def test_a_program_is_compiled_once(tmp_path: Path) -> None:
    context, subject = Context(work=tmp_path, console=None), load_subject(NETWORK, ARCH)
    first = program_of(context, subject)
    path = program_path(context, subject)
    written = path.stat().st_mtime_ns
    assert (program_of(context, subject).image == first.image).all()
    assert path.stat().st_mtime_ns == written
    path.write_bytes(path.read_bytes()[:100])
    assert (program_of(context, subject).image == first.image).all()


def test_what_decides_a_program_is_in_its_name(tmp_path: Path) -> None:
    context, subject = Context(work=tmp_path, console=None), load_subject(NETWORK, ARCH)
    slow = tmp_path / "slow.yaml"
    content = yaml.safe_load(ARCH.read_text(encoding="utf-8"))
    slow.write_text(yaml.safe_dump({**content, "memory_latency_cycles": 90}), encoding="utf-8")
    others = [with_switches(subject, "none"), load_subject(NETWORK, slow)]
    other_network = ROOT / "configs/networks/digits_resnet20.npz"
    others.append(load_subject(other_network, ARCH))
    assert len({program_path(context, each) for each in [subject, *others]}) == 4


def test_code_is_part_of_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    first = digest_of_files([tmp_path / "a.py"], tmp_path)
    (tmp_path / "a.py").write_text("x = 2\n", encoding="utf-8")
    assert digest_of_files([tmp_path / "a.py"], tmp_path) != first
    assert digest_of_code("hwgen.network") != digest_of_code("hwgen.chip")


@pytest.mark.parametrize("cold", [True, False])
def test_a_model_that_will_compile_is_told_of(
    *, cold: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hwgen.dbpim.model, "must_compile", lambda: cold)
    said = io.StringIO()
    context = Context(work=tmp_path, console=Console(file=said))
    program_of(context, load_subject(NETWORK, ARCH))
    assert said.getvalue().count("the cycle model is compiled once") == cold


@pytest.mark.promise(
    "help has lines, errors of the parser are said once, names are completed and asked for, -"
    " is standard output"
)
def test_a_refused_network_is_not_told_of_compiling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hwgen.dbpim.model, "must_compile", lambda: True)
    said = io.StringIO()
    context = Context(work=tmp_path, console=Console(file=said))
    with pytest.raises(HwgenError, match="no transformer"):
        program_of(context, load_subject(NETWORK.with_name("digits_vit.npz"), ARCH))
    assert said.getvalue() == ""


def test_what_takes_the_time_is_the_cycle_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of a compilation names the model while its machine code is made."""
    shown: list[str] = []

    class Rated:
        def __init__(self, _: object) -> None: ...

        def __call__(self, *_: object) -> float:
            shown.append("rated")
            return 1.0

    monkeypatch.setattr(hwgen.dbpim.model, "must_compile", lambda: True)
    monkeypatch.setattr(hwgen.dbpim.model, "SplitCost", Rated)
    cost: Any = split_cost(Context(console=None), load_subject(NETWORK, ARCH), shown.append)
    assert [cost("conv1", []), cost("conv2", [])] == [1.0, 1.0]
    first = "the cycle model itself is compiled first"
    assert shown == [first, "rated", "comparing splits of layers", "rated"]


@pytest.mark.dear
def test_channel_adaptive_training_is_done_once(tmp_path: Path) -> None:
    content = yaml.safe_load(ADAPTIVE.read_text(encoding="utf-8"))
    content["base_phase"] |= {"epochs": 1, "warmup_epochs": 0}
    for phase in content["phases"]:
        phase |= {"epochs": 1, "warmup_epochs": 0}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert is_adaptive(recipe) and not is_adaptive(RECIPE)
    context = Context(work=tmp_path / "work", console=None)
    first = Train(recipe, context=context).train_adaptive()
    again = Train(recipe, context=context).train_adaptive()
    assert (first.reused, again.reused) == (False, True)
    assert again.networks == first.networks
    assert [each.mode for each in first.modes] == ["1.0x", "0.75x", "0.5x", "0.25x"]
    assert first.modes == again.modes
    assert Train(recipe, seed=5, context=context).train_adaptive().networks != first.networks


@pytest.mark.dear
@pytest.mark.promise("damaged caches are found by digest and made again")
def test_training_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    for phase in ("float_phase", "pruned_phase", "quantized_phase"):
        content[phase] |= {"epochs": 1, "warmup_epochs": 0}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")
    context = Context(work=tmp_path / "work", console=None)
    first = Train(recipe, context=context).train_plain()
    again = Train(recipe, context=context).train_plain()
    assert (first.reused, again.reused) == (False, True)
    assert again.network == first.network
    assert again.accuracy == first.accuracy
    folder = Path(first.network.file).parent
    for name in ("training.json", "network.npz", "digests.json"):
        (folder / name).write_bytes((folder / name).read_bytes()[:-9])
        repaired = Train(recipe, context=context).train_plain()
        assert (repaired.reused, repaired.network) == (False, first.network)
        assert Train(recipe, context=context).train_plain().reused
    code = [sys.executable, "-c", TRAIN, str(context.work), str(recipe)]
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
    recipe.write_text(yaml.safe_dump({**content, "seed": 2}), encoding="utf-8")
    loaded = load_recipe(recipe)
    assert train_step.identity(loaded, None, None) not in first.network.file
