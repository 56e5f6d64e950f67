"""The MRAM architecture: what a config may ask for, and the sizes that follow from it."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.registers import Reset
from hwgen.chip.widths import bits_for_index
from hwgen.errors import FieldError
from hwgen.files.digests import digest_of, used_facts
from hwgen.files.load import EXACT, load_spec
from hwgen.network.quantization import MULTIPLIER_BITS, SIGNIFICANT_BITS

ChipRounding = Literal["half_up", "float32"]
Accumulate = Literal["digital", "in_array"]
Kernels = Literal["window", "any"]
ROUNDINGS: tuple[tuple[ChipRounding, ...], ...] = (("half_up",), ("half_up", "float32"))
"""What lanes of a chip may compute."""
FACTOR_BITS = 22
"""Bits of a factor of an addition on a chip with `float32`."""

WINDOW = 3
"""Rows and columns of the window that a layer with weights reads; smaller kernels have zeros."""
TAPS = WINDOW * WINDOW
BANKS = 4
"""Image banks: input, output and skip map of a layer are in different ones."""
MOST_ROW_SETS = 2
"""Row sets of a kernel at most; a pixel fits a row of a bank, so more are never needed."""
MOST_ENTRIES = 16
"""Segments and blocks of a row at most: entries of a record have four bits for each."""
MOST_MODES = 8
"""Modes of a program at most: entries of the mode table."""
WIDE_CHANNELS = 1024
"""Channels of a pixel at most on a chip of any kernels: its pixels may take several rows."""

MOST_SUB_ARRAYS, MOST_BUILT = 4096, 256
"""Sub-arrays of a chip at most: in the cycle model, and in Verilog."""

OF_NO_CHIP = ("name", "clock_mhz", "memory_latency_cycles")
"""Keys that decide neither the Verilog nor which programs run on it."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ArraySize:
    """One SOT-MRAM sub-array. The image banks have the same size.

    rows: cells of a column
    columns: cells of a row
    """

    rows: Annotated[int, Field(ge=32, le=1024)]
    columns: Annotated[int, Field(ge=32, le=2048)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Arch:
    """An MRAM chip. Sizes are powers of two unless said otherwise.

    format, version: of the file
    name: for people and for the folders of results
    clock_mhz: clock frequency, for constraints, and for times where its netlist is no slower
    sub_arrays: computing sub-arrays of the chip; more than 256 in the cycle model alone
    block: sub-arrays of an octet, channels of a block and lanes of the DPU
    array: see ArraySize
    input_rows: rows of a sub-array, the highest ones, that hold bit planes of inputs (any number)
    element_bits: bits that one element of a map takes in an image bank
    accumulator_bits: width of an accumulator of a segment
    rounding: what the lanes of the DPU compute, `half_up` first: `float32` is the arithmetic of the
        default kernels of LiteRT and of onnxruntime, with wider multipliers
    record_entries: records of all modes together (any number)
    parameter_entries: parameter words of all layers and modes together (any number)
    answer_entries: elements of the answer of one image
    port_bits: width of the memory port
    memory_latency_cycles: cycles from an accepted address to its first beat (any number)
    overlap: sub-arrays have sum registers: the inputs of the next load enter, and the sums of the
        load before leave, while ANDs run; a file may leave it out, and its chip has none
    reset: what reset reaches: `all` registers, or those of `control`, and not the data that they
        guard
    checksum: the chip judges the checksum of a program before LOAD is done; true, if the file
        leaves it out
    twins: the last blocks of a kernel of two row sets may stand twice in the second one, so that an
        AND computes two products of one power of two; a file may leave it out, and they may not
    write_back: each AND is written to the highest input row and read again before its ones are
        counted, as in the seed's first scheme; a file may leave it out, and none is written
    adder: the in-memory adder is built; a file may leave it out, and its chip has it
    accumulate: where counts are added: `digital`, in registers beside the sub-array; `in_array`, in
        rows of it by the in-memory adder, as in the seed. A file may leave it out: `digital`
    kernel_copies: sub-arrays that hold the same kernel and take different positions (n_p of the
        seed), one position at a time each; a sub-array has one kernel of a layer. A file may leave
        it out: then idle sub-arrays and free segments take as many positions as they can
    kernels: what a segment holds: `window`: a block of channels of a window of 3 x 3, with zeros
        around a smaller kernel; `any`: a block of channels at each of nine places, of any taps of a
        kernel. A file may leave it out: `window`
    bank_arrays: sub-arrays as plain memory that an image bank has, which bound the bytes of a map;
        a file may leave it out: one
    weak_sensing: beside each cell of a weight a bit says whether its AND with a row of inputs is
        sensed wrong, so that its Verilog can err as files of effects say; the program brings these
        bits, too. A file may leave it out, and no cell is
    """

    format: Literal["hwgen.mram.architecture"]
    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    clock_mhz: Annotated[float, Field(ge=0.001, le=10000)]
    sub_arrays: Annotated[int, Field(ge=2, le=MOST_SUB_ARRAYS)]
    block: Annotated[int, Field(ge=2, le=16)]
    array: ArraySize
    input_rows: Annotated[int, Field(ge=2, le=64)]
    element_bits: Literal[8, 16]
    accumulator_bits: Literal[32, 48]
    rounding: tuple[ChipRounding, ...]
    record_entries: Annotated[int, Field(ge=4, le=1024)]
    parameter_entries: Annotated[int, Field(ge=4, le=4096)]
    answer_entries: Annotated[int, Field(ge=16, le=4096)]
    port_bits: Literal[64, 128, 256, 512]
    memory_latency_cycles: Annotated[int, Field(ge=1, le=1000)]
    overlap: bool = False
    twins: bool = False
    reset: Reset = "all"
    checksum: bool = True
    write_back: bool = False
    adder: bool = True
    kernel_copies: Annotated[int, Field(ge=0)] = 0
    accumulate: Accumulate = "digital"
    kernels: Kernels = "window"
    weak_sensing: bool = False
    bank_arrays: Annotated[int, Field(ge=1, le=8)] = 1

    @model_validator(mode="after")
    def check_rounding(self) -> Self:
        """Check that the roundings are those of a lane that exists."""
        if self.rounding not in ROUNDINGS:
            allowed = " or ".join(f"[{', '.join(each)}]" for each in ROUNDINGS)
            raise FieldError("rounding", allowed, f"[{', '.join(self.rounding)}]")
        return self

    @model_validator(mode="after")
    def check(self) -> Self:
        """Check sizes that depend on each other."""
        powers = {
            "sub_arrays": self.sub_arrays,
            "block": self.block,
            "array.rows": self.array.rows,
            "array.columns": self.array.columns,
            "answer_entries": self.answer_entries,
            "kernel_copies": self.kernel_copies,
            "bank_arrays": self.bank_arrays,
        }
        for name, value in powers.items():
            if value & (value - 1):
                raise FieldError(name, "a power of two", value)
        at_most = {
            "block": (self.block, self.sub_arrays, "sub_arrays"),
            "kernel_copies": (self.kernel_copies, self.octets, "sub_arrays / block"),
            "input_rows": (self.input_rows, self.array.rows // 2, "array.rows / 2"),
            "port_bits": (self.port_bits, self.array.columns, "array.columns"),
        }
        for name, (value, limit, meaning) in at_most.items():
            if value > limit:
                raise FieldError(name, f"at most {meaning} ({limit})", value)
        if TAPS * self.block > self.array.columns:
            allowed = f"at least {TAPS} * block ({TAPS * self.block})"
            raise FieldError("array.columns", allowed, self.array.columns)
        if self.block * self.element_bits > self.array.columns:
            allowed = f"at least block * element_bits ({self.block * self.element_bits})"
            raise FieldError("array.columns", allowed, self.array.columns)
        for name, value in (("segments", self.segments), ("blocks", self.row_blocks)):
            if value > MOST_ENTRIES:
                allowed = f"at most {MOST_ENTRIES} {name} a row"
                raise FieldError("array.columns", allowed, f"{self.array.columns} ({value})")
        return self

    @model_validator(mode="after")
    def check_options(self) -> Self:
        """Check that no two options need the same port of the sub-arrays."""
        if self.overlap and self.write_back:
            raise FieldError(
                "overlap", "false with write_back, for both write rows beside ANDs", "True"
            )
        if self.weak_sensing and self.twins:
            raise FieldError("twins", "false with weak_sensing", str(self.twins))
        if not self.in_array:
            return self
        needs = {
            "write_back": (self.write_back, "true"),
            "adder": (self.adder, "true"),
            "twins": (not self.twins, "false"),
            "element_bits": (self.element_bits == 8, "8"),
        }
        for name, (kept, allowed) in needs.items():
            if not kept:
                raise FieldError(
                    name, f"{allowed} with accumulate: in_array", str(getattr(self, name))
                )
        return self

    @model_validator(mode="after")
    def check_input_rows(self) -> Self:
        """Check that input rows hold the planes of a map, and what options keep there."""
        if self.plane_rows < self.element_bits:
            least = f"element_bits ({self.element_bits})"
            if more := self.input_rows - self.plane_rows:
                options = "accumulate: in_array" if self.in_array else "write_back"
                rows = self.element_bits + more
                least = f"element_bits + {more} ({rows}) with {options}"
            raise FieldError("input_rows", f"at least {least}", self.input_rows)
        return self

    @property
    def floats(self) -> bool:
        """Whether the lanes round as float32, too."""
        return "float32" in self.rounding

    @property
    def multiplier_bits(self) -> int:
        """Bits of the multiplier of a kernel."""
        return SIGNIFICANT_BITS if self.floats else MULTIPLIER_BITS

    @property
    def factor_bits(self) -> int:
        """Bits of a factor of an addition."""
        return FACTOR_BITS if self.floats else MULTIPLIER_BITS

    @property
    def octets(self) -> int:
        """Groups of `block` sub-arrays with one controller."""
        return self.sub_arrays // self.block

    @property
    def segment_columns(self) -> int:
        """Columns of a segment: `block` channels of a window."""
        return TAPS * self.block

    @property
    def segments(self) -> int:
        """Segments of a row; the columns after them are unused."""
        return self.array.columns // self.segment_columns

    @property
    def input_columns(self) -> int:
        """Columns of all segments: width of the input tree."""
        return self.segments * self.segment_columns

    @property
    def count_bits(self) -> int:
        """Width of a bit count of one segment."""
        return self.segment_columns.bit_length()

    @property
    def weight_rows(self) -> int:
        """Rows of a sub-array that hold weights, from row 0 on."""
        return self.array.rows - self.input_rows

    @property
    def element_bytes(self) -> int:
        """Bytes of one element of a map in a bank and in memory."""
        return self.element_bits // 8

    @property
    def block_bytes(self) -> int:
        """Bytes of one block of a pixel."""
        return self.block * self.element_bytes

    @property
    def plane_rows(self) -> int:
        """Input rows that hold bit planes; with `write_back` the highest one takes ANDs.

        With `accumulate: in_array` those between hold sums and counts.
        """
        sums = self.sum_rows + self.count_rows if self.in_array else 0
        return self.input_rows - self.write_back - sums

    @property
    def in_array(self) -> bool:
        """Whether counts are added in rows of the sub-arrays."""
        return self.accumulate == "in_array"

    @property
    def any_kernel(self) -> bool:
        """Whether kernels of any size fill the places of their segments."""
        return self.kernels == "any"

    @property
    def most_places(self) -> int:
        """Places of a kernel at most: records number its segments."""
        return TAPS * min(MOST_ROW_SETS * self.segments, MOST_ENTRIES)

    @property
    def pixel_blocks(self) -> int:
        """Blocks of a pixel at most, in a bank or in an answer."""
        if self.any_kernel:
            return max(self.row_blocks, WIDE_CHANNELS // self.block)
        return self.row_blocks

    @property
    def result_blocks(self) -> int:
        """Blocks of one output position that the DPU counts in a record at most."""
        return max(self.octets, self.pixel_blocks)

    @property
    def sum_rows(self) -> int:
        """Rows of a sum in two's complement, with `accumulate: in_array`.

        They hold every sum of weights and maps of `element_bits`; with more bits a compiler checks.
        """
        columns = MOST_ROW_SETS * self.input_columns
        return 2 * self.element_bits + columns.bit_length()

    @property
    def count_rows(self) -> int:
        """Rows of a count of all segments, and of its sign, with `accumulate: in_array`."""
        return self.input_columns.bit_length() + 1

    @property
    def sum_bits(self) -> int:
        """Bits of a sum of a load, in registers or in rows."""
        return self.sum_rows if self.in_array else self.accumulator_bits

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a bank."""
        return self.array.columns // 8

    @property
    def row_blocks(self) -> int:
        """Blocks of a row of a bank: blocks of the largest pixel of a window, and most pixels."""
        return self.row_bytes // self.block_bytes

    @property
    def bank_bytes(self) -> int:
        """Bytes of an image bank: the largest map."""
        return self.bank_rows * self.row_bytes

    @property
    def bank_rows(self) -> int:
        """Rows of an image bank."""
        return self.bank_arrays * self.array.rows

    @property
    def answer_bits(self) -> int:
        """Bits of an element of the answer in memory."""
        return 32 if self.accumulator_bits <= 32 else 64

    @property
    def port_bytes(self) -> int:
        """Bytes of one beat of the memory port."""
        return self.port_bits // 8

    @property
    def row_beats(self) -> int:
        """Beats of a row of a sub-array or a bank."""
        return self.array.columns // self.port_bits

    @property
    def row_index_bits(self) -> int:
        """Width of the number of a row of a sub-array."""
        return bits_for_index(self.array.rows)

    @property
    def bank_row_bits(self) -> int:
        """Width of the number of a row of an image bank."""
        return bits_for_index(self.bank_rows)

    @property
    def resets_data(self) -> bool:
        """Whether reset reaches the registers of data, too."""
        return self.reset == "all"

    @property
    def digest(self) -> str:
        """sha256 over what decides the Verilog and which programs run on it, 64 hex digits.

        `OF_NO_CHIP` are left out, and so are options that a chip does not use.
        """
        return digest_of(used_facts(self, without=OF_NO_CHIP))

    @property
    def id_word(self) -> int:
        """First 32 bits of the digest: the ID register, and the check in a program."""
        return int(self.digest[:8], 16)


def load_arch(path: Path) -> Arch:
    """Return the architecture in a complete YAML file."""
    return load_spec(Arch, path)


def most_modes(arch: Arch) -> int:
    """Return how many modes of a network fit into one program."""
    return min(MOST_MODES, arch.record_entries)
