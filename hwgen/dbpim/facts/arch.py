"""The DB-PIM architecture: what a config may ask for, and the sizes that follow from it."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.axi import BURST_BEATS
from hwgen.chip.registers import Reset
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.instructions import (
    FACTOR_BITS,
    MOST_CORES,
    MOST_PAIRED_COLUMNS,
    NARROW,
    Packets,
    Widths,
    packets,
)
from hwgen.dbpim.facts.timing import (
    FLOAT32_CYCLES,
    PAIR_WORDS,
    REQUANTIZE_CYCLES,
    SIMD_CYCLES,
    SUM_CYCLES,
    TABLE_LOOKUPS,
    TAP_WORDS,
    macro_cycles,
)
from hwgen.errors import ConfigError, FieldError, with_near
from hwgen.files.digests import digest_of, used_facts
from hwgen.files.load import EXACT, first_mistake, load_spec
from hwgen.network.quantization import (
    MULTIPLIER_BITS,
    SIGNED_BITS,
    SIGNIFICANT_BITS,
    Rounding,
)
from hwgen.network.sparsity import PHI_LIMIT

ACTIVATION_BITS = 8
WEIGHT_BITS = 8
ACCUMULATOR_BITS = 32
ChipRounding = Literal["half_up", "float32"]
ROUNDINGS: tuple[tuple[ChipRounding, ...], ...] = (("half_up",), ("half_up", "float32"))
"""What requantizers of a chip may compute."""

SWITCHES = ("weight_bits", "weight_values", "input_bits")

PARTS_ALONE = ("switch_rate", "queue_depth", "mask_bytes", "packed_weights", "one_digit")
"""Keys that mean nothing to a chip without `sparse_parts`."""

OF_NO_CHIP = ("name", "clock_mhz", "memory_latency_cycles")
"""Keys that decide neither the Verilog nor which programs run on it."""

MOST_MACROS = 16
MOST_GROUPS = 16
"""Largest `macros_per_core` and `queue_depth`: the tables of the cycle model have as much room."""

MOST_PIXEL_LANES = 4
"""Packed pixels that a LOAD passes in a cycle, however many words the bus takes."""

MOST_BUFFER_BYTES = 1 << 20
"""Largest `buffer_bytes`."""

MOST_ROW_LANES, MOST_ROW_COMPARTMENTS = 8, 16
"""Largest `row_unit.lanes`, and compartments beside a row unit: no larger ones are checked."""

LIKELY_BIT_PLANES = 5
"""Non-zero bit planes, of 8, that the compiler assumes of a group of inputs after a ReLU."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Sparsity:
    """What the chip skips; all off is the dense baseline from the same generator.

    weight_bits: zero CSD digits; a filter takes 2 cell columns instead of one for each bit
    weight_values: pruned blocks of 8 filters
    input_bits: bit planes that are zero in all inputs of a group
    """

    weight_bits: bool
    weight_values: bool
    input_bits: bool


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MacroSize:
    """One SRAM macro: `compartments` x `columns` DBMUs of `rows` cells each.

    compartments: inputs that meet a row at once: those of a group
    columns: cell columns of a compartment; a filter takes 2, or `weight_bits` of the macro without
        `sparsity.weight_bits`; a macro has at most as many filters as a word has channels
    rows: rows of cells, of which one is active in a cycle
    weight_bits: of a weight, 8 if the file leaves it out; 4: weights of -8 to 7, with half of the
        columns, of the bits of a term in the adder trees and of the bytes of rows in memory. Not
        with `sparsity.weight_bits`, `one_digit` or a row unit; weights of depthwise layers, which
        the SIMD unit computes, keep 8 bits
    """

    compartments: Annotated[int, Field(ge=4, le=64)]
    columns: Literal[8, 16, 32, 64, 128]
    rows: Annotated[int, Field(ge=2, le=256)]
    weight_bits: Literal[4, 8] = 8


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RowUnit:
    """What a core has for layers of transformers: products of two maps, rows of a pixel.

    Its SIMD unit has at least as many lanes as a macro has compartments, which are 16 at most.

    lanes: of the unit that reads a whole pixel before it writes one, macros_per_core: one a
        position of a vector
    """

    lanes: Annotated[int, Field(ge=1, le=MOST_ROW_LANES)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Arch:
    """A DB-PIM chip. Sizes are powers of two unless said otherwise.

    format, version: of the file
    name: for people and for the folders of results
    clock_mhz: clock frequency, for constraints, and for times where its netlist is no slower
    cores, macros_per_core: macros of a core hold the same weights and compute other positions
    tile_rows: rows of a weight tile at most, up to rows / 2
    switch_rate: selected inputs that a sparse-allocation switch moves in a cycle
    queue_depth: groups in the queues of a core, the one being computed included (any number)
    buffer_bytes: activation buffer of a core, all banks together
    psum_entries: output positions whose partial sums a core holds
    mask_bytes: mask register file of a core
    simd_lanes: bytes of a position vector that the SIMD unit of a core handles in a cycle, up to
        macros_per_core * compartments
    lanes_per_requantizer: SIMD lanes that take turns at one requantizer, up to simd_lanes: a part
        of a last tap takes as many cycles there, while other taps go on
    bus_words: words that the write bus takes in a cycle, up to macros_per_core
    logit_entries: classes that the head may have at most
    port_bits: width of the memory port
    memory_latency_cycles: cycles from an accepted address to its first beat (any number)
    read_ahead_beats: beats that the memory reader holds or has requested; at the full rate of the
        port it needs memory_latency_cycles and a burst of 16 beats more
    packed_weights: three weights may take 19 bits of the stream, with `weight_bits`
    one_digit: `coded`: a weight takes 4 bits of the stream where no filter of its tile has more
        than one digit, with `packed_weights`; `paired`: two groups of such filters may share rows
        as well, each in a cell column of its own, with `weight_bits`; `none`, if the file leaves
        it out
    rounding: what the requantizers compute, `half_up` first: `float32` is the arithmetic of the
        default kernels of LiteRT and of onnxruntime, with wider multipliers
    input_streams: own: each core reads its slice of the maps; shared: as the paper has it, all
        cores compute other filters of the words of one stream. Core 0 reads it, and the chip has
        one buffer of buffer_bytes and one SIMD unit, which adds maps as well
    macro, sparsity: see MacroSize and Sparsity
    array_cycles: from the registered bit plane to the sums of its row, 1 if the file leaves it out;
        with 2 the terms of the DBMUs are registered before the adder trees
    reset: what reset reaches: `all` registers, if the file leaves it out, or those of `control`,
        and not the data that they guard
    checksum: the chip judges the checksum of a program before a run is done; true, if the file
        leaves it out
    cells: how cell arrays and metadata of a macro are read: `combinational`, if the file leaves it
        out, or `synchronous`, at the clock's edge, as SRAMs and block RAMs are
    simd_tflite: the requantizers of the SIMD units round as `tflite` too, with multipliers of 31
        bits, and there are squared differences, as LiteRT computes both; false, if the file leaves
        it out
    simd_taps: taps of a depthwise convolution at most that a SIMD unit computes, 32, if the file
        leaves it out, or 64: a larger window takes the macros, as filters that weigh other
        channels 0
    row_unit: see RowUnit; a file may leave it out, and its chip has none
    sparse_parts: true, if the file leaves it out; false: a dense chip without the parts that
        sparsity needs. A word of the buffers meets a row of weights as it is: there is no switch,
        no mask, no queue of groups, no detection of zero bit planes, no sign or index of a digit.
        All of `sparsity` is off, and `switch_rate`, `queue_depth`, `mask_bytes`, `packed_weights`
        and `one_digit` mean nothing
    word_channels: channels of a word of the buffers, if fewer than the compartments, whose inputs
        the switch gathers from several words; a file may leave it out. Not with a row unit, a
        shared stream or without `sparse_parts`
    """

    format: Literal["hwgen.dbpim.architecture"]
    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    clock_mhz: Annotated[float, Field(ge=0.001, le=10000)]
    cores: Annotated[int, Field(ge=1, le=MOST_CORES)]
    macros_per_core: Annotated[int, Field(ge=1, le=MOST_MACROS)]
    macro: MacroSize
    tile_rows: Annotated[int, Field(ge=1, le=128)]
    switch_rate: Annotated[int, Field(ge=1, le=16)]
    queue_depth: Annotated[int, Field(ge=1, le=MOST_GROUPS)]
    buffer_bytes: Annotated[int, Field(ge=64, le=MOST_BUFFER_BYTES)]
    psum_entries: Annotated[int, Field(ge=1, le=1024)]
    mask_bytes: Annotated[int, Field(ge=4, le=4096)]
    simd_lanes: Annotated[int, Field(ge=1, le=256)]
    lanes_per_requantizer: Annotated[int, Field(ge=1, le=16)]
    bus_words: Annotated[int, Field(ge=1, le=MOST_MACROS)]
    logit_entries: Annotated[int, Field(ge=16, le=4096)]
    port_bits: Literal[64, 128, 256, 512]
    memory_latency_cycles: Annotated[int, Field(ge=1, le=1000)]
    read_ahead_beats: Annotated[int, Field(ge=BURST_BEATS, le=1024)]
    packed_weights: bool
    rounding: tuple[ChipRounding, ...]
    input_streams: Literal["own", "shared"]
    sparsity: Sparsity
    array_cycles: Literal[1, 2] = 1
    reset: Reset = "all"
    checksum: bool = True
    cells: Literal["combinational", "synchronous"] = "combinational"
    row_unit: RowUnit | None = None
    one_digit: Literal["none", "coded", "paired"] = "none"
    sparse_parts: bool = True
    word_channels: Annotated[int, Field(ge=4, le=64)] | None = None
    simd_tflite: bool = False
    simd_taps: Annotated[int, Field(ge=TAP_WORDS, le=2 * TAP_WORDS)] = TAP_WORDS

    @model_validator(mode="after")
    def check(self) -> Self:
        """Check sizes that depend on each other."""
        powers = {
            "cores": self.cores,
            "macros_per_core": self.macros_per_core,
            "macro.compartments": self.macro.compartments,
            "macro.rows": self.macro.rows,
            "tile_rows": self.tile_rows,
            "switch_rate": self.switch_rate,
            "buffer_bytes": self.buffer_bytes,
            "psum_entries": self.psum_entries,
            "mask_bytes": self.mask_bytes,
            "simd_lanes": self.simd_lanes,
            "simd_taps": self.simd_taps,
            "lanes_per_requantizer": self.lanes_per_requantizer,
            "bus_words": self.bus_words,
            "logit_entries": self.logit_entries,
            "read_ahead_beats": self.read_ahead_beats,
        }
        if self.rounding not in ROUNDINGS:
            allowed = " or ".join(f"[{', '.join(each)}]" for each in ROUNDINGS)
            raise FieldError("rounding", allowed, f"[{', '.join(self.rounding)}]")
        if self.row_unit is not None:
            powers["row_unit.lanes"] = self.row_unit.lanes
        for name, value in powers.items():
            if value & (value - 1):
                raise FieldError(name, "a power of two", value)
        name_of_word = "word_channels" if self.word_channels else "macro.compartments"
        at_most = {
            "tile_rows": (self.tile_rows, self.macro.rows // 2, "macro.rows / 2"),
            "word_channels": (self.word, self.macro.compartments, "macro.compartments"),
            "switch_rate": (self.switch_rate, self.word, name_of_word),
            "simd_lanes": (
                self.simd_lanes,
                self.macros_per_core * self.word,
                f"macros_per_core * {name_of_word}",
            ),
            "lanes_per_requantizer": (self.lanes_per_requantizer, self.simd_lanes, "simd_lanes"),
            "bus_words": (self.bus_words, self.macros_per_core, "macros_per_core"),
            "macro.columns": (
                self.macro.columns,
                self.columns_per_filter * self.word,
                f"{self.columns_per_filter} * {name_of_word}",
            ),
        }
        at_least = {
            "psum_entries": (self.psum_entries, self.macros_per_core, "macros_per_core"),
            "mask_bytes": (
                8 * self.mask_bytes,
                4 * self.macro.compartments * self.tile_rows,
                "macro.compartments * tile_rows / 2",
            ),
            "logit_entries": (self.logit_entries, self.macro.columns // PHI_LIMIT, "columns / 2"),
            "buffer_bytes": (
                self.buffer_bytes,
                2 * self.macros_per_core * self.word,
                f"2 * macros_per_core * {name_of_word}",
            ),
        }
        if self.row_unit is not None:
            lanes = self.row_unit.lanes
            at_most["row_unit.lanes"] = (lanes, self.macros_per_core, "macros_per_core")
            at_most["macro.compartments"] = (
                self.macro.compartments,
                MOST_ROW_COMPARTMENTS,
                "those beside a row unit",
            )
            at_least["row_unit.lanes"] = (lanes, self.macros_per_core, "macros_per_core")
            at_least["simd_lanes"] = (
                self.simd_lanes,
                self.macro.compartments,
                "macro.compartments",
            )
        for name, (value, limit, meaning) in at_most.items():
            if value > limit:
                raise FieldError(name, f"at most {meaning} ({limit})", value)
        for name, (value, limit, meaning) in at_least.items():
            if value < limit:
                raise FieldError(name, f"at least {meaning}", getattr(self, name, value))
        return self

    @model_validator(mode="after")
    def check_pairs(self) -> Self:
        """Check what two groups of filters in one tile need."""
        if self.one_digit == "paired":
            if self.psum_entries < 2 * self.macros_per_core:
                allowed = "at least 2 * macros_per_core with one_digit of paired"
                raise FieldError("psum_entries", allowed, self.psum_entries)
            if self.macro.columns > MOST_PAIRED_COLUMNS:
                allowed = f"at most {MOST_PAIRED_COLUMNS} with one_digit of paired"
                raise FieldError("macro.columns", allowed, self.macro.columns)
        return self

    @model_validator(mode="after")
    def check_weights(self) -> Self:
        """Check that cells of weights of fewer bits are asked for nothing that needs eight."""
        if self.macro.weight_bits == WEIGHT_BITS:
            return self
        whole = {
            "sparsity.weight_bits": self.sparsity.weight_bits,
            f"one_digit of {self.one_digit}": self.one_digit != "none",
            "a row_unit": self.row_unit is not None,
        }
        for name, given in whole.items():
            if given:
                raise FieldError(
                    "macro.weight_bits", f"{WEIGHT_BITS} with {name}", self.macro.weight_bits
                )
        return self

    @model_validator(mode="after")
    def check_dense(self) -> Self:
        """Check that a chip without the parts for sparsity is asked for none."""
        if self.sparse_parts:
            return self
        for name in SWITCHES:
            if getattr(self.sparsity, name):
                raise FieldError(f"sparsity.{name}", "false without sparse_parts", True)
        if self.shares_stream:
            raise FieldError("input_streams", "own without sparse_parts", self.input_streams)
        return self

    @model_validator(mode="after")
    def check_tflite(self) -> Self:
        """Check that the layers that round as LiteRT have the units beside them."""
        if self.simd_tflite and self.row_unit is None:
            raise FieldError("simd_tflite", "false without a row_unit", True)
        return self

    @model_validator(mode="after")
    def check_words(self) -> Self:
        """Check words of fewer channels than a macro has compartments."""
        width = self.word_channels
        if width is None:
            return self
        if width & (width - 1):
            raise FieldError("word_channels", "a power of two", width)
        excluded = {
            "a row unit": self.row_unit is not None,
            "input_streams of shared": self.shares_stream,
            "sparse_parts of false": not self.sparse_parts,
        }
        for name, given in excluded.items():
            if given:
                raise FieldError("word_channels", f"absent with {name}", width)
        return self

    @property
    def widths(self) -> Widths:
        """Bits of the fields of packets that are wider on a large chip."""
        narrow, size = NARROW, self.macro
        return Widths(
            cores=max(narrow.cores, self.cores),
            tile_rows=max(narrow.tile_rows, self.tile_rows.bit_length()),
            turn=max(narrow.turn, bits_for_index(self.macros_per_core)),
            filter_enable=max(narrow.filter_enable, size.columns),
            word_bytes=max(narrow.word_bytes, self.word.bit_length()),
            rotate=max(narrow.rotate, bits_for_index(self.word)),
            multiplier=SIGNED_BITS if self.simd_tflite else narrow.multiplier,
        )

    @property
    def packets(self) -> Packets:
        """Fields of each packet of the chip's programs."""
        return packets(self.widths)

    @property
    def columns_per_filter(self) -> int:
        """Cell columns that a filter takes: two CSD digits, or the bits of a weight."""
        return PHI_LIMIT if self.sparsity.weight_bits else self.macro.weight_bits

    @property
    def filters(self) -> int:
        """Filters that a core computes at a time (one filter group)."""
        return self.macro.columns // self.columns_per_filter

    @property
    def pairs(self) -> bool:
        """Whether two filter groups of one digit may share rows."""
        return self.one_digit == "paired" and self.sparsity.weight_bits

    @property
    def sums(self) -> int:
        """Filters whose sums a macro makes at a time at most."""
        return 2 * self.filters if self.pairs else self.filters

    @property
    def unpacks(self) -> bool:
        """Whether the chip has a decoder of packed rows."""
        return self.packed_weights and self.sparsity.weight_bits

    @property
    def shares_stream(self) -> bool:
        """Whether all cores compute with the words of one stream."""
        return self.input_streams == "shared"

    @property
    def simd_units(self) -> int:
        """Activation buffers, each with a SIMD unit: one a core, or one for a shared stream."""
        return 1 if self.shares_stream else self.cores

    @property
    def banks(self) -> int:
        """Banks of an activation buffer: one for each macro."""
        return self.macros_per_core

    @property
    def word(self) -> int:
        """Channels of one pixel in a word of the buffers: compartments, unless there are fewer."""
        return self.word_channels or self.macro.compartments

    @property
    def bank_words(self) -> int:
        """Words of one bank; a word is `word` channels of one pixel."""
        return self.buffer_bytes // (self.banks * self.word)

    @property
    def bank_address_bits(self) -> int:
        """Width of a word address within a bank."""
        return bits_for_index(self.bank_words)

    @property
    def psum_vectors(self) -> int:
        """Partial sums that one macro holds; a vector is one position for each macro of a core."""
        return self.psum_entries // self.macros_per_core

    @property
    def mask_words(self) -> int:
        """Words of `word` mask bits in the mask register file of a core, if it has one."""
        return 8 * self.mask_bytes // self.word if self.sparse_parts else 0

    @property
    def groups_queued(self) -> int:
        """Groups in the queue of a macro; 0: it takes its inputs from the fetcher."""
        return self.queue_depth if self.sparse_parts else 0

    @property
    def simd_parts(self) -> int:
        """Cycles that the SIMD unit takes for one channel word of a position vector."""
        return self.macros_per_core * self.word // self.simd_lanes

    @property
    def simd_requantizers(self) -> int:
        """Requantizers of the SIMD unit of a core."""
        return self.simd_lanes // self.lanes_per_requantizer

    @property
    def table_turns(self) -> int:
        """Turns of the lanes that look up at their requantizers, in one part of a TABLE."""
        return max(1, self.table_lookups // self.simd_requantizers)

    @property
    def multiplier_bits(self) -> int:
        """Bits of the multiplier of a filter, a channel or a SIMD operation."""
        return SIGNIFICANT_BITS if "float32" in self.rounding else MULTIPLIER_BITS

    @property
    def simd_roundings(self) -> tuple[Rounding, ...]:
        """Roundings of the requantizers of the SIMD units, and so of layers of one or two maps."""
        return (*self.rounding, "tflite") if self.simd_tflite else self.rounding

    @property
    def simd_multiplier_bits(self) -> int:
        """Bits of the multiplier of a SIMD operation, DEPTHWISE aside."""
        return SIGNED_BITS if self.simd_tflite else self.multiplier_bits

    @property
    def lane_factor_bits(self) -> int:
        """Bits of what multiplies a byte in a SIMD lane, without its sign."""
        return SIGNED_BITS if self.simd_tflite else self.factor_bits

    @property
    def factor_bits(self) -> int:
        """Bits of a factor of an addition."""
        return FACTOR_BITS if "float32" in self.rounding else MULTIPLIER_BITS

    @property
    def float32_cycles(self) -> int:
        """Stages of a requantizer beside its first one."""
        return FLOAT32_CYCLES if "float32" in self.rounding else 0

    @property
    def requantize_cycles(self) -> int:
        """Output stage: from taking a result to requesting the write bus."""
        return REQUANTIZE_CYCLES + self.float32_cycles

    @property
    def sum_cycles(self) -> int:
        """Residual adder: from a result of the output stage to the request of its sum."""
        return SUM_CYCLES + self.float32_cycles

    @property
    def simd_cycles(self) -> int:
        """SIMD unit: from the last part of the last tap to the request of its result."""
        return SIMD_CYCLES + self.float32_cycles

    @property
    def macro_cycles(self) -> int:
        """From issuing the last bit plane of a result to its entry in the result queue."""
        return macro_cycles(self.array_cycles)

    @property
    def reads_at_edge(self) -> bool:
        """Whether a row of cells is read at the clock's edge, given a cycle early."""
        return self.cells == "synchronous"

    @property
    def row_lanes(self) -> int:
        """Positions of a vector that the row unit of a core computes at a time; 0: it has none."""
        return self.row_unit.lanes if self.row_unit else 0

    @property
    def table_lookups(self) -> int:
        """Table lookups of a core in a cycle."""
        return min(TABLE_LOOKUPS, self.simd_lanes)

    @property
    def port_bytes(self) -> int:
        """Bytes of one beat of the memory port."""
        return self.port_bits // 8

    @property
    def pixel_lanes(self) -> int:
        """Pixels of a map in packed pixels that a LOAD passes in a cycle.

        Each one hangs on the one before: through more of them this were the slowest path of a chip.
        """
        return min(self.bus_words, MOST_PIXEL_LANES)

    @property
    def pair_words(self) -> int:
        """Words that a LOAD of whole words holds for odd columns, and for even ones; 0: none.

        With them it writes two words in a cycle, of pixels that lie in different lanes of the bus.
        Chips with a row unit have them: their products read whole maps from memory.
        """
        two_a_beat = self.bus_words > 1 and self.port_bytes >= 2 * self.word
        return PAIR_WORDS if two_a_beat and self.row_unit else 0

    @property
    def bank_skew(self) -> int:
        """Factor k in bank = (x + k * y) mod banks: neighbours in x and in y differ."""
        return max(1, self.banks // 2)

    @property
    def resets_data(self) -> bool:
        """Whether reset reaches the registers of data, too."""
        return self.reset == "all"

    @property
    def digest(self) -> str:
        """sha256 over what decides the Verilog and which programs run on it, 64 hex digits.

        `OF_NO_CHIP` are left out, and so are keys with the value that a file without them has;
        without `sparse_parts` those of `PARTS_ALONE` are left out, too. The latency may lead the
        compiler to another split of a layer, because the cycle model judges the splits; each of
        these programs runs on every chip of the digest and gives the same answer.
        """
        alone = () if self.sparse_parts else PARTS_ALONE
        return digest_of(used_facts(self, without={*OF_NO_CHIP, *alone}))

    @property
    def id_word(self) -> int:
        """First 32 bits of the digest: the ID register, and the check in a program."""
        return int(self.digest[:8], 16)


def load_arch(path: Path) -> Arch:
    """Return the architecture in a complete YAML file."""
    return load_spec(Arch, path)


def with_sparsity(arch: Arch, switches: str) -> Arch:
    """Return `arch` with exactly the named switches on: `weight_bits,input_bits`, `all`, `none`."""
    names = {"all": set(SWITCHES), "none": set()}.get(switches, set(switches.split(",")))
    unknown = names - set(SWITCHES)
    if unknown:
        raise ConfigError(
            field="--sparsity",
            allowed=f"all, none or some of {', '.join(SWITCHES)}",
            given=with_near(min(unknown), ("all", "none", *SWITCHES)) or "an empty name",
            source="command line",
        )
    if names and not arch.sparse_parts:
        raise ConfigError(
            field="--sparsity",
            allowed=f"none: {arch.name} has no parts for sparsity",
            given=switches,
            source="command line",
        )
    try:
        return replace(arch, sparsity=Sparsity(**{name: name in names for name in SWITCHES}))
    except ValidationError as error:
        raise first_mistake(error, f"{arch.name} with --sparsity {switches}") from None
