"""Cycles a character of sixteen texts that a language model writes, at three temperatures.

    python docs/examples/texts/sixteen.py NETWORK CHIP TOKENS_A_CALL NOVEL...

Each text begins with four letters and has 128. A number is drawn for each letter, drafts or not, so
that the texts are those of a call for each letter. A table of drafts is learned from the novels.
"""

import sys
from dataclasses import replace
from pathlib import Path

from hwgen.commands.text import GoldenCalls, WriteText

BEGIN = (
    *("She ", "He h", "The ", "It i", "My d", "Emma", "Mr. ", "In t"),
    *("When", '"I a', "Anne", "Capt", "But ", "Ther", "Sir ", "Oh! "),
)
TEMPERATURES = (0.0, 0.6, 1.0)
WRITTEN = 124


def main(network: str, chip: str, at_once: int, novels: list[Path]) -> None:
    """Print a row for each temperature."""
    first = WriteText(network, chip, prompt=BEGIN[0], drafts=novels)
    subject = first.subject()
    drafts = first.begun(subject.network).drafts
    several, one = (cycles_of(first, count) for count in (at_once, 1))
    print(f"a call of {at_once} takes {several:,} cycles, a call of one {one:,}")
    print("| temperature | calls | characters a call | cycles a character |")
    print("| --- | --- | --- | --- |")
    letters = len(BEGIN) * WRITTEN
    for temperature in TEMPERATURES:
        turns = []
        for number, begin in enumerate(BEGIN, 1):
            text = replace(
                first, prompt=begin, tokens=WRITTEN, seed=number, temperature=temperature
            )
            begun = replace(replace(text, drafts=()).begun(subject.network), drafts=drafts)
            turns += text.write(GoldenCalls(subject.network, at_once), begun)[1]
        cycles = sum(one if len(turn.tokens) == 1 else several for turn in turns)
        shown = f"{len(turns):,} | {letters / len(turns):.2f} | {cycles / letters:,.0f}"
        print(f"| {temperature} | {shown} |", flush=True)


def cycles_of(given: WriteText, tokens: int) -> int:
    """Return the cycles of a call of some tokens, by the model."""
    subject = given.subject()
    calls = GoldenCalls(subject.network, tokens)
    calls.step([0] * tokens, 0)
    return int(given.predicted(subject, calls, (0,))[0].cycles)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), [Path(each) for each in sys.argv[4:]])
