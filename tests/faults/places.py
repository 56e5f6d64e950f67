"""A module as it is placed in its chip: inputs that are constants there are constants inside.

A module of a fixed function, such as the one that walks over a layer's windows, gets the sizes of
its layer as a constant. A fault that no such size shows changes nothing in that chip.
"""

import re
from collections.abc import Mapping

CONSTANT = re.compile(r"    \.(\w+)\((\d+'h[0-9a-f]+)\),?")


def as_placed(module: str, modules: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the modules of a chip once for each set of constants with which a module is placed.

    Only inputs that are constants in all its places count. Lines keep their numbers.
    """
    found = [
        dict(match.groups() for line in body.splitlines() if (match := CONSTANT.fullmatch(line)))
        for text in modules.values()
        for body in re.findall(rf"^  {re.escape(module)} \S+ +\((.*?)^  \);", text, re.M | re.S)
    ]
    common = set.intersection(*map(set, found)) if found else set()
    sets = {tuple((name, each[name]) for name in sorted(common)) for each in found} or {()}
    return [
        {**modules, module: with_constants(modules[module], dict(each))} for each in sorted(sets)
    ]


def with_constants(text: str, constants: Mapping[str, str]) -> str:
    """Return a module whose inputs of these names have become constants."""
    header, _, rest = text.partition(");")
    for name, value in constants.items():
        header = re.sub(rf"(?<=[(, ]){name}, |, {name}$", "", header)
        rest, count = re.subn(
            rf"^  input( \[\d+:0\])? {name};\n  wire( \[\d+:0\])? {name};$",
            rf"\n  wire\2 {name} = {value};",
            rest,
            flags=re.M,
        )
        if count != 1:
            raise ValueError(f"{name} must be an input of the module, got {count} of that name")
    return f"{header});{rest}"
