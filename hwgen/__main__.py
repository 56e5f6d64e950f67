"""The hwgen command, also as `python -m hwgen`; it imports the rest when it is called."""

import os
import sys

INTERRUPTED = 130


def main() -> int:
    """Run one command; an interrupt while modules are imported is one line, too."""
    try:
        from hwgen.cli import main as run
    except KeyboardInterrupt:
        os.write(2, b"hwgen: stopped by a signal before it began\n")
        os._exit(INTERRUPTED)
    return run()


if __name__ == "__main__":
    sys.exit(main())
