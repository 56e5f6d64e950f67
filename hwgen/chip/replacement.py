"""A replacement: what stands in the place of a part of the RTL, told in one YAML.

A memory of a compiler, of OpenRAM, or your own. Its file says what its ports are for and how it
behaves; `hwgen.chip.rtl.replaced` makes the module that takes the part's place.

Tests: `tests/physical/test_macros.py`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass as plain_dataclass
from dataclasses import field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.module_ports import module_ports
from hwgen.chip.widths import bits_for_index
from hwgen.errors import ConfigError, FieldError, with_near
from hwgen.files.given import read_given
from hwgen.files.load import EXACT, read_mapping, shortened, validate_spec
from hwgen.files.shipped import file_of, tables

FOLDER = "replacements"
"""Of the replacements that ship."""
GROUP = "hwgen.replacements"
"""Entry points of installed packages: a name, and the path of a replacement's file."""
MOST_BYTES = 1 << 22
"""Of a file of Verilog."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_$]*$", max_length=100)]
"""Of a module or a port in Verilog."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Pin:
    """A control port of a module, and the level at which it acts."""

    name: Name
    active: Literal["high", "low"] = "high"


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Port:
    """A port of a memory: the names of its pins by what they are for.

    kind: r reads, w writes, rw does one of both in a cycle
    clock, edge: when it takes address, data and controls; without a clock a read is combinational
    select: the port rests without it; write: stores, where it is active; mask: a bit for each
        `mask_bits` of a word
    """

    kind: Literal["r", "w", "rw"]
    address: Name
    clock: Name | None = None
    edge: Literal["rising", "falling"] = "rising"
    data_in: Name | None = None
    data_out: Name | None = None
    select: Pin | None = None
    write: Pin | None = None
    mask: Pin | None = None

    @property
    def reads(self) -> bool:
        """Whether it reads."""
        return "r" in self.kind

    @property
    def writes(self) -> bool:
        """Whether it writes."""
        return "w" in self.kind

    @property
    def pins(self) -> Iterator[str]:
        """The names of all pins but the clock."""
        yield self.address
        for name in (self.data_in, self.data_out):
            if name is not None:
                yield name
        for pin in (self.select, self.write, self.mask):
            if pin is not None:
                yield pin.name

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        for name, needed in (("data_in", self.writes), ("data_out", self.reads)):
            if (getattr(self, name) is not None) != needed:
                allowed = f"{'given' if needed else 'left out'} for a port of the kind {self.kind}"
                raise FieldError(name, allowed, getattr(self, name) or "nothing")
        if self.writes and self.clock is None:
            raise FieldError("clock", "given for a port that writes", "nothing")
        if self.kind == "rw" and self.write is None:
            raise FieldError("write", "given for a port of the kind rw", "nothing")
        if self.writes and self.write is None and self.select is None:
            raise FieldError("write or select", "given for a port that writes", "neither")
        if not self.writes and (self.write or self.mask) is not None:
            raise FieldError("write and mask", "left out for a port that only reads", "one of them")
        return self


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Files:
    """Files of a replacement, beside its YAML.

    verilog: for simulation; liberty: its cell, for `hwgen cost`; lef: for a layout
    """

    verilog: Annotated[tuple[str, ...], Field(min_length=1)]
    liberty: str | None = None
    lef: str | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Figures:
    """What one module costs, and where the figures come from.

    read_pj, write_pj: energy of an access to a whole word; what an array computes in a cycle is a
        read
    access_ns: from the clock to the data
    """

    source: str
    area_um2: Positive | None = None
    read_pj: Positive | None = None
    write_pj: Positive | None = None
    leakage_uw: Positive | None = None
    access_ns: Positive | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MemorySpec:
    """A memory that replaces a part.

    module: its name in Verilog; words, bits: of one module
    mask_bits: bits that a bit of a mask lets be written; null: words are written whole
    read_cycles: cycles from the address to its data: 0 for a combinational read, and for one at
        the falling edge of the cycle that gives the address
    read_during_write: what is read of a word in the cycle in which it is written
    holds: data stay until the next read; else they are there for a cycle
    power_on: the content before the first write
    """

    format: Literal["hwgen.replacement"]
    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    module: Name
    words: Annotated[int, Field(ge=2, le=1 << 24)]
    bits: Annotated[int, Field(ge=1, le=1 << 14)]
    mask_bits: Annotated[int, Field(ge=1)] | None
    ports: Annotated[tuple[Port, ...], Field(min_length=1, max_length=8)]
    read_cycles: Annotated[int, Field(ge=0, le=16)]
    read_during_write: Literal["old", "undefined"]
    holds: bool
    power_on: Literal["garbage", "zeros"]
    files: Files
    figures: Figures | None = None

    @property
    def unit(self) -> int:
        """Bits that are written together."""
        return self.mask_bits or self.bits

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.bits % self.unit:
            raise FieldError("mask_bits", f"a divisor of {self.bits} bits", self.mask_bits)
        counted = Counter(name for port in self.ports for name in port.pins)
        # Ports may share their clock, and nothing else.
        counted.update({port.clock for port in self.ports if port.clock is not None})
        for name, times in counted.items():
            if times > 1:
                raise FieldError("ports", "of different names", f"{name} {times} times")
        early = any(port.writes and port.edge == "falling" for port in self.ports)
        for number, port in enumerate(self.ports):
            falls = port.clock is not None and port.edge == "falling"
            if early and port.reads and not falls:
                raise FieldError(
                    f"ports.{number}.edge",
                    "falling, as that of a port that writes: a word would be new half a cycle"
                    " early",
                    "a read that is combinational or at a rising edge",
                )
            if port.writes and (port.mask is not None) != (self.mask_bits is not None):
                needed = "left out without mask_bits" if port.mask else "given with mask_bits"
                raise FieldError(
                    f"ports.{number}.mask", needed, f"{'a' if port.mask else 'no'} pin"
                )
            if port.reads and (port.clock is None) and self.read_cycles:
                raise FieldError(
                    f"ports.{number}.clock",
                    f"given for a read that takes {self.read_cycles} cycles",
                    "nothing",
                )
            rising = port.clock is not None and port.edge == "rising"
            if port.reads and rising and not self.read_cycles:
                raise FieldError(
                    "read_cycles",
                    "at least 1 for a read at a rising edge",
                    "0 cycles from the address",
                )
        return self


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ArraySpec:
    """An array that computes, and replaces a part with all that is in it.

    module: its name in Verilog
    sizes: of one module, by the names that `hwgen info ARCH --parts` has
    parameters: of the Verilog module, each with the size of the part that it gets
    pins: what the module calls the ports of the part
    cycles: from what it is given to what it gives, as the part counts them
    cells: synchronous, if it takes the row that computes at an edge, a cycle before the inputs
    """

    format: Literal["hwgen.replacement"]
    version: Literal[1]
    kind: Literal["array"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    module: Name
    sizes: dict[str, Annotated[int, Field(ge=1, le=1 << 20)]] = field(
        default_factory=dict, hash=False
    )
    parameters: dict[Name, str] = field(default_factory=dict, hash=False)
    pins: dict[str, Name | Pin] = field(hash=False)
    cycles: Annotated[int, Field(ge=1, le=16)]
    cells: Literal["combinational", "synchronous"] = "combinational"
    files: Files
    figures: Figures | None = None

    def pin(self, port: str) -> Pin | None:
        """Return what the module calls a port of the part; None: it does without."""
        found = self.pins.get(port)
        return Pin(name=found) if isinstance(found, str) else found


class Wanted(NamedTuple):
    """A pin that a module must have; field: of the file that names it; why: it has these bits."""

    field: str
    name: str
    direction: str
    bits: int
    why: str = ""


def described(direction: str, bits: int | None) -> str:
    """Return words for a port."""
    if bits is None:
        return direction
    return f"{direction} of {bits} bit{'s' if bits > 1 else ''}"


NO_VALUES: Mapping[str, int] = {}
Spec = TypeVar("Spec", MemorySpec, ArraySpec)
AnySpec = MemorySpec | ArraySpec


@plain_dataclass(frozen=True, kw_only=True)
class Replacement(Generic[Spec]):
    """A replacement that was read: what its file says, and the Verilog that it names.

    sources: text by the name of the file
    """

    file: Path
    spec: Spec
    sources: tuple[tuple[str, str], ...]

    def refuse(self, field: str, allowed: str, given: object) -> ConfigError:
        """Return the sentence about a field of the file."""
        return ConfigError(field=field, allowed=allowed, given=given, source=str(self.file))

    def check_ports(self, pins: Iterable[Wanted], values: Mapping[str, int] = NO_VALUES) -> None:
        """Refuse parameters and pins that the module in Verilog does not have.

        values: of the parameters that an instance sets
        """
        module = self.spec.module
        readable = (module_ports(text, module, values) for _, text in self.sources)
        found = next((ports for ports in readable if ports is not None), None)
        if found is None:
            return
        for name in values:
            if name not in found.parameters:
                allowed = f"a parameter of {module}"
                raise self.refuse(f"parameters.{name}", allowed, with_near(name, found.parameters))
        for pin in pins:
            port = found.ports.get(pin.name)
            if port is None:
                allowed = f"a port of {module}: {', '.join(found.ports)}"
                raise self.refuse(pin.field, allowed, with_near(pin.name, found.ports))
            if port.direction not in (pin.direction, "inout") or port.bits not in (None, pin.bits):
                allowed = f"an {described(pin.direction, pin.bits)}{pin.why}"
                given = f"{pin.name}, an {described(port.direction, port.bits)} in {module}"
                raise self.refuse(pin.field, allowed, given)


@plain_dataclass(frozen=True)
class Replacements:
    """Replacements by the name of the part, and their files.

    A name is that of the module without the family, such as `activation_bank`, with or without the
    sizes that some have: `register_file` stands for those of all sizes.
    """

    of: tuple[tuple[str, "AnyReplacement"], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.of)

    @property
    def sources(self) -> dict[str, str]:
        """The Verilog of all of them by the name of the file."""
        return {name: text for _, one in self.of for name, text in one.sources}


NO_REPLACEMENTS = Replacements()
AnyReplacement = Replacement[MemorySpec] | Replacement[ArraySpec]


def load_replacement(given: Path) -> AnyReplacement:
    """Return the replacement of a YAML file, or of one that ships.

    Errors: ConfigError for each wrong key, a missing file, Verilog without the module
    """
    file = file_of(given, known_replacements(str(given)), what="the replacement")
    content = read_mapping(file)
    if "kind" in content:
        array = validate_spec(ArraySpec, content, source=str(file))
        return Replacement(file=file, spec=array, sources=sources_of(file, array))
    memory = validate_spec(MemorySpec, content, source=str(file))
    found = Replacement(file=file, spec=memory, sources=sources_of(file, memory))
    found.check_ports(memory_pins(memory))
    return found


def sources_of(file: Path, spec: AnySpec) -> tuple[tuple[str, str], ...]:
    """Return the Verilog that a replacement names, its other files seen and its module found."""
    sources = tuple((name, text_of(file, name)) for name in spec.files.verilog)
    for kind in ("liberty", "lef"):
        name = getattr(spec.files, kind)
        if name is not None and not (file.parent / name).is_file():
            raise ConfigError(
                field=f"files.{kind}",
                allowed="a file beside the replacement",
                given=name,
                source=str(file),
            )
    module = rf"^\s*module\s+{re.escape(spec.module)}\b"
    if not any(re.search(module, text, re.M) for _, text in sources):
        raise ConfigError(
            field="module",
            allowed=f"one of {', '.join(spec.files.verilog)}",
            given=f"{spec.module}, which none of them defines",
            source=str(file),
        )
    return sources


def known_replacements(wanted: str = "") -> Mapping[str, Path]:
    """Return the replacements by name: those that ship, and those of installed packages.

    wanted: the only one whose package is imported

    Errors: ConfigError if its package gives no path
    """
    found = {name.partition("/")[2]: path for name, path in tables(FOLDER).items()}
    for entry in entry_points(group=GROUP):
        found[entry.name] = path_of(entry) if entry.name == wanted else Path(entry.value)
    return found


def path_of(entry: EntryPoint) -> Path:
    """Return the file that an installed package names."""
    try:
        path = entry.load()
    except Exception as error:  # of a package that is not ours
        path = f"{type(error).__name__}: {error}"
    if not isinstance(path, Path):
        raise ConfigError(
            field=entry.value,
            allowed="the path of a replacement's file",
            given=shortened(str(path)),
            source=f"installed replacement {entry.name}",
        )
    return path


def text_of(file: Path, name: str) -> str:
    """Return a file of Verilog beside the YAML."""
    content = read_given(
        file.parent / name,
        what=f"files.verilog of {file.name}",
        allowed="a file beside the replacement",
        most_bytes=MOST_BYTES,
        kind=ConfigError,
    )
    return content.decode(errors="replace")


def memory_pins(spec: MemorySpec) -> Iterator[Wanted]:
    """Yield the pins of a memory as its file says that they are."""
    address, units = bits_for_index(spec.words), spec.bits // spec.unit
    for number, port in enumerate(spec.ports):
        at = f"ports.{number}."
        why = f" for {spec.words:,} words"
        yield Wanted(f"{at}address", port.address, "input", address, why)
        named = (
            ("clock", port.clock, "input", 1),
            ("data_in", port.data_in, "input", spec.bits),
            ("data_out", port.data_out, "output", spec.bits),
            ("select", port.select, "input", 1),
            ("write", port.write, "input", 1),
            ("mask", port.mask, "input", units),
        )
        for key, pin, direction, bits in named:
            if pin is not None:
                name = pin.name if isinstance(pin, Pin) else pin
                yield Wanted(f"{at}{key}", name, direction, bits)
