"""The hwgen command: arguments in, tables out."""

import sys
from collections.abc import Sequence

from hwgen.cli import commands, paper, synthesis
from hwgen.cli.app import app
from hwgen.errors import HwgenError

COMMANDS = (commands, paper, synthesis)
"""Each module of commands adds its own to `app` when it is imported."""

DEBUG = "--debug"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0, 1 after a mismatch, 2 after a mistake that the person can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = DEBUG in given
    try:
        app([argument for argument in given if argument != DEBUG], prog_name="hwgen")
    except SystemExit as end:
        return int(end.code or 0)
    except HwgenError as error:
        if debug:
            raise
        print(f"hwgen: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
