"""What takes long says so in a log."""

import threading

import pytest

from hwgen.files.patience import Ticker, seconds_text


def test_a_fast_step_says_nothing() -> None:
    said: list[str] = []
    with Ticker("golden", said.append, first=60.0):
        pass
    assert not said


@pytest.mark.promise(
    "a line every 10 s says what is done and for how long, and a build is not called a simulation"
)
@pytest.mark.promise("a step that takes longer than 5 s says so in a log, and roughly how long")
def test_a_long_step_says_how_long() -> None:
    said: list[str] = []
    heard = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        heard.set()

    with Ticker("images", say, total=8, first=0.02) as ticker:
        ticker.skip(2)
        ticker.advance(3)
        assert heard.wait(30)
    assert said[0].startswith("images: 0 s so far, 5 of 8, about 0 s left")
    # Three items took as long as three more will; those of before say nothing of the speed.
    ticker.began -= 100
    assert (
        "100 s" not in ticker.line() and "2 min so far, 5 of 8, about 2 min left" in ticker.line()
    )


def test_the_newest_line_is_said() -> None:
    said: list[str] = []
    heard = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        heard.set()

    with Ticker("searching", say, first=0.02) as ticker:
        ticker.tell("1 of 7 nodes")
        ticker.tell("2 of 7 nodes")
        assert heard.wait(30)
    assert said[0] == "searching: 0 s so far, 2 of 7 nodes"


def test_times_are_read_by_people() -> None:
    assert [seconds_text(t) for t in (4.6, 99, 119, 5000, 9000)] == [
        "5 s",
        "99 s",
        "2 min",
        "83 min",
        "2.5 h",
    ]
