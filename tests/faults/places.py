"""A module as it is placed in its chip: inputs that are constants there are constants inside.

A module of a fixed function, such as the one that walks over a layer's windows, gets the sizes of
its layer as a constant. A fault that no such size shows changes nothing in that chip.
"""

import re
from collections.abc import Mapping

from verif.schemata import in_lines

NUMBER = r"\d+'h[0-9a-f]+"
CONSTANT = re.compile(rf"    \.(\w+)\(({NUMBER}|\{{ {NUMBER}(?:, {NUMBER})* \}})\),?")
"""Of an instance: a long one stands in pieces."""


def as_placed(module: str, modules: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the modules of a chip once for each set of constants with which a module is placed.

    Only inputs that are constants in all its places count. Lines keep their numbers.
    """
    found = [
        dict(match.groups() for line in body.splitlines() if (match := CONSTANT.fullmatch(line)))
        for text in map(in_lines, modules.values())
        for body in re.findall(rf"^  {re.escape(module)} \S+ +\((.*?)^  \);", text, re.M | re.S)
    ]
    common = set.intersection(*map(set, found)) if found else set()
    sets = {tuple((name, each[name]) for name in sorted(common)) for each in found} or {()}
    return [
        {**modules, module: with_constants(modules[module], dict(each))} for each in sorted(sets)
    ]


def with_constants(text: str, constants: Mapping[str, str]) -> str:
    """Return a module whose inputs of these names have become constants."""
    header, end, rest = text.partition("\n);\n")
    for name, value in constants.items():
        place = re.compile(rf"(?:\n  //.*)*\n  input( \[\d+:0\])? {name},?(?:  //.*)?$", re.M)
        found = place.search(header)
        if found is None:
            raise ValueError(f"{name} must be an input of the module")
        header = header[: found.start()] + header[found.end() :]
        # Lines keep their numbers: as many come behind the header as go from it.
        empty = "\n" * (found[0].count("\n") - 1)
        rest = f"  wire{found[1] or ''} {name} = {value};\n{empty}{rest}"
    # No comma behind the last port that is left.
    header = re.sub(r",((?:  //.*)?(?:\n  //.*)*)\Z", r"\1", header)
    return f"{header}{end}{rest}"
