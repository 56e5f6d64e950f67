"""Write a part and all the parts below it as Verilog, each different module once."""

import gc
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from hwgen.chip.interface import TIMESCALE
from hwgen.chip.rtl.alike import different
from hwgen.chip.rtl.fields import without_field_nets
from hwgen.chip.rtl.folder import write_folder
from hwgen.chip.rtl.index import INDEX, first_sentence, index
from hwgen.chip.rtl.manifest import FILE_LIST, MANIFEST, instances_in, manifest, ports_in
from hwgen.chip.rtl.module_text import readable
from hwgen.chip.rtl.names import names_from_source
from hwgen.chip.rtl.netlists import bits_unchecked, netlist_of
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.processes import shared
from hwgen.chip.rtl.sentences import sentences_of
from hwgen.chip.rtl.text import TextPart
from hwgen.errors import DesignError

NOTHING: Mapping[str, str] = {}
Further = Callable[[Mapping[str, str]], Mapping[str, str | bytes]]
"""From the Verilog of a design by file to more files by name."""
HEADER = "// SPDX-License-Identifier: Apache-2.0\n"

MANY = 4_000_000
"""Characters of Verilog whose netlists, about two gigabytes, are freed: they hold themselves."""
WIDEST = 1 << 16
"""Bits of a vector that every tool takes (IEEE 1364-2005); none has more."""

RANGE = re.compile(r"^  (?:input|output|reg|wire|output reg) \[(\d+):0\]", re.M)


def emit(
    top: Part,
    folder: Path,
    *,
    parameters: Mapping[str, object],
    about: str = "",
    beside: Mapping[str, str] = NOTHING,
    further: Further | None = None,
) -> list[Path]:
    """Write `<module>.v` for each part, a file list, an index and a manifest; return the Verilog.

    The top is the last of the files returned.

    parameters: of the design, such as the architecture as a mapping; the manifest holds them
        unchanged
    about: the design, which each module belongs to, in words
    beside: further files by name; those that end in `.v` are in the file list too, which names
        files as they stand beside it
    further: makes files of the design's Verilog, which no file list names
    """
    modules = verilog_modules(top)
    parts = {part.module_name: part for part in parts_below_first(top)}
    files = {f"{name}.v": opened(parts[name], text, about) for name, text in modules.items()}
    listed = "".join(f"{name}\n" for name in (*files, *beside) if name.endswith(".v"))
    written = {name: files[f"{name}.v"] for name in modules}
    overview = index({name: parts[name] for name in modules}, written, about=about)
    every: dict[str, str | bytes] = {**files, **beside, FILE_LIST: listed, INDEX: overview}
    every |= further(files) if further else {}
    contents = manifest(
        files,
        every,
        top=top.module_name,
        parameters=parameters,
        arrays=[name for name, part in parts.items() if part.array_content],
        texts=[name for name, part in parts.items() if part.is_text],
    )
    write_folder(folder, {**every, MANIFEST: contents})
    return [folder / f"{name}.v" for name in modules]


def file_names(top: Part) -> list[str]:
    """Return the names of the Verilog files of a design, top last."""
    return [f"{name}.v" for name in dict.fromkeys(p.module_name for p in parts_below_first(top))]


def opened(part: Part, text: str, about: str) -> str:
    """Return the Verilog of a part with what it is, and of what, behind licence and timescale."""
    lines = [f"{part.module_name}: {first_sentence(part)}", *filter(None, [about])]
    lines = [*(f"// {line}" for line in lines), TIMESCALE]
    return HEADER + "".join(f"{line}\n" for line in lines) + text.removeprefix(HEADER)


def rename(top: Part, prefix: str) -> None:
    """Let the names of all modules of a design begin with a prefix instead of the family."""
    for part in parts_below_first(top):
        part.family = prefix


