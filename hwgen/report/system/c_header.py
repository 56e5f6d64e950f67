"""`hwgen_<prefix>.h`: the register map for C, from the table of the family.

Tests: `tests/report/test_documents.py`.
"""

from collections.abc import Iterator, Mapping, Sequence

from hwgen.chip.interface import ChipInterface
from hwgen.chip.registers import Register, RegisterField, offsets

ROLES: Mapping[str, Sequence[str]] = {
    **{name: (name,) for name in ("id", "version", "control", "status", "error")},
    **{name: (name,) for name in ("interrupt", "interrupt_enable")},
    **{name: (name,) for name in ("command", "mode", "unlock", "images", "interval")},
    "program_address": ("program_address_low",),
    "image_address": ("image_address_low",),
    "answer_address": ("answer_address_low", "logits_address_low"),
    "scratch_address": ("scratch_address_low",),
    "cycles": ("cycles_low",),
    "load_cycles": ("load_cycles_low",),
    **{name: (name,) for name in ("position", "position_bytes")},
}
"""Members of `struct hwgen_map`, and the registers that may have that role in a family.

They are in the order of the struct: C++17 has no names in initializers.
"""

TEXT = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* Register map of the {written}. */
#ifndef HWGEN_{guard}_H
#define HWGEN_{guard}_H

#include "hwgen.h"

#define {prefix}_ID_VALUE UINT32_C({id_word:#010x})
#define {prefix}_VERSION_VALUE UINT32_C({version})

/* Offsets of registers in bytes; masks, shifts and codes of their fields. */
{lines}

/* Where the driver finds what it needs. */
static const struct hwgen_map hwgen_{map} = {{
{members}
}};

#endif
"""


def c_header(of: ChipInterface, written: str) -> str:
    """Return the header: macros for every register and field, and the map for the driver."""
    prefix = f"HWGEN_{of.prefix.upper()}"
    offset = offsets(of.registers)
    members = [f"    {place(names, offset)}, /* {role} */" for role, names in ROLES.items()]
    return TEXT.format(
        written=written,
        guard=of.prefix.upper(),
        prefix=prefix,
        id_word=of.id_word,
        version=of.version,
        lines="\n".join(line for each in of.registers for line in lines_of(prefix, each)),
        map=of.prefix,
        members="\n".join(members),
    )


def place(names: Sequence[str], offset: Mapping[str, int]) -> str:
    """Return the offset of the register with a role, as C."""
    found = [offset[name] for name in names if name in offset]
    return f"{found[0]:#05x}" if found else "HWGEN_ABSENT"


def lines_of(prefix: str, register: Register) -> Iterator[str]:
    """Yield the macros of a register."""
    name = f"{prefix}_{register.name.upper()}"
    yield f"#define {name} {register.offset:#05x} /* {register.meaning}; {register.access} */"
    for field in register.fields:
        if len(register.fields) > 1 or field.name != "value":
            yield from field_lines(f"{name}_{field.name.upper()}", field)


def field_lines(name: str, field: RegisterField) -> Iterator[str]:
    """Yield the macros of a field."""
    yield f"#define {name}_MASK UINT32_C({field.mask:#010x}) /* {field.meaning}; {field.access} */"
    yield f"#define {name}_SHIFT {field.low}"
    for code, value in field.codes:
        yield f"#define {name}_{code.upper()} UINT32_C({value})"
