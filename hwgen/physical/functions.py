"""Functions of cells as Liberty writes them: `!(A & B)`, `A' B + C`, `(A*B)^C`."""

import re
from collections.abc import Sequence

TOKEN = re.compile(r"[A-Za-z_][\w\[\]]*|[01!'&*|+^()]")
BINARY = {"&": "&", "*": "&", "|": "|", "+": "|", "^": "^"}


def python_expression(function: str) -> str | None:
    """Return a function as an expression of Python over integers of bits; None: not readable.

    `0` and `1` become `ZERO` and `ONES`; `!x` and `x'` become `(x ^ ONES)`, so that an evaluator
    chooses how many bits it computes at once. Names become `v["name"]`.
    """
    tokens = TOKEN.findall(function)
    if "".join(tokens) != re.sub(r"\s", "", function) or not tokens:
        return None
    text, position = either(tokens, 0)
    return text if text is not None and position == len(tokens) else None


Parsed = tuple[str | None, int]


def either(tokens: Sequence[str], at: int) -> Parsed:
    """Return a sum of products: `|` and `+` bind least."""
    return level(tokens, at, ("|", "+"), exclusive)


def exclusive(tokens: Sequence[str], at: int) -> Parsed:
    """Return an exclusive or of products."""
    return level(tokens, at, ("^",), product)


def level(tokens: Sequence[str], at: int, signs: Sequence[str], below: object) -> Parsed:
    """Return operands of one level, joined by the operators of that level."""
    assert callable(below)
    text, at = below(tokens, at)
    while text is not None and at < len(tokens) and tokens[at] in signs:
        right, after = below(tokens, at + 1)
        text = None if right is None else f"({text} {BINARY[tokens[at]]} {right})"
        at = after
    return text, at


def product(tokens: Sequence[str], at: int) -> Parsed:
    """Return a product: `&`, `*`, or operands beside each other."""
    text, at = operand(tokens, at)
    while text is not None and at < len(tokens) and tokens[at] not in ("|", "+", "^", ")"):
        at += tokens[at] in ("&", "*")
        right, at = operand(tokens, at)
        text = None if right is None else f"({text} & {right})"
    return text, at


def operand(tokens: Sequence[str], at: int) -> Parsed:
    """Return a name, a constant, a bracket or an inverted operand."""
    if at >= len(tokens):
        return None, at
    token, at = tokens[at], at + 1
    text: str | None
    if token == "!":
        text, at = operand(tokens, at)
        return (None if text is None else f"({text} ^ ONES)"), at
    if token == "(":
        text, at = either(tokens, at)
        if text is None or at >= len(tokens) or tokens[at] != ")":
            return None, at
        at += 1
    elif token in "01":
        text = "ONES" if token == "1" else "ZERO"
    elif token in "&*|+^)'":
        return None, at
    else:
        text = f'v["{token}"]'
    while at < len(tokens) and tokens[at] == "'":
        text, at = f"({text} ^ ONES)", at + 1
    return text, at


def truth_table(function: str, inputs: Sequence[str]) -> int | None:
    """Return the truth table of a function; bit i: inputs i, the first input lowest; None: none."""
    expression = python_expression(function)
    if expression is None or len(inputs) > 6:
        return None
    size = 1 << len(inputs)
    names = {
        name: sum(1 << row for row in range(size) if row >> place & 1)
        for place, name in enumerate(inputs)
    }
    try:
        value = eval(
            expression, {"__builtins__": {}}, {"v": names, "ONES": (1 << size) - 1, "ZERO": 0}
        )
    except KeyError:
        return None
    return int(value)
