"""Phrases that are repeated have a letter, and nothing is lost."""

from hwgen.chip.repeated import shortened

GIVEN = [
    "netlists of a core, zero delay: the switch",
    "netlists of a core, zero delay: the queue",
    "a flip-flop, netlists of a core, zero delay",
    "a flip-flop",
]


def test_a_phrase_of_three_sentences_is_said_once() -> None:
    told, phrases = shortened(GIVEN)
    assert phrases == {"a": "netlists of a core, zero delay"}
    assert told == ["[a]: the switch", "[a]: the queue", "a flip-flop, [a]", "a flip-flop"]


def test_letters_give_the_sentences_back() -> None:
    told, phrases = shortened(GIVEN * 2, most=1)
    for letter, phrase in phrases.items():
        told = [each.replace(f"[{letter}]", phrase) for each in told]
    assert told == GIVEN * 2


def test_what_is_rare_or_short_stays() -> None:
    assert shortened(["one, only now"] * 3) == (["one, only now"] * 3, {})
    assert shortened(["a long phrase of words"] * 2)[1] == {}
