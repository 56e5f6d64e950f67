"""What `hwgen build` writes for systems: complete, the same again, under names that tools take."""

import json
import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from cocotb_tools.runner import get_runner

from hwgen import api
from hwgen.errors import ConfigError
from tests.lints.chips import UNUSED, needless
from verif.lint import lint
from verif.runner import cases_in, failures, passed

ROOT = Path(__file__).parents[2]
OF_LIBRARY = ("set_driving_cell", "set_load")
MADE_UP = ("-", "Upper", "a-b", "1st", "a_", "a b", "x" * 33, "")


def texts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def elaborated(*arguments: object, folder: Path | str = "/") -> str:
    """Return what Icarus says of sources, by default from a folder that has none of them."""
    command = ["iverilog", "-g2012", "-o", "/dev/null", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def listed(folder: Path) -> list[Path]:
    """Return the files of a file list, which names them as they stand beside it."""
    return [folder / name for name in (folder / "files.f").read_text().split()]


@pytest.mark.promise(
    "build writes wrapper, register map, driver, core, waivers and constraints, the same bytes"
    " again, under names that tools take"
)
def test_every_file_is_there(chips: dict[str, Path], family: str) -> None:
    wanted = {f"{family}_axi.v", f"{family}.rdl", f"hwgen_{family}.h", "hwgen.h", "hwgen.c"}
    wanted |= {"tiny.core", "waivers.vlt", f"{family}.sdc", f"{family}.xdc", "files.f"}
    wanted |= {f"{family}_tb.sv"}
    assert wanted <= set(texts(chips[family]))


@pytest.mark.dear
def test_two_builds_are_equal_and_the_second_replaces_the_first(tmp_path: Path) -> None:
    """No file names its folder."""
    for folder in ("one", "two", "one"):
        api.build("mram/tiny", tmp_path / folder)
    assert texts(tmp_path / "one") == texts(tmp_path / "two")


def test_files_say_what_they_are(chips: dict[str, Path], family: str) -> None:
    for file in chips[family].glob("*.v"):
        head = "".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:3])
        assert "SPDX-License-Identifier: Apache-2.0" in head
        assert "hip tiny" in head and "written by hwgen" in head
        assert file.stem == f"{family}_axi" or f"// {file.stem}: " in head


@pytest.mark.promise(
    "the wrapper and all below it give no warning with -Wall, without its trace neither, by a"
    " file list that is read from any folder and moves with its own"
)
def test_verilator_has_no_warning_from_any_folder(chips: dict[str, Path], family: str) -> None:
    """The file list is read by `-F`, from a folder that has none of the files."""
    folder = chips[family]
    files = [Path("-F"), folder / "files.f"]
    assert not lint(files, top=f"{family}_axi", waivers=folder / "waivers.vlt")


@pytest.mark.dear("mram")
@pytest.mark.promise("each waiver of a chip is of a signal of which that chip does not read all")
def test_no_waiver_meets_nothing(chips: dict[str, Path], family: str) -> None:
    folder = chips[family]
    assert len(UNUSED.findall((folder / "waivers.vlt").read_text(encoding="utf-8"))) > 10
    assert needless(folder, f"{family}_axi") == []


@pytest.mark.dear("mram")
def test_without_its_trace_a_chip_has_no_warning(
    chips: dict[str, Path], family: str, tmp_path: Path
) -> None:
    api.build(chips[family].parent / f"{family}.yaml", tmp_path / "chip", trace=False)
    files = [Path("-F"), tmp_path / "chip/files.f"]
    assert not lint(files, top=f"{family}_axi", waivers=tmp_path / "chip/waivers.vlt")


def test_a_folder_that_has_moved_is_whole(
    chips: dict[str, Path], icarus: str, tmp_path: Path
) -> None:
    """The list names files as they stand beside it: Icarus reads it there, Verilator anywhere."""
    moved = tmp_path / "else where"
    shutil.copytree(chips["mram"], moved)
    assert not [path for path in listed(moved) if path.parent != moved or not path.is_file()]
    assert not elaborated("-s", "mram_axi", "-f", "files.f", folder=moved)
    files = [Path("-F"), moved / "files.f"]
    assert not lint(files, top="mram_axi", waivers=moved / "waivers.vlt")


@pytest.mark.promise(
    "waivers name modules that are there, constraints leave the clock alone, the wrapper"
    " promises no frequency, and a bench takes any clock"
)
def test_waivers_name_modules_that_are_there(chips: dict[str, Path], family: str) -> None:
    """Each line is for a file of this chip; each comment stands above a line."""
    folder = chips[family]
    lines = (folder / "waivers.vlt").read_text(encoding="utf-8").splitlines()
    patterns = [found[1] for line in lines if (found := re.search(r'-file "([^"]*)"', line))]
    assert len(patterns) > 10
    for pattern in patterns:
        assert family in pattern
        assert any(fnmatchcase(path.name, pattern) for path in folder.glob("*.v")), pattern
    assert lines[-1].startswith("lint_off")


