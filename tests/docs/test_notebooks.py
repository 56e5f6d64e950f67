"""The notebooks run from top to bottom, with the Python API alone, and without Verilator, too."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "docs/notebooks"
FIGURES = {"your-network": 2, "sparsity": 4, "own-macro": 1}
ALLOWED = {"hwgen", "matplotlib.pyplot", "pathlib"}
HIDDEN = """
import sys
sys.modules["verilator"] = None
import matplotlib
matplotlib.use("Agg")
exec(compile(sys.stdin.read(), "notebook", "exec"))
"""
"""Runs a notebook's code on a machine without Verilator and a display."""


def cells(name: str, kind: str) -> list[str]:
    """Return the text of the cells of one kind."""
    content = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


def code_of(name: str, folder: Path) -> str:
    """Return the code of a notebook, with another work folder."""
    code, work = "\n".join(cells(name, "code")), 'Path("../../build/notebooks")'
    assert code.count(work) == 1
    return code.replace(work, f"Path({str(folder)!r})")


@pytest.mark.promise(
    "the notebooks run from top to bottom with the Python API alone, and the first without"
    " Verilator, too"
)
def test_all_notebooks_are_known() -> None:
    assert {path.stem for path in NOTEBOOKS.iterdir() if path.suffix == ".ipynb"} == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_notebook_is_stored_without_outputs(name: str) -> None:
    content = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("name", FIGURES)
def test_the_page_of_a_notebook_has_its_code_and_what_it_shows(name: str) -> None:
    page = (NOTEBOOKS / f"{name}.md").read_text(encoding="utf-8")
    shown = [part.split("\n```", 1)[0] for part in page.split("```python\n")[1:]]
    assert shown == [cell.strip("\n") for cell in cells(name, "code")]
    assert all(text.strip("\n") in page for text in cells(name, "markdown"))
    pictures = re.findall(r"\]\((\S+\.png)\)", page)
    assert len(pictures) == FIGURES[name]
    assert all((NOTEBOOKS / picture).is_file() for picture in pictures)
    assert "```text\n" in page


@pytest.mark.parametrize("name", FIGURES)
def test_a_notebook_uses_the_python_api_alone(name: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse("\n".join(cells(name, "code")))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
            assert node.module != "hwgen" or [alias.name for alias in node.names] == ["api"]
    assert imported == ALLOWED


@pytest.mark.dear
@pytest.mark.parametrize("name", ["your-network", pytest.param("sparsity", marks=pytest.mark.long)])
def test_a_notebook_runs(name: str, tmp_path: Path) -> None:
    printed = printed_by(name, tmp_path)
    if name == "your-network":
        assert "0 elements differ from golden" in printed
        assert "accuracy on 359 test images: 99.16%" in printed


@pytest.mark.dear
@pytest.mark.promise(
    "a notebook sweeps a macro of 32 compartments by a table of its own beside `dbpim/paper`, and"
    " the Verilog of the chip that it chooses equals golden and the model"
)
def test_a_macro_of_your_own(tmp_path: Path) -> None:
    printed = printed_by("own-macro", tmp_path)
    assert "{'compartments': 32, 'columns': 16, 'rows': 16}" in printed
    assert "prices of my_tree" in printed
    assert "0 elements differ from golden" in printed
    measured = re.search(r"([\d,]+) cycles measured, ([\d,]+) predicted by the sweep", printed)
    assert measured is not None and measured[1] == measured[2] != "0"
    compartments = re.search(r"(\d+) x dbpim_compartment", printed)
    assert compartments is not None and int(compartments[1]) % 32 == 0


def printed_by(name: str, folder: Path) -> str:
    """Run a notebook with another work folder; return what it prints; its pictures are counted."""
    import nbformat
    from nbclient import NotebookClient

    notebook: Any = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("../../build/notebooks", str(folder))
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(NOTEBOOKS)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == FIGURES[name]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.mark.dear
def test_without_verilator_the_first_notebook_predicts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN],
        input=code_of("your-network", tmp_path),
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=NOTEBOOKS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "not simulated: " in done.stdout and "Verilator" in done.stdout
    assert "elements differ" not in done.stdout
    assert "accuracy on 359 test images: 99.16%" in done.stdout
