"""What a chip's simulation is told and what it writes down, without running one."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from hwgen.errors import SimulationError
from hwgen.sim.dbpim.chip_run import (
    MEMORY_BEATS,
    PAGE_BYTES,
    Job,
    beats_text,
    check_memory,
    place,
    read_events,
)
from hwgen.spec.dbpim.arch import load_arch

SMALL = Path(__file__).parents[3] / "configs" / "dbpim" / "small.yaml"

EVENTS = """\
id 00c0ffee 1
start 0
write 7 0 1 3 0f 0a0b
retire 9
end 0 2 0 100 20 3
logit 0 0 -5
start 1
"""


def events(folder: Path, text: str) -> Path:
    path = folder / "events.txt"
    path.write_text(text, encoding="ascii")
    return path


@pytest.mark.parametrize("last", ["finish", "timeout"])
def test_events_become_runs(last: str, tmp_path: Path) -> None:
    first, second = read_events(events(tmp_path, f"{EVENTS}{last}\n"))
    assert (first.done, first.busy, first.cycles, first.load_cycles) == (True, False, 100, 20)
    assert (first.retired, first.logits) == ([9], [-5])
    (write,) = first.writes
    assert (write.cycle, write.raw, write.bank, write.address) == (7, False, 1, 3)
    assert (write.enable, write.data) == (0x0F, 0x0A0B)
    assert second.busy and not second.done


@pytest.mark.parametrize("text", ["", EVENTS, EVENTS[: len(EVENTS) // 2], f"{EVENTS}fini"])
def test_events_that_were_cut_off_are_one_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"must end with finish or timeout, got") as error:
        read_events(events(tmp_path, text))
    assert "\n" not in str(error.value)


def test_images_and_logits_lie_behind_the_program() -> None:
    job = Job(program=bytes(4097), images=[b"ab", b"cd"], words=10, latency=1)
    content, addresses = place(job)
    assert content == {0x1000: bytes(4097), 0x3000: b"ab", 0x4000: b"cd"}
    assert addresses == {
        "program": 0x1000,
        "image": 0x3000,
        "image_stride": 0x1000,
        "logits": 0x5000,
        "logits_stride": 0x1000,
    }


def test_what_does_not_fit_is_one_sentence() -> None:
    arch = load_arch(SMALL)
    images = MEMORY_BEATS * arch.port_bytes // (2 * PAGE_BYTES)
    for count, fits in ((images - 1, True), (images, False)):
        job = Job(program=b"p", images=[b"i"] * count, words=1, latency=1)
        wrong = pytest.raises(SimulationError, match=f"bytes for {count} images")
        with nullcontext() if fits else wrong:
            check_memory(job, place(job)[1], arch)


def test_the_lowest_byte_of_a_beat_is_written_last() -> None:
    text = beats_text({0x1000: bytes([1, 2, 3, 4, 5])}, port_bytes=4)
    assert text == "@400\n04030201\n00000005\n"
