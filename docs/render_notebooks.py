"""Run the notebooks and write each as a page with what it prints and draws, for the site.

    python docs/render_notebooks.py [NAME ...]

A notebook is stored without outputs; the page beside it, NAME.md with pictures NAME-1.png, ..., is
what a run gave. tests/docs/test_notebooks.py holds the page to the notebook.
"""

import base64
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "notebooks"
PATIENCE_SECONDS = 3600
"""For one cell: it may build a simulator on a busy machine."""


def main(names: Sequence[str]) -> None:
    """Run and write some notebooks, without names all of them."""
    import nbformat
    from nbclient import NotebookClient

    for file in sorted(FOLDER.glob("*.ipynb")):
        if names and file.stem not in names:
            continue
        notebook: Any = nbformat.read(file, as_version=4)
        place = {"metadata": {"path": str(FOLDER)}}
        NotebookClient(notebook, timeout=PATIENCE_SECONDS, resources=place).execute()
        page, pictures = page_of(notebook.cells, file.stem)
        for name, content in pictures.items():
            (FOLDER / name).write_bytes(content)
        (FOLDER / f"{file.stem}.md").write_text(page, encoding="utf-8")


def page_of(cells: Sequence[Any], name: str) -> tuple[str, dict[str, bytes]]:
    """Return a notebook as a page of Markdown, and its pictures by the names of their files."""
    parts, pictures = [], dict[str, bytes]()
    for number, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            if number == 0:
                parts.append(f"*As a notebook: [{name}.ipynb]({name}.ipynb).*")
            continue
        parts.append(f"```python\n{source}\n```")
        for kind, content in shown(cell["outputs"]):
            if kind == "text":
                parts.append(f"```text\n{content.rstrip()}\n```")
            else:
                picture = f"{name}-{len(pictures) + 1}.png"
                pictures[picture] = base64.b64decode(content)
                parts.append(f"![What the cell above draws]({picture})")
    return "\n\n".join(part.strip("\n") for part in parts) + "\n", pictures


def shown(outputs: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield what a cell prints and draws: `text` or `picture`, and its content."""
    for output in outputs:
        if output["output_type"] == "stream":
            yield "text", "".join(output["text"])
            continue
        data = output.get("data", {})
        if "image/png" in data:
            yield "picture", "".join(data["image/png"])
        elif "text/plain" in data:
            yield "text", "".join(data["text/plain"])


if __name__ == "__main__":
    main(sys.argv[1:])
