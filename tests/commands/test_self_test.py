"""`hwgen self-test`: its files, its verdicts, and the stuck cells that it finds."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from hwgen import api
from hwgen.chip.sim.stuck import StuckCell
from hwgen.cli import main
from hwgen.commands.architectures import LoadArchitecture
from hwgen.commands.context import Context
from hwgen.commands.self_test import SelfTester
from hwgen.errors import ArgumentError, FamilyError
from hwgen.network.file import load_network
from hwgen.report.self_test import self_test_table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tester(tmp_path: Path) -> SelfTester:
    """The self-test of the smallest MRAM chip."""
    return SelfTester(
        context=Context(console=None, work=ROOT / "build"),
        chip=LoadArchitecture("mram/tiny").run(),
        out=tmp_path,
    )


@pytest.mark.promise(
    "hwgen self-test writes each part as a network, its program, images and expected answers, with"
    " a checksum"
)
def test_files_of_each_part(tmp_path: Path) -> None:
    report = api.self_test("mram/tiny", tmp_path / "test")
    assert report.stuck is None
    for part in report.parts:
        begin = tmp_path / "test" / part.name
        assert load_network(begin.with_suffix(".npz")).digest == part.network
        expected = Path(f"{begin}.expected.bin").read_bytes()
        assert f"{zlib.crc32(expected):08x}" == part.checksum
        with np.load(f"{begin}.images.npz") as images:
            assert len(images["images"]) == part.images
        assert Path(f"{begin}.program.bin").stat().st_size == part.program_bytes
        assert Path(f"{begin}.program.npz").exists()
        assert part.passed is None
        assert part.cycles is None
    listed = json.loads((tmp_path / "test/self-test.json").read_text())
    assert [part["checksum"] for part in listed["parts"]] == [
        each.checksum for each in report.parts
    ]
    # It replaces what it has written.
    assert api.self_test("mram/tiny", tmp_path / "test").parts == report.parts


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ArgumentError, match="stuck must be given with verilog, got 3"):
        api.self_test("mram/tiny", tmp_path / "a", stuck=3)
    with pytest.raises(FamilyError, match="crossbar cannot test its own cells yet"):
        api.self_test("crossbar/digits_small_cnn", tmp_path / "b")
    assert main(["self-test", "mram/tiny", "--out", str(tmp_path / "c"), "--stuck", "3"]) == 2
    assert "--stuck must be given with --check" in capsys.readouterr().err


@pytest.mark.dear
@pytest.mark.promise(
    "a healthy mram/tiny passes its self-test in Verilog, and a stuck cell that a program reads"
    " fails it, at 0 or at 1"
)
def test_a_stuck_cell_is_found(tester: SelfTester) -> None:
    assert all(tester.passes(part) for part in tester.loaded)
    found = tester.coverage(1, 1)
    assert (found.cells, found.found, found.missed) == (1, 2, [])
    arrays = {array.path: array for array in tester.counted_arrays()}
    weights = arrays["datapath.octet_0.array_0.sub_array.cells"]
    assert weights.read_bits == 54

    def shown(bit: int, value: int) -> bool:
        cell = StuckCell(array=weights, word=5, bit=bit, value=1 if value else 0)
        return any(tester.shows(part, cell) for part in tester.loaded)

    assert all(shown(53, value) for value in (0, 1))
    assert not any(shown(54, value) for value in (0, 1))


@pytest.mark.dear
def test_another_answer_does_not_pass(tester: SelfTester) -> None:
    part = tester.loaded[0]
    name = next(iter(part.expected))
    part.expected = {**part.expected, name: part.expected[name] + 1}
    assert not tester.passes(part)
    told = part.told(False)
    assert told.passed is False
    assert told.cycles == sum(run.cycles for run in part.runs)
    assert self_test_table(api.self_test("mram/tiny", tester.out / "x")) is not None
