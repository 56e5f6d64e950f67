"""What is made when the site is built: command line, Python API, promises, proofs, schemas."""

from typing import Any

import typer
from mkdocs.structure.files import File, Files

from hwgen import api
from hwgen.cli.app import app
from hwgen.commands.schemas import schemas
from verif import testplan
from verif.formal.registry import PROOFS


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages; mkdocs calls it before it reads any page."""
    for name, text in pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def pages() -> dict[str, str]:
    """Return the generated pages and files by their path below `docs`."""
    return {
        "reference/command-line.md": command_line(),
        "reference/python.md": python_api(),
        "reference/promises.md": testplan.page(),
        "reference/proofs.md": proofs(),
        **{f"schema/{name}.schema.json": make() for name, make in schemas().items()},
    }


def command_line() -> str:
    """Return a page with each command: what it does, its arguments and options, an example."""
    commands: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    parts = [
        "# Command line",
        "`hwgen COMMAND --help` prints the same. `NETWORK`, `ARCH` and `RECIPE` are files, or names"
        " of files that ship. Every command takes `--debug`: the traceback of an error.",
    ]
    for name, command in sorted(commands.items()):
        if command.hidden:
            continue
        parts += [f"## {name}", plain(command.help or "")]
        rows = [row(parameter) for parameter in command.params if parameter.name != "help"]
        parts.append("\n".join(["| parameter | what it is |", "| --- | --- |", *rows]))
        if command.epilog:
            parts.append(f"```\n{command.epilog.removeprefix('Example: ')}\n```")
    return "\n\n".join(parts) + "\n"


def proofs() -> str:
    """Return a page with a line for each proof."""
    lines = [f"- **{name}**: {(make.__doc__ or '').strip()}" for name, make in PROOFS.items()]
    how = "[How, and what is assumed](../howto/run-tests.md#proofs-of-small-parts)"
    head = f"# What is proved\n\n{how}.\n\n"
    return head + "\n".join(" ".join(line.split()) for line in lines) + "\n"


def row(parameter: Any) -> str:
    """Return the row of one argument or option."""
    given = [option for option in parameter.opts if option.startswith("-")]
    names = [*given, *parameter.secondary_opts] or [parameter.metavar or parameter.name.upper()]
    words = plain(getattr(parameter, "help", None) or "").replace("|", "\\|")
    return f"| {', '.join(f'`{name}`' for name in names)} | {words} |"


def plain(text: str) -> str:
    """Return a help text as Markdown, which must not read its brackets as links."""
    return text.replace("[", "\\[").replace("<", "&lt;")


def python_api() -> str:
    """Return a page whose entries are made from the docstrings of the API."""
    entries = "\n\n".join(f"::: {place_of(name)}" for name in api.__all__)
    return f"# Python API by name\n\n[Python API](../api.md) has an example.\n\n{entries}\n"


def place_of(name: str) -> str:
    """Return where a name of the API is read; what is found late has its docstring at its home."""
    home = api.__name__ if name in vars(api) else getattr(api, name).__module__
    return f"{home}.{name}"
