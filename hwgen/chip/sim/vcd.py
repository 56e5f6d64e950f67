"""Read waves: what a VCD file declares, and what changes at each time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import SimulationError

Bits = NDArray[np.uint8]


def declared(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield path and identifier of every signal."""
    scope: list[str] = []
    for line in lines:
        match line.split():
            case ["$scope", _, name, _]:
                scope.append(name)
            case ["$upscope", _]:
                scope.pop()
            case ["$var", _, _, identifier, name, *_]:
                yield ".".join([*scope, name]), identifier
            case ["$enddefinitions", _]:
                return


def blocks(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield the changes of each time: value by identifier."""
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith("#"):
            yield found
            found = {}
        elif line.startswith("b"):
            value, _, identifier = line[1:].partition(" ")
            found[identifier] = value
        elif line[:1] in ("0", "1", "x", "z"):
            found[line[1:]] = line[0]
    yield found


def port_bits(file: Path, *, scope: str, ports: Mapping[str, int], clock: str) -> Bits:
    """Return the bits of the ports of an instance before each rising edge of its clock.

    ports: width by name; returned are (cycles, bits), ports in this order, lowest bits first
    Raises SimulationError for waves that lack a port
    """
    with file.open(encoding="utf-8") as lines:
        stripped = (line.rstrip("\n") for line in lines)
        identifiers = dict(declared(stripped))
        places = places_of(identifiers, scope, ports, clock)
        ticks = identifiers[f"{scope}.{clock}"]
        now = np.zeros(sum(ports.values()), dtype=np.uint8)
        rows: list[Bits] = []
        known = (line for line in stripped if is_known(line, places, ticks))
        for block in blocks(known):
            if block.get(ticks) == "1":
                rows.append(now.copy())
            for identifier, value in block.items():
                for first, width in places.get(identifier, ()):
                    now[first : first + width] = bits_of(value, width)
    return np.array(rows, dtype=np.uint8).reshape(len(rows), len(now))


def places_of(
    identifiers: Mapping[str, str], scope: str, ports: Mapping[str, int], clock: str
) -> dict[str, list[tuple[int, int]]]:
    """Return first bit and width of the ports that an identifier stands for."""
    missing = [name for name in (clock, *ports) if f"{scope}.{name}" not in identifiers]
    if missing:
        raise SimulationError(
            f"the waves must have every port of {scope}, got none of {', '.join(missing)}"
        )
    found: dict[str, list[tuple[int, int]]] = {}
    first = 0
    for name, width in ports.items():
        found.setdefault(identifiers[f"{scope}.{name}"], []).append((first, width))
        first += width
    return found


def is_known(line: str, places: Mapping[str, object], ticks: str) -> bool:
    """Whether a line is a time, or a change of a signal that is looked for."""
    if line[:1] == "#":
        return True
    identifier = line[line.find(" ") + 1 :] if line[:1] == "b" else line[1:]
    return identifier in places or identifier == ticks


def bits_of(value: str, width: int) -> Sequence[int] | Bits:
    """Return the bits of a value, the lowest first; what is not driven is 0."""
    digits = value.replace("x", "0").replace("z", "0").rjust(width, "0")[::-1]
    return np.frombuffer(digits.encode("ascii"), dtype=np.uint8)[:width] - ord("0")
