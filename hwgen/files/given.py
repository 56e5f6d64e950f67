"""Look at what a user names before it is opened: a device or a pipe would never end.

Every reader of files comes here first, so that a wrong name is one sentence, at once.
"""

import stat
from pathlib import Path

from hwgen.errors import ConfigError, FormatError, HwgenError

Kind = type[ConfigError] | type[FormatError]


def check_given(
    path: Path,
    *,
    what: str,
    allowed: str,
    most_bytes: int | None = None,
    kind: Kind = FormatError,
) -> int:
    """Return the size of a regular file in bytes; links are followed.

    what: names the content in the error; allowed: what it must be; most_bytes: of the file;
    kind: of the error

    A file that is absent or unreachable raises the OSError that opening it would raise.
    Errors: FormatError for a folder, a device, a pipe or a socket, and for a file that is too large
    """
    about = path.stat()
    given = None
    if stat.S_ISDIR(about.st_mode):
        given = "a folder"
    elif not stat.S_ISREG(about.st_mode):
        given = "a device, a pipe or a socket"
    elif most_bytes is not None and about.st_size > most_bytes:
        allowed = f"{allowed} of at most {most_bytes:,} bytes"
        given = f"{about.st_size:,} bytes"
    if given is not None:
        raise kind(field=what, allowed=allowed, given=given, source=str(path))
    return about.st_size


def read_given(
    path: Path,
    *,
    what: str,
    allowed: str,
    most_bytes: int | None = None,
    kind: Kind = FormatError,
) -> bytes:
    """Return the bytes of a regular file; see `check_given`.

    Errors: FormatError, also for a file that is absent or unreadable
    """
    try:
        check_given(path, what=what, allowed=allowed, most_bytes=most_bytes, kind=kind)
        return path.read_bytes()
    except HwgenError:
        raise
    except FileNotFoundError:
        given = "no file"
    except OSError as error:
        given = error.strerror or type(error).__name__
    except ValueError:
        given = "a name with a zero byte"
    raise kind(field=what, allowed=allowed, given=given, source=str(path))
