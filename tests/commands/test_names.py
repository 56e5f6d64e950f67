"""Names that ship are no paths, and what a command says of what it was given."""

from pathlib import Path

import pytest

from hwgen.cli import main
from hwgen.commands.build import Build
from hwgen.commands.export import Export
from hwgen.commands.new.command import NewProject
from hwgen.errors import HwgenError, OutputError
from hwgen.files.folder import replace_folder
from hwgen.files.shipped import is_name
from hwgen.network.tokens import TokenRows, read_ids
from tests.network.test_tokens import ROWS


@pytest.mark.promise("a name that ships is no path: an output may lie where the name would")
@pytest.mark.parametrize("out", [".", "dbpim", "dbpim/tiny", "dbpim/tiny/verilog"])
def test_an_output_beside_a_name(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Build(architecture="dbpim/tiny", out=out)
    assert is_name(Path("dbpim/tiny")) and is_name(Path("digits_small_cnn"))
    assert main(["info", "mram/small", "--json", "mram/small"]) == 0
    assert Path("mram/small").is_file() and not is_name(Path("mram/small"))
    Path("dbpim").mkdir()
    Path("dbpim/tiny.yaml").touch()
    with pytest.raises(OutputError, match="must hold no input"):
        Build(architecture="dbpim/tiny.yaml", out="dbpim")
    assert "rounding " in capsys.readouterr().out


@pytest.mark.promise("an output into the current folder leaves the folder, and the caches in it")
def test_the_current_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.chdir(mine)
    for name in ("build", "old"):
        Path(name).mkdir()
    before = mine.stat().st_ino
    replace_folder(Path(), lambda _: {"old", "gone"}, lambda fresh: (fresh / "new").touch())
    assert mine.stat().st_ino == before
    assert sorted(path.name for path in Path().iterdir()) == ["build", "new"]
    with pytest.raises(OutputError, match="got new in it"):
        replace_folder(Path(), lambda _: set(), lambda _: None)
    assert list(tmp_path.iterdir()) == [mine]


def test_a_project_in_an_occupied_folder_is_refused_before_work(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(OutputError, match=r"got mine\.txt in it"):
        NewProject(tmp_path, network="no.npz").run()


def test_an_export_in_an_occupied_folder_is_refused_before_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waivers of a chip that was built there are an output of hwgen."""
    monkeypatch.setattr("hwgen.commands.export.program_of", lambda *_: pytest.fail("it worked"))
    request = Export("digits_small_cnn", "dbpim/tiny", out=tmp_path)
    (tmp_path / "run.sh").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"run\.sh must be a new file"):
        request.run()
    written = "`verilator_config\n// Of the chip tiny, written by hwgen 0.1.0\n"
    (tmp_path / "waivers.vlt").write_text(written, encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match="it worked"):
        request.run()


def test_a_project_has_a_network_that_its_chip_runs() -> None:
    assert NewProject("folder", chip="mram/small").start().network == "cadnn_digits"
    with pytest.raises(HwgenError):
        NewProject("folder", chip="mram/small", network="digits_small_cnn").start()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("build dbpim/tiny -o b --pins uart --memory 1000", "--memory must be at least 1024,"),
        ("cost dbpim/tiny --placed --fill 5", "--fill must be at least 10, got 5"),
        ("model digits_small_cnn dbpim/tiny --images 0", "--images must be from 1 on, got 0"),
        ("text digits_small_cnn dbpim/tiny", "NETWORK must be a language model"),
        ("cost dbpim/tiny --layout x.svg", "--layout must be left out without --placed"),
        ("build dbpim/tiny -o b --route", "given with --for ulx3s or tang20k, got nothing"),
        ("build crossbar/small -o b", "crossbar/small, which is the name of a file of components"),
        ("build digits_small_cnn -o b", "digits_small_cnn, which is the name of a network"),
        ("model digits_small_cnn dbpim/tiny --json - --page -", "--page must be a file, got -"),
    ],
)
def test_a_sentence_is_so(
    call: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(call.split()) == 2
    told = capsys.readouterr()
    assert said in told.err and told.out == "" and not list(tmp_path.glob("-"))


def test_an_id_is_told_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("\n0 1 0\n\n0 1 9\n", encoding="utf-8")
    with pytest.raises(HwgenError, match="token 3 of line 4 must be from 0 to 1"):
        read_ids(file, table=TokenRows(name="", rows=ROWS.rows))


def test_a_configuration_is_printed_without_python(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "dbpim/tiny"]) == 0
    out = capsys.readouterr().out
    assert "half_up" in out and not set("()'").intersection(out) and "True" not in out