def test_constraints_leave_the_clock_alone(chips: dict[str, Path], family: str) -> None:
    """Tcl reads the SDC: delays on every input but the clock, and on all outputs.

    The period is that of `clock_mhz`; what belongs to a library is asked once it is given.
    """
    tkinter = pytest.importorskip("tkinter", reason="Python has no Tcl")
    folder, delays = chips[family], dict[str, Any]()
    tcl = tkinter.Tcl()
    tcl.createcommand("get_ports", lambda names: names)
    tcl.createcommand("all_outputs", lambda: "all outputs")
    tcl.createcommand("create_clock", lambda *words: delays.update(clock=words))
    tcl.createcommand("get_clocks", lambda name: name)
    every = ("set_input_delay", "set_output_delay", "set_clock_uncertainty", *OF_LIBRARY)
    for which in every:
        tcl.createcommand(which, lambda *words, which=which: delays.update({which: words}))
    slow = []
    tcl.createcommand("set_multicycle_path", lambda *words: slow.append(words))
    text = (folder / f"{family}.sdc").read_text(encoding="utf-8")
    tcl.eval(text)
    wrapper = (folder / f"{family}_axi.v").read_text(encoding="utf-8")
    inputs = re.findall(r"^  input wire (\[\d+:0\] )?(\w+)", wrapper, re.M)
    wanted = {f"{name}[*]" if bits else name for bits, name in inputs} - {"aclk"}
    assert set(delays["set_input_delay"][-1].split()) == wanted
    assert delays["clock"][-1] == "aclk" and delays["set_output_delay"][-1] == "all outputs"
    said = re.search(r"One clock, ([\d.]+) MHz", text)
    assert said is not None
    period = 1000 / float(said[1])
    asked = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["parameters"]
    assert float(said[1]) == pytest.approx(asked.get("clock_mhz", float(said[1])))
    assert float(delays["clock"][-2]) == pytest.approx(period, abs=1e-3)
    assert 0 < float(delays["set_clock_uncertainty"][0]) < period / 10
    assert [words[-1] for words in slow] == ["aresetn", "aresetn"]
    assert not delays.keys() & set(OF_LIBRARY)
    tcl.eval(
        text.replace('set driving_cell ""', "set driving_cell buf").replace('load ""', "load 1")
    )
    assert delays["set_driving_cell"][1] == "buf" and delays["set_load"][0] == "1"


def test_the_wrapper_promises_no_frequency(chips: dict[str, Path], family: str) -> None:
    """The clock of the system decides; Vivado refuses one that differs from a promise."""
    assert "FREQ_HZ" not in (chips[family] / f"{family}_axi.v").read_text(encoding="utf-8")


@pytest.mark.parametrize("period_ps", [3333, 1501])
def test_cocotb_gives_any_clock(
    period_ps: int, chips: dict[str, Path], icarus: str, tmp_path: Path
) -> None:
    """Under Icarus, which takes the resolution of time from the files alone."""
    top, runner = "mram_axi", get_runner(icarus)
    sources = listed(chips["mram"])
    build = {"build_dir": tmp_path, "build_args": ["-g2012"], "log_file": tmp_path / "build.log"}
    runner.build(sources=sources, hdl_toplevel=top, **build)
    header = (chips["mram"] / "hwgen_mram.h").read_text(encoding="utf-8")
    (word,) = re.findall(r"ID_VALUE UINT32_C\((\w+)\)", header)
    environment = {"WRAPPER_ID": word, "WRAPPER_PERIOD_PS": str(period_ps)}
    results = runner.test(
        test_module="verif.common.bench_wrapper",
        hdl_toplevel=top,
        build_dir=tmp_path,
        test_dir=tmp_path,
        extra_env=environment,
        log_file=tmp_path / "run.log",
    )
    cases = cases_in(results)
    assert not failures(cases) and passed(cases) == 1, (tmp_path / "run.log").read_text()


@pytest.mark.promise(
    "a prefix lets two chips of one family stand in one design, and the trace can be left out"
)
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
    lists = ["-s", "both", *listed(chips["mram"]), *listed(other), both]
    assert not elaborated(*lists)
    assert elaborated(*lists, chips["mram"] / "mram_chip.v"), "a module twice is no design"


@pytest.mark.long
def test_tiny_and_paper_elaborate_together(icarus: str, tmp_path: Path) -> None:
    api.build("dbpim/tiny", tmp_path / "tiny", prefix="tiny")
    api.build("dbpim/paper", tmp_path / "paper", prefix="paper", trace=False)
    both = tmp_path / "both.v"
    both.write_text("module both; tiny_axi one (); paper_axi two (); endmodule\n")
    files = [*listed(tmp_path / "tiny"), *listed(tmp_path / "paper")]
    assert not elaborated("-s", "both", *files, both)


@pytest.mark.parametrize("prefix", ["module", "reg", "addrmap", "field", "int", "always_ff"])
def test_a_prefix_that_is_a_keyword_is_one_sentence(prefix: str, tmp_path: Path) -> None:
    """`addrmap module` is no SystemRDL, and what PeakRDL makes of it is no Verilog."""
    said = f"prefix must be no keyword of Verilog, SystemRDL or C, got {prefix} "
    with pytest.raises(ConfigError, match=said):
        api.build("mram/tiny", tmp_path / "out", prefix=prefix)
    assert not (tmp_path / "out").exists()


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
