"""What `hwgen build` writes for systems: complete, the same again, under names that tools take."""

import subprocess
from pathlib import Path

import pytest

from hwgen import api
from hwgen.errors import ConfigError
from verif.lint import lint

ROOT = Path(__file__).parents[2]
MADE_UP = ("-", "Upper", "a-b", "1st", "a_", "a b", "x" * 33, "")


def texts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def elaborated(*arguments: object) -> str:
    """Return what Icarus says of sources, from a folder that has none of them."""
    command = ["iverilog", "-g2012", "-o", "/dev/null", *map(str, arguments)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def test_every_file_is_there(chips: dict[str, Path], family: str) -> None:
    wanted = {f"{family}_axi.v", f"{family}.rdl", f"hwgen_{family}.h", "hwgen.h", "hwgen.c"}
    wanted |= {"tiny.core", "waivers.vlt", f"{family}.sdc", f"{family}.xdc", "files.f"}
    assert wanted <= set(texts(chips[family]))


def test_two_builds_are_equal_and_the_second_replaces_the_first(tmp_path: Path) -> None:
    """Only the list of files names the folder."""
    for folder in ("one", "two", "one"):
        api.build("mram/tiny", tmp_path / folder)
    one, two = texts(tmp_path / "one"), texts(tmp_path / "two")
    assert one.pop("files.f") != two.pop("files.f")
    assert one == two


def test_files_say_what_they_are(chips: dict[str, Path], family: str) -> None:
    for file in chips[family].glob("*.v"):
        head = "".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:3])
        assert "SPDX-License-Identifier: Apache-2.0" in head
        assert "hip tiny" in head and "written by hwgen" in head
        assert file.stem == f"{family}_axi" or f"// {file.stem}: " in head


def test_verilator_has_no_warning_from_any_folder(chips: dict[str, Path], family: str) -> None:
    """The file list is read by `-f` and by `-F`, from a folder that has none of the files."""
    folder = chips[family]
    for option in ("-f", "-F"):
        files = [Path(option), folder / "files.f"]
        assert not lint(files, top=f"{family}_axi", waivers=folder / "waivers.vlt")


def test_two_chips_of_one_family_elaborate_together(
    chips: dict[str, Path], icarus: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    api.build("mram/small", other, prefix="second", trace=False)
    assert not {*texts(other)} & {f"{each}.v" for each in texts(chips["mram"]) if each[-2:] == ".v"}
    modules = [name for name in texts(other) if name.endswith(".v")]
    assert all(name.startswith("second_") for name in modules)
    assert "trace" not in (other / "second_chip.v").read_text(encoding="utf-8").partition(");")[0]
    both = tmp_path / "both.v"
    both.write_text("module both; mram_axi one (); second_axi two (); endmodule\n")
    lists = ["-s", "both", "-f", chips["mram"] / "files.f", "-f", other / "files.f", both]
    assert not elaborated(*lists)
    assert elaborated(*lists, chips["mram"] / "mram_chip.v"), "a module twice is no design"


@pytest.mark.long
def test_tiny_and_paper_elaborate_together(icarus: str, tmp_path: Path) -> None:
    api.build("dbpim/tiny", tmp_path / "tiny", prefix="tiny")
    api.build("dbpim/paper", tmp_path / "paper", prefix="paper", trace=False)
    both = tmp_path / "both.v"
    both.write_text("module both; tiny_axi one (); paper_axi two (); endmodule\n")
    lists = [tmp_path / name / "files.f" for name in ("tiny", "paper")]
    assert not elaborated("-s", "both", "-f", lists[0], "-f", lists[1], both)


@pytest.mark.parametrize("prefix", MADE_UP)
def test_a_prefix_that_is_no_name_is_one_sentence(prefix: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="prefix must be a lower-case letter, then"):
        api.build("mram/tiny", tmp_path / "out", prefix=prefix)
    assert not (tmp_path / "out").exists()


def test_a_name_that_no_tool_takes_is_made_valid(tmp_path: Path) -> None:
    """An architecture may be called my-chip; C, FuseSoC and file names get my_chip."""
    arch = tmp_path / "chip.yaml"
    text = (ROOT / "configs/mram/tiny.yaml").read_text(encoding="utf-8")
    arch.write_text(text.replace("name: tiny", "name: 4my-chip"), encoding="utf-8")
    api.build(arch, tmp_path / "out")
    core = (tmp_path / "out/_4my_chip.core").read_text(encoding="utf-8")
    assert "name: hwgen:mram:_4my_chip:" in core
