"""How a host writes on: the text does not depend on drafts, nor on the tokens a call."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from hwgen.commands.writing_on import NO_DRAFTS, Drafts, Turn, chosen, drafts_of, write_on

TOKENS = 5


class Caches:
    """A model that reads all tokens up to a place, of caches that each call writes into."""

    def __init__(self, context: int) -> None:
        self.rows = [-1] * context

    def step(self, tokens: Sequence[int], position: int) -> list[np.ndarray]:
        """Return logits behind each token, drawn by what the caches hold up to it."""
        self.rows[position : position + len(tokens)] = tokens
        found = []
        for last in range(position + 1, position + len(tokens) + 1):
            assert -1 not in self.rows[:last]
            seed = [0, *self.rows[:last]]
            found.append(np.random.default_rng(seed).normal(0, 3, TOKENS))
        return found


def written(
    prompt: list[int], *, at_once: int, temperature: float, context: int = 8, drafts: Drafts
) -> tuple[list[int], list[Turn]]:
    """Return 40 tokens, and the calls that wrote them."""
    rng = np.random.default_rng(1)
    return write_on(
        prompt,
        40,
        step=Caches(context).step,
        choose=lambda logits: chosen(logits, temperature, rng),
        context=context,
        at_once=at_once,
        drafts=drafts,
    )


@pytest.mark.promise(
    "the text does not depend on drafts, nor on the tokens a call, at any temperature, when a"
    " context is full and with a prompt longer than it"
)
@pytest.mark.parametrize("temperature", [0, 0.6, 1.0])
def test_the_text_depends_on_neither_drafts_nor_tokens_a_call(temperature: float) -> None:
    rng = np.random.default_rng(2)
    for length in (1, 3, 8, 9, 30):
        prompt = rng.integers(0, TOKENS, length).tolist()
        plain, calls = written(prompt, at_once=1, temperature=temperature, drafts=NO_DRAFTS)
        assert len(plain) == 40 and all(turn.right == 1 for turn in calls)
        taught = drafts_of([np.array(prompt + plain)], TOKENS)
        wrong = Drafts({context: (token + 1) % TOKENS for context, token in taught.table.items()})
        for at_once in (2, 3, 4, 8):
            for drafts in (NO_DRAFTS, taught, wrong):
                given: dict[str, Any] = {
                    "at_once": at_once,
                    "temperature": temperature,
                    "drafts": drafts,
                }
                found, turns = written(prompt, **given)
                assert found == plain
                assert sum(turn.written for turn in turns) == 40
                assert all(turn.position + len(turn.tokens) <= 8 for turn in turns)
                assert max(turn.known for turn in turns) <= at_once


def test_right_drafts_save_calls() -> None:
    prompt = [0, 1, 2, 3]
    plain, calls = written(prompt, at_once=1, temperature=0, context=64, drafts=NO_DRAFTS)
    assert len(calls) == 43
    text = prompt + plain
    known = Drafts({tuple(text[at - 4 : at]): text[at] for at in range(4, len(text))})
    found, turns = written(prompt, at_once=4, temperature=0, context=64, drafts=known)
    assert found == plain
    # Of 44 tokens the last is written and not read; a call takes four.
    assert len(turns) < 20


def test_a_full_context_is_read_again_by_its_last_half() -> None:
    _, turns = written([0], at_once=1, temperature=0, drafts=NO_DRAFTS)
    # A token at each of 8 places; then places 0 to 2 are read again, and 3 to 7 write.
    assert [turn.position for turn in turns[:12]] == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]
    assert [turn.again for turn in turns[:12]] == [False] * 8 + [True] * 3 + [False]
    assert [turn.written for turn in turns[:12]] == [1] * 8 + [0] * 3 + [1]


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_token_that_ends_a_text_is_the_last(at_once: int) -> None:
    plain, _ = written([0], at_once=1, temperature=1.0, drafts=NO_DRAFTS)
    rng = np.random.default_rng(1)
    found, turns = write_on(
        [0],
        40,
        step=Caches(8).step,
        choose=lambda logits: chosen(logits, 1.0, rng),
        context=8,
        at_once=at_once,
        drafts=drafts_of([np.array([0, *plain])], TOKENS),
        ends={plain[9]},
    )
    assert found == plain[: plain.index(plain[9]) + 1]
    assert sum(turn.written for turn in turns) == len(found)


def test_the_likeliest_token_behind_the_longest_context() -> None:
    # Behind 1 2 comes 3 three times, 4 twice; behind 0 1 2 comes 4 twice.
    text = [0, 1, 2, 4, 9, 1, 2, 3, 8, 1, 2, 3, 7, 0, 1, 2, 4, 6, 1, 2, 3]
    drafts = drafts_of([np.array(text)], 10)
    assert drafts.after([1, 2], 1) == [3]
    assert drafts.after([5, 0, 1, 2], 1) == [4]
    assert drafts.after([9, 9], 3) == []
    apart = drafts_of([np.array([1, 2, 3]), np.array([1, 2, -1, 3, 1, 2])], 10)
    assert apart.after([1, 2], 1) == []  # once only, and over no unknown token


def test_only_the_likeliest_are_drawn() -> None:
    logits = np.log(np.array([0.1, 0.4, 0.3, 0.2]))
    rng = np.random.default_rng(0)

    def drawn(**limits: float) -> set[int]:
        return {chosen(logits, 1.0, rng, **limits) for _ in range(400)}  # type: ignore[arg-type]

    assert drawn() == {0, 1, 2, 3}
    assert drawn(top_k=2) == {1, 2}
    assert drawn(top_p=0.6) == {1, 2}
    assert drawn(top_p=0.71) == {1, 2, 3}
    assert drawn(top_k=1, top_p=0.9) == {1}
    assert chosen(logits, 0, rng) == 1
