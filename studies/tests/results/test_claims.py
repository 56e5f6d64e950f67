"""Claims of README stand on one page, each with its command; the digits are compared."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from studies.tests.results import claims
from studies.tests.results.claims import Claims, OfData, Shipped, missing, page_of, read_claims
from studies.tests.results.ledger import ROOT, read_ledger, read_pages

CLAIM = Shipped(
    claim="A network takes 6,522 cycles.",
    command="printf 'model:  6,522 cycles\\nnone  9.23x\\n'",
    prints=["model: 6,522 cycles", "none 9.23x"],
    cpu_minutes=0.1,
    quick=True,
)


def test_the_page_is_what_the_command_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "PAGE", tmp_path / "claims.md")
    assert claims.main(["--write"]) == 0
    committed = (ROOT / "docs/claims.md").read_text(encoding="utf-8")
    assert (tmp_path / "claims.md").read_text() == committed, "run: scripts/claims --write"


def test_the_page_has_command_needs_and_time_of_each_claim() -> None:
    named = read_claims()
    page = page_of(named, read_pages(), read_ledger())
    assert all(f"| {each.claim} | `{each.command}` |" in page for each in named.shipped)
    assert "| data: cifar10, liberty |" in page
    assert "`scripts/results dbpim-race --data DATA`" in page
    assert ", 32.9 minutes |" in page_of(
        Claims(
            shipped=[],
            of_data=[],
            fetched=[each for each in named.fetched if each.page == "transformers"],
        ),
        read_pages(),
        {"transformers": replace(read_ledger()["transformers"], seconds=1972.4)},
    )


def test_each_digit_of_a_claim_is_compared() -> None:
    """9.23 times is printed as 9.23x."""
    named = read_claims()
    told = [(each.claim, each.prints) for each in named.shipped]
    told += [(each.claim, each.prints) for each in named.of_data]
    told += [(each.claim, each.says) for each in named.fetched]
    for claim, pieces in told:
        for number in re.findall(r"\d[\d,]*[.,]\d+", claim):
            assert number in re.findall(claims.NUMBER, " ".join(pieces)), (claim, number)


def test_pages_say_what_is_claimed_of_them() -> None:
    pages = read_pages()
    for each in read_claims().fetched:
        text = (ROOT / pages[each.page].page).read_text(encoding="utf-8")
        assert missing(each.says, text) == [], each.page


def test_cycles_of_the_first_table_are_claims() -> None:
    front = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Figures")[2]
    cycles = re.findall(r"^\| [^|]+ \| [\d. to%]+ \| ([\d,]+)(?: to ([\d,]+))? \|", front, re.M)
    named = read_claims()
    told = " ".join(each.claim for each in [*named.shipped, *named.fetched])
    assert len(cycles) == 5
    assert missing([each for row in cycles for each in row if each], told) == []


def test_times_are_as_promised() -> None:
    shipped = read_claims().shipped
    assert 0 < sum(each.cpu_minutes for each in shipped if each.quick) <= 5
    assert sum(each.cpu_minutes for each in shipped) <= 30


@pytest.mark.promise(
    "one command runs each claim that a clone alone can check, and compares the digits; where one"
    " differs it says both and ends with 1"
)
@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        (CLAIM.command, 0, "1 claims, 0 differ"),
        (
            "printf 'model: 6,523 cycles\\nnone 9.23x\\n'",
            1,
            'claimed: "model: 6,522 cycles", got: "model: 6,523 cycles"',
        ),
        (
            "printf 'model: 6,522 cycles\\nall 8.1x\\nnone 19.23x\\n'",
            1,
            'claimed: "none 9.23x", got: "none 19.23x"',
        ),
        ("echo 'model: 6,522 cycles'", 1, 'claimed: "none 9.23x", got: "nothing like it"'),
        (f"{CLAIM.command}; echo no chip >&2; exit 2", 1, "the command ended with 2: no chip"),
    ],
    ids=["equal", "differing", "longer number", "absent", "failing"],
)
def test_digits_are_compared(
    command: str,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    slow = replace(CLAIM, command="false", quick=False)
    told = Claims(of_data=[], shipped=[replace(CLAIM, command=command), slow], fetched=[])
    monkeypatch.setattr(claims, "read_claims", lambda: told)
    assert claims.main(["--quick"]) == code
    printed = capsys.readouterr().out
    assert line in printed and f" s  {command}\n" in printed
    assert printed.startswith("differs" if code else "equal")


def test_without_quick_all_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = replace(CLAIM, command="false", quick=False)
    monkeypatch.setattr(
        claims, "read_claims", lambda: Claims(shipped=[CLAIM, slow], of_data=[], fetched=[])
    )
    assert claims.main([]) == 1
    assert "2 claims, 1 differ" in capsys.readouterr().out


@pytest.mark.promise("each accuracy of README has a command that prints it from the images")
def test_accuracies_of_the_first_table_have_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    front = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Figures")[2]
    accuracies = {each for row in re.findall(r"^\| .*$", front, re.M) for each in numbers_of(row)}
    accuracies |= set(re.findall(r"one digit, ([\d.]+) %", front))
    printed = " ".join(each.prints[0] for each in read_claims().of_data)
    assert accuracies == {"91.42", "91.25", "76.98", "90.70"}
    assert all(f"{each}%" in printed for each in accuracies)
    reads = OfData(claim="", command="echo $DATA", prints=[str(tmp_path)], cpu_minutes=0.1)
    claimed = Claims(shipped=[CLAIM], of_data=[reads], fetched=[])
    monkeypatch.setattr(claims, "read_claims", lambda: claimed)
    assert claims.main(["--data", str(tmp_path)]) == 0
    assert "2 claims, 0 differ" in capsys.readouterr().out


def numbers_of(row: str) -> list[str]:
    """Return the accuracies of a row, in percent, from its second cell."""
    return re.findall(r"\d\d\.\d\d", row.split("|")[2])


def test_the_tests_run_the_short_claims() -> None:
    text = (ROOT / "scripts/test").read_text(encoding="utf-8")
    _, beside, behind = text.partition('-m studies.tests.results.claims --quick > "$claims" &')
    assert beside and 'wait "$checked" || status=1\ncat "$claims"' in behind
