"""The data sheet of a family's chip, generated from the tables of its spec."""

import ast
import inspect
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter

from hwgen.chip.page_protocols import DataSheet
from hwgen.chip.registers import RegisterField
from hwgen.chip.sheet import Facts
from hwgen.report.sheet import Sheet
from hwgen.report.system_sheet import system_lines

FEW_CODES = 4
"""Of a field: more stand below the table."""
FOR_WHOM = (
    "This page is for people who put the chip into a system, write a driver, or read its Verilog."
    " It says how to use the chip, and lists its memory map, registers, ports and packets;"
    " `index.md` of `hwgen build` lists its modules."
)
NOTE = "Written by `scripts/documents` from `{folder}` and the emitted Verilog, not by hand."
LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "enum": "one of {}",
    "const": "{}",
    "pattern": "like `{}`",
}


def data_sheet(
    modules: DataSheet,
    *,
    chip: str,
    manifest: Mapping[str, Any],
    archs: Sequence[Any],
    picture: str | None = None,
    rules_on: str | None = None,
    clocks: Sequence[str] = (),
) -> str:
    """Return the data sheet as Markdown.

    modules: of the family's facts; manifest: of the Verilog of the chip `chip`
    archs: architectures whose memories are shown, side by side; the first is `chip`
    picture: beside the page, the parts of `chip` by area; None: its family tells none
    rules_on: the page that has the rules of a chip in a system; None: this one
    clocks: lines of the section of clocks
    """
    host, package = modules.host, modules.facts.__name__
    ports = manifest["modules"][manifest["top"]]["ports"]
    sections = [
        [
            f"# {host.TITLE}: data sheet",
            "",
            f"{FOR_WHOM} {NOTE.format(folder=package.replace('.', '/'))}",
        ],
        use_lines(host),
        memory_lines(host),
        register_lines(modules.registers, host),
        port_lines(chip, ports, host),
        system_lines(ports, rules_on),
        packet_lines(host, archs[0]),
        timing_lines(modules.timing),
        storage_lines(modules.storage, archs),
        *((picture_lines(chip, picture),) if picture else ()),
        *(fact_lines(facts) for facts in host.facts(archs[0])),
        *((clocks,) if clocks else ()),
        parameter_lines(modules.facts.Arch),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def picture_lines(chip: str, picture: str) -> Iterator[str]:
    """Yield the picture of the parts of a chip."""
    yield from ("## Parts by area", "", f"![The parts of the chip {chip}]({picture})", "")
    yield "By the table of areas of the family; `hwgen info CHIP --plot FILE.svg` draws any chip."


def use_lines(host: ModuleType) -> Iterator[str]:
    """Yield clock, reset, and how a program is run."""
    yield from ("## Use", "", host.CLOCK, "")
    for number, step in enumerate(host.STEPS, 1):
        yield f"{number}. {step}"


def memory_lines(host: ModuleType) -> Iterator[str]:
    """Yield the memory map and the content of the buffers."""
    yield from ("## Memory map", "")
    places = ((place.address, place.content, place.layout) for place in host.MEMORY_MAP)
    yield from Sheet(["at", "content", "layout"], places).markdown()
    yield from ("", host.BUFFERS)


def register_lines(registers: ModuleType, host: ModuleType) -> Iterator[str]:
    """Yield registers and error codes."""
    yield from ("## Registers", "")
    yield from Sheet(
        ["offset", "name", "access", "meaning"],
        ((f"`{r.offset:#04x}`", f"`{r.name}`", r.access, r.meaning) for r in registers.REGISTERS),
    ).markdown()
    yield from ("", "Fields; all other registers are numbers. Bits of no field read 0.", "")
    yield from Sheet(
        ["register", "bits", "field", "access", "meaning"],
        (
            (f"`{register.name}`", bits(field), f"`{field.name}`", field.access, meaning_of(field))
            for register in registers.REGISTERS
            for field in register.fields
            if len(register.fields) > 1 or field.name != "value"
        ),
    ).markdown()
    codes = ", ".join(f"{int(code)} {code.name}" for code in host.ErrorCode)
    yield from ("", f"Error codes: {codes}.")


def bits(field: RegisterField) -> str:
    """Return the places of a field in its register."""
    return f"{field.high}:{field.low}" if field.high > field.low else f"{field.low}"


def meaning_of(field: RegisterField) -> str:
    """Return what a field says, with its codes if they are few."""
    few = len(field.codes) <= FEW_CODES
    codes = ", ".join(f"{value} {name}" for name, value in field.codes)
    return f"{field.meaning}: {codes}" if field.codes and few else field.meaning


def port_lines(chip: str, ports: Sequence[Mapping[str, Any]], host: ModuleType) -> Iterator[str]:
    """Yield the ports of the top module."""
    yield from ("## Ports", "", f"Widths are those of the architecture `{chip}`.", "")
    single = ", ".join(f"`{each['name']}` ({each['direction']})" for each in alone(ports))
    yield f"One bit each: {single}."
    yield "Of the others the bits stand behind the name."
    yield ""
    cells = (
        (f"`{prefix}__*`", meaning, *(widths(ports, prefix, way) for way in ("input", "output")))
        for prefix, meaning in host.PORTS.items()
    )
    yield from Sheet(["ports", "meaning", "inputs", "outputs"], cells).markdown()


def alone(ports: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the ports of no group."""
    return (port for port in ports if "__" not in port["name"])


def widths(ports: Sequence[Mapping[str, Any]], prefix: str, direction: str) -> str:
    """Return names and bits of the ports of a group in one direction."""
    of = [p for p in ports if p["name"].startswith(f"{prefix}__") and p["direction"] == direction]
    return ", ".join(f"`{port['name'].partition('__')[2]}` {port['width']}" for port in of)


def packet_lines(host: ModuleType, arch: Any) -> Iterator[str]:
    """Yield every packet that the chip decodes, field by field."""
    yield from (f"## {host.FORMATS}", "", host.FORMATS_TEXT)
    for packet in host.packets(arch):
        if packet.title:
            yield from ("", f"### {packet.title}")
        yield ""
        if packet.text:
            yield from (packet.text, "")
        yield from field_lines(packet.fields, start=packet.start)


def fact_lines(facts: Facts) -> Iterator[str]:
    """Yield a table of further facts."""
    yield from (f"## {facts.title}", "", facts.text, "")
    yield from Sheet(facts.columns, iter(facts.rows)).markdown()


def field_lines(fields: Sequence[Any], *, start: int = 0) -> Iterator[str]:
    """Yield the fields of one packet with their bit positions, the first one at `start`."""
    place = start
    cells = []
    for field in fields:
        last = place + field.bits - 1
        bits = f"{last}:{place}" if field.bits > 1 else f"{place}"
        cells.append((bits, f"`{field.name}`", field.meaning))
        place = last + 1
    yield from Sheet(["bits", "field", "meaning"], iter(cells)).markdown()


def storage_lines(storage: ModuleType, archs: Sequence[Any]) -> Iterator[str]:
    """Yield the memories of some architectures in KB, side by side."""
    yield from ("## Memories", "", "In KB (1024 bytes) of the whole chip.", "")
    if note := getattr(storage, "NOTE", ""):
        yield from (note, "")
    memories = [storage.storage(arch) for arch in archs]
    bits = [{each.name: each.bits for each in found} for found in memories]
    meanings = {each.name: each.meaning for found in memories for each in found}
    cells: list[Sequence[object]] = [
        (name, *(kilobytes(found.get(name, 0)) for found in bits), meaning)
        for name, meaning in meanings.items()
    ]
    sums = [sum(kind.bits for kind in found if not kind.cells) for found in memories]
    cells.append(("all but the cells", *map(kilobytes, sums), ""))
    columns = ["memory", *(f"`{arch.name}`" for arch in archs), "content"]
    yield from Sheet(columns, cells).markdown()


def kilobytes(bits: int) -> str:
    """Return bits as KB with two digits."""
    return f"{bits / 8 / 1024:.2f}"


def timing_lines(timing: ModuleType) -> Iterator[str]:
    """Yield every published latency: the constants of the module and their docstrings."""
    yield from ("## Timing", "", last_paragraph(timing), "")
    yield from Sheet(["constant", "value", "meaning"], constants(timing)).markdown()


def last_paragraph(module: ModuleType) -> str:
    """Return the last paragraph of a module's docstring."""
    return " ".join((inspect.getdoc(module) or "").split("\n\n")[-1].split())


def constants(module: ModuleType) -> Iterator[tuple[str, object, str]]:
    """Yield name, value and docstring of each constant of a module."""
    body = ast.parse(inspect.getsource(module)).body
    for statement, below in itertools.pairwise(body):
        match statement, below:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield f"`{name}`", getattr(module, name), " ".join(text.split())


def parameter_lines(arch: type) -> Iterator[str]:
    """Yield every key of an architecture file."""
    schema = TypeAdapter(arch).json_schema()
    yield from ("## Architecture file", "", (inspect.getdoc(arch) or "").splitlines()[0], "")
    yield from Sheet(["key", "allowed", "meaning"], keys(schema, schema["$defs"], "")).markdown()


def keys(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, str, str]]:
    """Yield key, limits and meaning for a mapping and for nested mappings."""
    meanings = meanings_in(schema.get("description", ""))
    for name, content in schema["properties"].items():
        if "$ref" in content:
            inner = definitions[content["$ref"].rpartition("/")[2]]
            yield from keys(inner, definitions, f"{prefix}{name}.")
        else:
            yield f"`{prefix}{name}`", limits(content), meanings.get(name, "")


def limits(content: Mapping[str, Any]) -> str:
    """Return the type and the limits of one key."""
    said = [
        text.format(", ".join(map(str, value)) if isinstance(value, list) else value)
        for key, text in LIMITS.items()
        if (value := content.get(key)) is not None
    ]
    return ", ".join([content.get("type", ""), *said])


def meanings_in(docstring: str) -> dict[str, str]:
    """Return the meaning of each name that a docstring explains as `name, name: meaning`."""
    found = {}
    for names, meaning in re.findall(r"^(\w+(?:, \w+)*): (.+(?:\n {4}.+)*)", docstring, re.M):
        for name in names.split(", "):
            found[name] = " ".join(meaning.split())
    return found
