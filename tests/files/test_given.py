"""What a user names is looked at before it is opened."""

import os
from pathlib import Path

import pytest

from hwgen.errors import FormatError
from hwgen.files.given import check_given, read_given


def refused(path: Path, most_bytes: int | None = None) -> str:
    with pytest.raises(FormatError) as caught:
        read_given(path, what="the network", allowed="a file", most_bytes=most_bytes)
    return str(caught.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "network"
    path.write_bytes(b"abc")
    (tmp_path / "link").symlink_to(path)
    assert read_given(tmp_path / "link", what="x", allowed="y", most_bytes=3) == b"abc"
    assert check_given(path, what="x", allowed="y") == 3


@pytest.mark.promise(
    "YAML holds the values of JSON, bounded, each key once; anything else is refused at once"
)
def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    device = "the network must be a file, got a device, a pipe or a socket"
    for path in (Path("/dev/null"), tmp_path / "pipe", tmp_path / "link"):
        assert refused(path) == f"{device} ({path})"
    assert refused(tmp_path) == f"the network must be a file, got a folder ({tmp_path})"
    assert refused(tmp_path / "none").startswith("the network must be a file, got no file")
    assert "File name too long" in refused(Path("x" * 300))
    assert "zero byte" in refused(Path("a\0b"))


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "network"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert refused(path, 1000) == (
        f"the network must be a file of at most 1,000 bytes, got 1,099,511,627,776 bytes ({path})"
    )
