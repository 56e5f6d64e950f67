"""`<prefix>.rdl`: the register map in SystemRDL, from the table of the family.

Tests: `tests/report/test_documents.py`.
"""

from collections.abc import Iterator

from hwgen.chip.interface import ChipInterface
from hwgen.chip.registers import FieldAccess, Register, RegisterField

ACCESS: dict[FieldAccess, str] = {
    "read": "sw = r; hw = w;",
    "read and write": "sw = rw; hw = r;",
    "write": "sw = w; hw = r; singlepulse;",
    "write 1 clears": "sw = rw; hw = w; onwrite = woclr;",
}


def rdl(of: ChipInterface, written: str) -> str:
    """Return the address map; every register is there, every field with its access."""
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        f"// Registers of the {written}.",
        *(line for each in of.registers for line in codes_of(of, each)),
        f"addrmap {of.prefix} {{",
        f"    name = {text(f'Registers of the {of.what}')};",
        "    default regwidth = 32;",
        "    default accesswidth = 32;",
        *(line for each in of.registers for line in register_of(of, each)),
        "};",
    ]
    return "\n".join(lines) + "\n"


def text(words: str) -> str:
    """Return words as a string of SystemRDL."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def enumeration(of: ChipInterface, register: Register, field: RegisterField) -> str:
    """Return the name of the codes of a field."""
    return f"{of.prefix}_{register.name}_{field.name}_e"


def codes_of(of: ChipInterface, register: Register) -> Iterator[str]:
    """Yield the codes of a register's fields."""
    for field in register.fields:
        if field.codes:
            bits = field.high - field.low + 1
            yield f"enum {enumeration(of, register, field)} {{"
            yield from (f"    \\{name} = {bits}'d{value};" for name, value in field.codes)
            yield "};"


def register_of(of: ChipInterface, register: Register) -> Iterator[str]:
    """Yield a register."""
    resets = {"id": of.id_word, "version": of.version}
    yield "    reg {"
    yield f"        name = {text(register.name)};"
    yield f"        desc = {text(f'{register.meaning}; {register.access}')};"
    for field in register.fields:
        encode = f" encode = {enumeration(of, register, field)};" if field.codes else ""
        reset = resets.get(register.name, 0)
        yield (
            f"        field {{ desc = {text(field.meaning)}; {ACCESS[field.access]}{encode} }}"
            f" \\{field.name}[{field.high}:{field.low}] = {reset:#x};"
        )
    yield f"    }} \\{register.name} @ {register.offset:#05x};"
