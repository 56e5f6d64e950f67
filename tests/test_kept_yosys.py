"""What Yosys wrote is found again; another netlist, other passes or a damaged file ask it again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hwgen.chip.rtl import emit
from tests.kept_yosys import kept
from tests.tiny import Adder


class Yosys:
    """Counts the scripts that it is asked for, and answers each with its number and length."""

    def __init__(self) -> None:
        self.scripts: list[str] = []

    def run(self, args: Sequence[str], stdin: str = "", **_: Any) -> str:
        self.scripts.append(stdin)
        return f"{len(self.scripts)}: {len(stdin)}"


def test_a_script_is_run_once(tmp_path: Path) -> None:
    yosys = Yosys()
    ask = kept(yosys.run, tmp_path / "netlists")
    first = ask(["-q", "-"], "proc", ignore_warnings=True)
    assert ask(["-q", "-"], "proc", ignore_warnings=True) == first
    assert ask(["-q", "-"], "prod", ignore_warnings=True) != first
    assert yosys.scripts == ["proc", "prod"]
    later = kept(yosys.run, tmp_path / "netlists")
    assert later(["-q", "-"], "proc", ignore_warnings=True) == first


def test_warnings_and_other_arguments_are_never_kept(tmp_path: Path) -> None:
    yosys = Yosys()
    ask = kept(yosys.run, tmp_path / "netlists")
    for _ in range(2):
        ask(["-q", "-"], "proc")
        ask(["-V"], ignore_warnings=True)
    assert len(yosys.scripts) == 4
    assert not (tmp_path / "netlists").exists()


def test_a_damaged_file_is_written_again(tmp_path: Path) -> None:
    yosys = Yosys()
    ask = kept(yosys.run, tmp_path)
    ask(["-q", "-"], "proc", ignore_warnings=True)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-3])
    again = ask(["-q", "-"], "proc", ignore_warnings=True)
    assert len(yosys.scripts) == 2
    assert ask(["-q", "-"], "proc", ignore_warnings=True) == again


def test_another_netlist_or_pass_is_another_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The emitter itself asks: the passes are in what it hands over."""
    yosys = Yosys()
    ask = kept(yosys.run, tmp_path)
    monkeypatch.setattr("amaranth._toolchain.yosys._BuiltinYosys.run", ask)
    sources = [emit.rtlil_source([Adder()]), emit.rtlil_source([Adder(bias=3)])]
    texts = [emit.run_yosys(source) for source in sources]
    assert [emit.run_yosys(source) for source in sources] == texts
    assert len(yosys.scripts) == 2
    monkeypatch.setattr(emit, "PASSES", emit.PASSES[:-1])
    emit.run_yosys(sources[0])
    assert len(yosys.scripts) == 3
