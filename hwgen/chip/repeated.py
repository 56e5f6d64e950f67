"""Phrases that many sentences of a table repeat are said once, under a letter."""

from collections import Counter
from collections.abc import Sequence
from string import ascii_lowercase

WORDS, TIMES = 4, 3
"""A phrase is repeated so many times at least, and has so many words at least."""
ENDS = (":", ",", ";")


def shortened(sentences: Sequence[str], most: int = 6) -> tuple[list[str], dict[str, str]]:
    """Return sentences with letters in brackets for repeated phrases, and the phrases by letter.

    most: letters at most. A phrase begins and ends where a sentence or a part of it does, which
    `ENDS` close. `[a]` takes its place, with the sign that closed it.
    """
    found, phrases = list(sentences), dict[str, str]()
    for letter in ascii_lowercase[:most]:
        phrase = dearest(found)
        if phrase is None:
            break
        phrases[letter] = phrase
        found = [each.replace(phrase, f"[{letter}]") for each in found]
    return found, phrases


def dearest(sentences: Sequence[str]) -> str | None:
    """Return the phrase whose repetitions have most words; None where none is worth a letter."""
    counts: Counter[str] = Counter()
    for sentence in sentences:
        words = sentence.split(" ")
        edges = [0, *(i + 1 for i, each in enumerate(words) if each.endswith(ENDS)), len(words)]
        for place, first in enumerate(edges):
            for last in edges[place + 1 :]:
                counts[" ".join(words[first:last]).rstrip("".join(ENDS))] += 1
    worth = {
        phrase: (times - 1) * phrase.count(" ")
        for phrase, times in counts.items()
        if times >= TIMES and phrase.count(" ") >= WORDS - 1 and "[" not in phrase
    }
    return max(worth, key=lambda phrase: (worth[phrase], phrase)) if worth else None
