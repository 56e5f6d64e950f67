"""`hwgen paper`: published figures beside ours; each study of a paper adds a command here."""

from typer import Typer

from hwgen.cli.app import app

papers = Typer(
    help="Compare the tables and figures of a paper with ours, with reasons where they differ."
    " May take up to an hour; after an interrupt the same command resumes. Exit code 1 if a run"
    " differs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(papers, name="paper")
