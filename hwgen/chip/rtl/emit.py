"""Write a part and all the parts below it as Verilog, each different module once."""

import gc
import os
import re
from bisect import bisect
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import accumulate, chain
from pathlib import Path

from amaranth._toolchain.yosys import YosysError, find_yosys
from amaranth.back import rtlil

from hwgen.chip.interface import TIMESCALE
from hwgen.chip.rtl.alike import different
from hwgen.chip.rtl.fields import without_field_nets
from hwgen.chip.rtl.folder import write_folder
from hwgen.chip.rtl.hints import hinted_nets
from hwgen.chip.rtl.index import INDEX, first_sentence, index
from hwgen.chip.rtl.manifest import FILE_LIST, MANIFEST, instances_in, manifest, ports_in
from hwgen.chip.rtl.module_text import Sentences, readable
from hwgen.chip.rtl.names import names_from_source
from hwgen.chip.rtl.netlists import bits_unchecked
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.processes import shared
from hwgen.chip.rtl.sentences import sentences_of
from hwgen.chip.rtl.text import TextPart
from hwgen.errors import DesignError, WorkerError

WITHOUT_MEMORY = re.compile("failed to reserve|[Cc]annot allocate memory|MemoryError|bad_alloc")
"""In what Yosys says when it ends, where memory runs out."""
WITHOUT_FILE = re.compile("File too large|No space left|Disk quota exceeded")
"""The same where it cannot have the file that holds its memory, or another one."""

NOTHING: Mapping[str, str] = {}
HEADER = "// SPDX-License-Identifier: Apache-2.0\n"

INTERNAL = ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding")
"""Attributes of Amaranth that say nothing of the hardware."""
PASSES = ("proc -nomux -norom", "memory_collect", "opt_expr", "opt_merge", "opt_clean")
"""What Yosys does with a netlist before it writes it."""
PLACED = re.compile(r"^  cell \\", re.M)
KEPT = "  attribute \\keep 1\n"
"""Of a part: it stays, also if nothing reads it."""
# Amaranth starts every memory with zeros or with what its `init` says.
MEMORY_CONTENT = re.compile(r"^  cell \$meminit_v2 .*?^  end\n", re.M | re.S)
LONG = 1_500_000
"""Characters of RTLIL above which a second run of Yosys saves time."""
MANY = 4_000_000
"""Characters of RTLIL whose netlists, about two gigabytes, are freed: they hold themselves."""
WIDEST = 1 << 16
"""Bits of a vector that every tool takes (IEEE 1364-2005); Amaranth writes none with more."""
MODULE = re.compile(r"^module (?:\\(?P<escaped>\S+) |(?P<plain>\w+)).*?^endmodule\n", re.M | re.S)


