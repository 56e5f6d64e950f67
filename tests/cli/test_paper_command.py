"""`hwgen paper`: bad input is one sentence."""

from tests.cli.given import Command


def test_bad_paper_options(hwgen: Command) -> None:
    for arguments, word in (
        (("--networks", "lenet"), "lenet"),
        (("--networks", ","), "nothing"),
        (("--power-w", "0"), "--power-w"),
    ):
        code, out, err = hwgen("paper", "pimsyn", *arguments)
        assert (code, out) == (2, "")
        assert err.startswith("hwgen: ")
        assert err.count("\n") == 1
        assert word in err
