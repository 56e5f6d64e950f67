"""The index of a chip: its hierarchy as it is placed, and what it holds as Yosys counts it."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from hwgen.chip.rtl.index import INDEX, Stored, stored_in
from hwgen.cli import main
from verif.yosys import run_yosys

ROW = re.compile(r"^\| ((?:· )*)\[(\w+)\]\(\w+\.v\) \| ([\d,]+) \|(?:.*)\| `[\w.]+` \|$", re.M)
SUM = re.compile(r"^\| all instances \| ([\d,]+) \| \| [\d,]+ \| ([\d,]+) \| ([\d,]+) \| \|$", re.M)
CELL = re.compile(r"^  cell (\S+) \S+\n(.*?)^  end$", re.M | re.S)
FLIP_FLOP = re.compile(r"\$[a-z]*dffe?")
CHIPS = (
    "dbpim/tiny",
    "mram/tiny",
    pytest.param("crossbar/digits_small_cnn", marks=pytest.mark.long),
)


@pytest.fixture(scope="module", params=CHIPS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("chip") / "out"
    assert main(["build", request.param, "--out", str(written)]) == 0
    return written


def number(text: str) -> int:
    return int(text.replace(",", ""))


def counted_by_yosys(files: list[Path], scratch: Path) -> dict[str, Stored]:
    """Return what each module holds: widths of its flip-flops, sizes of its memories."""
    names = " ".join(str(file) for file in files)
    passes = "proc -norom\nmemory_collect\nopt_clean\ntee -q -o all.txt dump\n"
    run_yosys(f"read_verilog {names}\n{passes}", scratch)
    text = (scratch / "all.txt").read_text()
    found = {}
    for module in re.finditer(r"^module \\(\S+)$(.*?)^end$", text, re.M | re.S):
        held: Counter[str] = Counter()
        for kind, body in CELL.findall(module[2]):
            value = {key: int(bits) for key, bits in re.findall(r"\\(\w+) (\d+)$", body, re.M)}
            if kind.startswith("$mem"):
                held["memory"] += value["WIDTH"] * value["SIZE"]
            elif FLIP_FLOP.fullmatch(kind):
                held["flip_flops"] += value["WIDTH"]
        found[module[1]] = Stored(held["flip_flops"], held["memory"])
    return found


@pytest.mark.promise(
    "the index of a chip says for each module its place, its flip-flops and its bits of memory,"
    " as Yosys counts them"
)
def test_what_modules_hold(folder: Path, tmp_path: Path) -> None:
    files = sorted(folder.glob("*.v"))
    counted = counted_by_yosys(files, tmp_path)
    assert {file.stem: stored_in(file.read_text()) for file in files} == {
        file.stem: counted[file.stem] for file in files
    }
    assert any(each.memory_bits for each in counted.values())


def test_the_hierarchy(folder: Path) -> None:
    modules = json.loads((folder / "manifest.json").read_text())["modules"]
    rows = ROW.findall((folder / INDEX).read_text())
    assert {name for _, name, _ in rows} == set(modules)
    counts = {name: number(count) for _, name, count in rows}
    above: list[str] = []
    for dots, name, _ in rows:
        above[dots.count("·") :] = [name]
        assert len(above) == 1 or name in modules[above[-2]]["instances"]
    for name, entry in modules.items():
        placed = [
            counts[other] * each["instances"][name]
            for other, each in modules.items()
            if name in each["instances"]
        ]
        assert counts[name] == (sum(placed) or 1), entry


def test_the_sums_are_those_of_all_instances(folder: Path) -> None:
    text = (folder / INDEX).read_text()
    counts = {name: number(count) for _, name, count in ROW.findall(text)}
    held = {name: stored_in((folder / f"{name}.v").read_text()) for name in counts}
    (found,) = SUM.findall(text)
    assert tuple(map(number, found)) == (
        sum(counts.values()),
        sum(counts[name] * each.flip_flops for name, each in held.items()),
        sum(counts[name] * each.memory_bits for name, each in held.items()),
    )
