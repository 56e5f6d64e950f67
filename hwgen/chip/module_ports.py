"""The ports of a module of Verilog, read from its text: names, directions, widths, parameters.

Enough of the language for what memory compilers and people write: ports in the header or behind
it, parameters and localparams, `ifdef. What it does not understand it leaves open.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from operator import add, eq, floordiv, ge, gt, le, lshift, lt, mod, mul, ne, rshift, sub

TOKEN = re.compile(
    r"\\\S+|[A-Za-z_$][\w$]*|\d[\d_]*\s*'\s*[sS]?[bodhBODH]\s*[\da-fA-F_xXzZ?]+"
    r"|'\s*[sS]?[bodhBODH]\s*[\da-fA-F_xXzZ?]+|\d[\d_]*|<<<|>>>|<<|>>|\*\*|[<>=!]=|&&|\|\||."
)
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/|\(\*\s[^()]*\*\)', re.S)
DIRECTIONS = ("input", "output", "inout")
CONSTANTS = ("parameter", "localparam")
BASES = {"b": 2, "o": 8, "d": 10, "h": 16}
OPENING, CLOSING = "([{", ")]}"
WEAKEST_FIRST = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("<<", ">>", "<<<", ">>>"),
    ("+", "-"),
    ("*", "/", "%"),
    ("**",),
)
"""Binary operators of constants."""
OPERATORS: Mapping[str, Callable[[int, int], int]] = {
    "||": lambda left, right: int(bool(left or right)),
    "&&": lambda left, right: int(bool(left and right)),
    "==": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "<<": lshift,
    "<<<": lshift,
    ">>": rshift,
    ">>>": rshift,
    "+": add,
    "-": sub,
    "*": mul,
    "/": floordiv,
    "%": mod,
    "**": pow,
}


@dataclass(frozen=True)
class ModulePort:
    """Direction and bits of a port; None: not understood."""

    direction: str
    bits: int | None


@dataclass(frozen=True)
class ModulePorts:
    """Ports by name, and the names of the parameters that an instance may set."""

    ports: Mapping[str, ModulePort]
    parameters: tuple[str, ...]


def module_ports(text: str, module: str, given: Mapping[str, int]) -> ModulePorts | None:
    """Return the ports of a module; None where its header is not understood.

    given: values of parameters that an instance sets
    """
    plain = COMMENT.sub(lambda found: '""' if found[0][0] == '"' else " ", text)
    found = re.search(rf"\bmodule\s+{re.escape(module)}\b(.*?)\bendmodule\b", taken(plain), re.S)
    if found is None or "`" in found[1].partition(";")[0]:
        return None
    try:
        return Reader(given).read([each for each in TOKEN.findall(found[1]) if each.strip()])
    except (ValueError, IndexError):
        return None


def taken(text: str) -> str:
    """Return the lines that a compiler without definitions of its own takes."""
    lines, defined = [], set[str]()
    # Of each open condition: whether lines are taken, whether some branch was.
    stack: list[tuple[bool, bool]] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        name = rest.strip().partition(" ")[0]
        if word in ("`ifdef", "`ifndef"):
            takes = (name in defined) == (word == "`ifdef")
            stack.append((takes, takes))
        elif word == "`elsif" and stack:
            takes = not stack[-1][1] and name in defined
            stack[-1] = takes, stack[-1][1] or takes
        elif word == "`else" and stack:
            stack[-1] = not stack[-1][1], True
        elif word == "`endif" and stack:
            stack.pop()
        elif all(takes for takes, _ in stack):
            if word == "`define":
                defined.add(name)
            lines.append(line)
    return "\n".join(lines)


class Reader:
    """Reads one module; values: of its constants, None where not understood."""

    def __init__(self, given: Mapping[str, int]) -> None:
        self.given = given
        self.values: dict[str, int | None] = {}
        self.parameters: list[str] = []
        self.ports: dict[str, ModulePort] = {}

    def read(self, tokens: list[str]) -> ModulePorts:
        """Read header and body. Raises ValueError or IndexError for what is not understood."""
        at = 0
        if tokens[0] == "#":
            at = 1 + self.group(tokens[1:])
            self.constants("parameter", tokens[2 : at - 1])
        listed: list[str] = []
        if tokens[at] == "(":
            end = at + self.group(tokens[at:])
            listed, at = tokens[at + 1 : end - 1], end
        if any(token in DIRECTIONS for token in listed):
            self.declared(listed)
            names = list(self.ports)
        else:
            names = [single(part) for part in split(listed)]
        for statement in statements(tokens[at:]):
            if statement[0] in CONSTANTS:
                self.constants(statement[0], statement[1:])
            elif statement[0] in DIRECTIONS:
                self.declared(statement)
        return ModulePorts(
            ports={name: self.ports[name] for name in names if name in self.ports},
            parameters=tuple(self.parameters),
        )

    @staticmethod
    def group(tokens: list[str]) -> int:
        """Return how many tokens the brackets take with which tokens begin."""
        depth = 0
        for number, token in enumerate(tokens):
            depth += (token in OPENING) - (token in CLOSING)
            if not depth:
                return number + 1
        raise ValueError("brackets that do not end")

    def constants(self, kind: str, tokens: list[str]) -> None:
        """Read the declarations of constants."""
        for part in split(tokens):
            if part and part[0] in CONSTANTS:
                kind = part[0]
            if "=" not in part:
                continue
            equals = part.index("=")
            name = part[equals - 1]
            if kind == "parameter":
                self.parameters.append(name)
            own = kind == "parameter" and name in self.given
            self.values[name] = self.given[name] if own else self.value(part[equals + 1 :])

    def declared(self, tokens: list[str]) -> None:
        """Read the declarations of ports: direction, type and sizes hold until the next ones."""
        direction, bits = "", None
        for declaration in split(tokens):
            part = declaration
            if part[0] in DIRECTIONS:
                direction, part = part[0], part[1:]
                bits = self.bits(part)
            elif len(part) > 1 and part[1] != "=":
                bits = self.bits(part)
            names = [token for token, _ in outside(part) if token.isidentifier()]
            name = names[-1] if "=" not in part else part[part.index("=") - 1]
            unpacked = part[-1] == "]"
            self.ports[name] = ModulePort(direction, None if unpacked else bits)

    def bits(self, part: list[str]) -> int | None:
        """Return the bits of what stands before a name: 1 without sizes, None of a named type."""
        words = [token for token, _ in outside(part) if token.isidentifier()][:-1]
        if set(words) - {"wire", "reg", "logic", "bit", "signed", "unsigned", "var", "tri"}:
            return None
        sizes = []
        for first, last in ranges(part):
            high, low = self.value(first), self.value(last)
            if high is None or low is None:
                return None
            sizes.append(abs(high - low) + 1)
        return prod(sizes)

    def value(self, tokens: list[str]) -> int | None:
        """Return the value of a constant; None where not understood."""
        try:
            return Expression(tokens, self.values).whole()
        except (ValueError, IndexError, ZeroDivisionError, OverflowError):
            return None


class Expression:
    """Evaluates the tokens of a constant. Raises ValueError or IndexError for another."""

    def __init__(self, tokens: list[str], values: Mapping[str, int | None]) -> None:
        self.tokens, self.values, self.at = [*tokens, ""], values, 0

    def whole(self) -> int:
        """Return the value of all tokens."""
        value = self.choice()
        if self.tokens[self.at]:
            raise ValueError(self.tokens[self.at])
        return value

    def take(self, *wanted: str) -> str:
        """Return the next token and go on; with `wanted` only one of them, else nothing."""
        token = self.tokens[self.at]
        if wanted and token not in wanted:
            return ""
        self.at += 1
        return token

    def need(self, token: str) -> None:
        """Take a token that must be there."""
        if not self.take(token):
            raise ValueError(token)

    def choice(self) -> int:
        """Return the value of a condition with its two values, or of what binds stronger."""
        value = self.binary(0)
        if not self.take("?"):
            return value
        yes = self.choice()
        self.need(":")
        no = self.choice()
        return yes if value else no

    def binary(self, level: int) -> int:
        """Return the value of operators of a level, from left to right."""
        if level == len(WEAKEST_FIRST):
            return self.single()
        value = self.binary(level + 1)
        while operator := self.take(*WEAKEST_FIRST[level]):
            value = applied(operator, value, self.binary(level + 1))
        return value

    def single(self) -> int:
        """Return the value of a number, a name, a function or what stands in brackets."""
        token = self.take()
        if token in ("-", "+"):
            return -self.single() if token == "-" else self.single()
        if token == "(":
            value = self.choice()
            self.need(")")
            return value
        if token == "$clog2":
            self.need("(")
            value = self.choice()
            self.need(")")
            return max(value - 1, 0).bit_length()
        if token[:1].isdigit() or token[:1] == "'":
            size, quote, based = token.partition("'")
            based = based.strip().lower().lstrip("s")
            return int(based[1:].strip(), BASES[based[0]]) if quote else int(size)
        named = self.values.get(token)
        if named is None:
            raise ValueError(token)
        return named


def applied(operator: str, left: int, right: int) -> int:
    """Return the result of a binary operator."""
    if operator in ("<<", "<<<", "**") and not 0 <= right <= 64:
        raise ValueError(operator)
    return OPERATORS[operator](left, right)


def outside(tokens: list[str]) -> Iterator[tuple[str, int]]:
    """Yield the tokens outside of all brackets, with their places."""
    depth = 0
    for number, token in enumerate(tokens):
        depth -= token in CLOSING
        if not depth and token not in OPENING and token not in CLOSING:
            yield token, number
        depth += token in OPENING


def split(tokens: list[str]) -> list[list[str]]:
    """Return what stands between commas outside of brackets."""
    commas = [place for token, place in outside(tokens) if token == ","]
    bounds = [-1, *commas, len(tokens)]
    return [part for a, b in pairwise(bounds) if (part := tokens[a + 1 : b])]


def single(part: list[str]) -> str:
    """Return the only token of a part of a list of names. Raises ValueError for more."""
    (name,) = part
    return name


def ranges(tokens: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the two bounds of each pair of square brackets."""
    while "[" in tokens:
        inner = tokens[tokens.index("[") + 1 :]
        end, choices, colon = inner.index("]"), 0, 0
        for place, token in enumerate(inner[:end]):
            if token == ":" and not choices:
                colon = place
            choices += (token == "?") - (token == ":")
        yield inner[:colon], inner[colon + 1 : end]
        tokens = inner[end + 1 :]


def statements(tokens: list[str]) -> Iterator[list[str]]:
    """Yield the statements of a body that are not in a function or a task."""
    inside, statement = 0, list[str]()
    for token in tokens:
        inside += (token in ("function", "task")) - (token in ("endfunction", "endtask"))
        if token == ";" or token in ("endfunction", "endtask"):
            if statement and not inside:
                yield statement
            statement = []
        else:
            statement.append(token)