def verilog_modules(top: Part) -> dict[str, str]:
    """Return the Verilog of each different part under its module name, top last.

    Parts are the same when their texts are: that, not a comparison of parameters, decides whether
    two parts of one name may share a module.
    """
    parts: dict[str, list[Part]] = {}
    for part in dict.fromkeys(parts_below_first(top)):
        parts.setdefault(part.module_name, []).append(part)

    def convert(names: Iterator[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        left = 0
        for name in names:
            found[name] = verilog_of(parts[name])
            left += len(found[name])
            if left > MANY:
                gc.collect()
                left = 0
        return found

    with collector_paused():
        texts = {name: written(given) for name, given in parts.items() if given[0].is_text}
        # Large modules are at the top, and come first: then both processes end at the same time.
        printed = shared([name for name in reversed(parts) if name not in texts], convert)
        for part in chain.from_iterable(parts.values()):
            # Amaranth warns of those not elaborated here; the other process may have done it.
            part.__dict__["_MustUse__used"] = True
        modules = {name: (texts | printed)[name] for name in parts}
        known = {
            *parts,
            *(name for one in chain.from_iterable(parts.values()) for name in one.foreign),
        }
        for name, text in modules.items():
            check_ports(parts[name][-1], text)
            check_instances(name, text, known=known)
    return modules


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector: it finds nothing among millions of new cells, and takes long.

    Who collects within looks at what was made since.
    """
    enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        # To the old generation without a look at them: the collector would start at once.
        gc.freeze()
        gc.unfreeze()
        if enabled:
            gc.enable()


def written(parts: Sequence[Part]) -> str:
    """Return the text that all parts of one name have, as a file."""
    texts = {part.verilog() if isinstance(part, TextPart) else "" for part in parts}
    return f"{HEADER}\n{the_only(texts, parts[0].module_name)}"


def the_only(texts: set[str], name: str) -> str:
    """Return the text of all parts of one name."""
    if len(texts) > 1:
        raise DesignError(f"module names must be unique, got two different parts named {name}")
    return texts.pop()


def verilog_of(parts: Sequence[Part]) -> str:
    """Return the Verilog that all parts of one name have; of those that are alike one is made."""
    texts = set()
    for part in different(parts):
        with names_from_source(), without_field_nets(), bits_unchecked():
            netlist = netlist_of(part)
        text = readable(
            netlist,
            sentences_of(part),
            garbage=part.garbage_at_power_on,
            started=part.starts_with_values,
        )
        widest = max(map(int, RANGE.findall(text)), default=0) + 1
        check_width(widest, part)
        texts.add(f"{HEADER}\n{text}")
    return the_only(texts, parts[0].module_name)


def check_width(bits: int, part: Part) -> None:
    """Refuse a signal of more bits than a vector of Verilog may have."""
    if bits > WIDEST:
        raise DesignError(
            f"signals must have at most {WIDEST:,} bits, as every tool of Verilog takes, got"
            f" {bits:,} in {part.module_name}: a chip of fewer copies or smaller parts"
            " can be written"
        )


def check_port_widths(top: Part) -> None:
    """Refuse a design with a port of more bits than a vector may have; nothing is elaborated.

    What is wider inside of a module is refused where the module is written.
    """
    parts = {part.module_name: part for part in parts_below_first(top)}
    for part in parts.values():
        check_width(max((width for _, _, width in part.ports()), default=0), part)


def parts_below_first(part: Part) -> Iterator[Part]:
    """Yield every part of the design, each after the parts that it places."""
    for below in part.parts:
        yield from parts_below_first(below)
    yield part


def check_ports(part: Part, text: str) -> None:
    """Refuse a module whose ports differ from those that its instances connect."""
    promised = {name: (direction, width) for name, direction, width in part.ports()}
    written = ports_in(text)
    if promised != written:
        differing = sorted(promised.items() ^ written.items())
        raise DesignError(
            f"the ports of {part.module_name} must be those of its signature and clock_ports,"
            f" got a difference in {', '.join(dict(differing))}"
        )


def check_instances(name: str, text: str, *, known: Container[str]) -> None:
    """Refuse an instance of a module that is not emitted."""
    for used in instances_in(text):
        if used.partition(".")[0] not in known:
            raise DesignError(f"every instance in {name} must be of a listed part, got {used}")
