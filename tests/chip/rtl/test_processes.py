"""Work on many items in two processes: each item once, and no fault of the other one matters."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwgen.chip.rtl import processes
from hwgen.chip.rtl.processes import MANY, shared

ITEMS = [f"item {number}" for number in range(MANY)]
HERE = os.getpid()


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "can_fork", lambda: True)


@pytest.mark.promise("two processes share the conversion; what one fails at the other does")
def test_both_work_and_each_item_is_done_once(tmp_path: Path) -> None:
    def work(items: Iterator[str]) -> dict[str, str]:
        done = {}
        for item in items:
            (tmp_path / f"{os.getpid()} {item}").touch()
            while len({file.name.split()[0] for file in tmp_path.iterdir()}) < 2:
                time.sleep(0.01)
            done[item] = str(os.getpid())
        return done

    found = shared(ITEMS, work)
    assert sorted(found) == sorted(ITEMS)
    assert len(set(found.values())) == 2
    assert len(list(tmp_path.iterdir())) == len(ITEMS)


def test_what_the_other_process_fails_at_is_done_here() -> None:
    def work(items: Iterator[str]) -> dict[str, str]:
        done = {}
        for item in items:
            if os.getpid() != HERE:
                raise ValueError(item)
            time.sleep(0.01)
            done[item] = item
        return done

    assert shared(ITEMS, work) == {item: item for item in ITEMS}


def test_an_error_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    forks = []

    def fork() -> int:
        forks.append(os.fork())
        return forks[0]

    def work(items: Iterator[str]) -> dict[str, str]:
        raise ValueError(next(items))

    monkeypatch.setattr(processes, "fork", fork)
    with pytest.raises(ValueError, match="item"):
        shared(ITEMS, work)
    with pytest.raises(ChildProcessError):
        os.waitpid(forks[0], os.WNOHANG)


def test_few_items_need_no_second_process() -> None:
    def work(items: Iterator[str]) -> dict[str, str]:
        return {item: str(os.getpid()) for item in items}

    assert set(shared(ITEMS[1:], work).values()) == {str(HERE)}