def emit(
    top: Part,
    folder: Path,
    *,
    parameters: Mapping[str, object],
    about: str = "",
    beside: Mapping[str, str] = NOTHING,
) -> list[Path]:
    """Write `<module>.v` for each part, a file list, an index and a manifest; return the Verilog.

    The top is the last of the files returned.

    parameters: of the design, such as the architecture as a mapping; the manifest holds them
        unchanged
    about: the design, which each module belongs to, in words
    beside: further files by name; those that end in `.v` are in the file list too, which names
        files as they stand beside it
    """
    modules = verilog_modules(top)
    parts = {part.module_name: part for part in parts_below_first(top)}
    files = {f"{name}.v": opened(parts[name], text, about) for name, text in modules.items()}
    listed = "".join(f"{name}\n" for name in (*files, *beside) if name.endswith(".v"))
    written = {name: files[f"{name}.v"] for name in modules}
    overview = index({name: parts[name] for name in modules}, written, about=about)
    every = {**files, **beside, FILE_LIST: listed, INDEX: overview}
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

    Parts are the same when their RTLIL texts are: that, not a comparison of parameters, decides
    whether two parts of one name may share a module.
    """
    parts: dict[str, list[Part]] = {}
    for part in dict.fromkeys(parts_below_first(top)):
        parts.setdefault(part.module_name, []).append(part)

    def convert(names: Iterator[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        left = 0
        for name in names:
            found[name] = rtlil_source(parts[name])
            left += len(found[name])
            if left > MANY:
                gc.collect()
                left = 0
        return found

    with collector_paused():
        texts = {name: written(given) for name, given in parts.items() if given[0].is_text}
        # Large modules are at the top, and come first: then both processes end at the same time.
        sources = shared([name for name in reversed(parts) if name not in texts], convert)
        for part in chain.from_iterable(parts.values()):
            # Amaranth warns of those not elaborated here; the other process may have done it.
            part.__dict__["_MustUse__used"] = True
        converted = convert_all(
            {name: sources[name] for name in parts if name in sources},
            {name: sentences_of(given[-1]) for name, given in parts.items()},
        )
        modules = {name: (texts | converted)[name] for name in parts}
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


def rtlil_source(parts: Sequence[Part]) -> str:
    """Return the RTLIL that all parts of one name have; of those that are alike one is made."""
    texts = set()
    for part in different(parts):
        with names_from_source(), without_field_nets(), bits_unchecked(), hinted_nets():
            text = rtlil_of(part)
        text = PLACED.sub(lambda found: f"{KEPT}{found[0]}", text)
        texts.add(MEMORY_CONTENT.sub("", text) if part.garbage_at_power_on else text)
    return the_only(texts, parts[0].module_name)


def rtlil_of(part: Part) -> str:
    """Return Amaranth's RTLIL of a part, whose signals have as many bits as Verilog promises."""
    try:
        text: str = rtlil.convert(part, name=part.module_name, emit_src=False)
    except OverflowError as error:
        bits = re.search(r"(\d+) bits wide", str(error))
        if bits is None:
            raise
        raise DesignError(
            f"signals must have at most {WIDEST:,} bits, as every tool of Verilog takes, got"
            f" {int(bits[1]):,} in {part.module_name}: a chip of fewer copies or smaller parts"
            " can be written"
        ) from None
    return text


def parts_below_first(part: Part) -> Iterator[Part]:
    """Yield every part of the design, each after the parts that it places."""
    for below in part.parts:
        yield from parts_below_first(below)
    yield part


def convert_all(sources: Mapping[str, str], sentences: Mapping[str, Sentences]) -> dict[str, str]:
    """Return the Verilog of every RTLIL source, from two runs of Yosys at a time.

    One run takes as long as one part; the public `verilog.convert` would need a run for each. In
    what order Yosys writes assignments depends on the names that it has read before: what is in a
    run, and in what order, depends on the sources alone.

    sentences: of each part by its name
    """
    # A system's Yosys of another version would write other bytes.
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    with ThreadPoolExecutor() as threads:
        text = "".join(threads.map(run_yosys, halves(list(sources.values()))))
    found: dict[str, str] = dict.fromkeys(sources, HEADER)
    for module in MODULE.finditer(text):
        # A part's own submodules are named after it, "part.submodule", and stand in its file.
        name = module["plain"] or module["escaped"]
        owner = name.partition(".")[0]
        known = sentences[owner] if name == owner else Sentences()
        found[owner] += "\n" + readable(module[0], known)
    return found


def halves(sources: Sequence[str]) -> list[str]:
    """Return sources in two texts of about the same length, or in one if they are short."""
    sizes = list(accumulate(map(len, sources)))
    if sizes[-1] < LONG:
        return ["\n".join(sources)]
    middle = bisect(sizes, sizes[-1] / 2)
    return ["\n".join(sources[:middle]), "\n".join(sources[middle:])]


def run_yosys(source: str) -> str:
    """Return RTLIL as Verilog; its Yosys reserves 4 GiB of addresses, and has a file in memory."""
    removed = " ".join(f"-remove {name}" for name in INTERNAL)
    script = [f"read_rtlil <<rtlil\n{source}\nrtlil", f"attrmap {removed}"]
    script += [f"attrmap -modattr {removed}", *PASSES, "write_verilog -norename"]
    try:
        text: str = find_yosys(lambda _: True).run(
            ["-q", "-"], "\n".join(script), ignore_warnings=True
        )
    except YosysError as error:
        if WITHOUT_FILE.search(str(error)):
            raise WorkerError(
                "Yosys must be allowed files of some megabytes to write Verilog, got a limit of"
                " less: raise it (ulimit -f), or free some space"
            ) from None
        if not WITHOUT_MEMORY.search(str(error)):
            raise
        raise WorkerError(
            "Yosys must have 4 GiB of addresses to write Verilog, got too little memory: raise the"
            " limit (ulimit -v), or free some"
        ) from None
    return text


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
