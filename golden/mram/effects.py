"""Sums of MRAM sub-arrays whose cells err, exact in integers for a file of effects and a seed.

A cell whose write failed holds the other bit. A weak cell of a weight has each AND with a row of
inputs sensed wrong. So with weight planes n of signs s and input planes m a column adds

    sum over m, n of s(n) * 2^(m+n) * (AND(cell(n), input(m)) xor weak(n))
        = input * sum over n of s(n) * 2^n * cell(n) * (1 - 2 * weak(n))
          + (2^planes - 1) * sum over n of s(n) * 2^n * weak(n)

to the sum of its kernel; segments of a record that are not active add nothing. Which cells a sum
meets is the program's to say: the row sets, segments, octets and groups of octets of its records.
Rows of inputs, and of ANDs, counts and sums on chips that write them, are taken as written well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.network import accumulate
from hwgen.chip.effects import DeviceEffects, check_taken
from hwgen.chip.program_checksum import sealed
from hwgen.errors import ConfigError, FamilyError
from hwgen.mram.facts.arch import TAPS, WINDOW, Arch
from hwgen.mram.facts.program import Program, StepPlan
from hwgen.mram.facts.records import CHECKSUM_BYTE, entry_name
from hwgen.mram.facts.stream import decode_program
from hwgen.network import Conv, Linear, QuantizedNetwork

TAKEN = ("cells.failed_writes", "cells.weak_sensing")
FAILED, WEAK = 0, 1
"""What is drawn of a row, in the seed of its draws."""

Ints = NDArray[np.int64]
Bits = NDArray[np.bool_]
Fields = Mapping[str, int]


class Held(NamedTuple):
    """Rows of weights as they came to be, (rows, sub_arrays, columns) each.

    cells: what they hold; weak: whose ANDs are sensed wrong
    """

    cells: Bits
    weak: Bits


@dataclass
class ErringArrays:
    """All sub-arrays of a chip with a program.

    seed: of all draws; each row of weights has draws of its own
    """

    network: QuantizedNetwork
    arch: Arch
    effects: DeviceEffects
    seed: int
    program: Program

    def __post_init__(self) -> None:
        """Draw what errs, and remember where each layer stands."""
        check_taken(self.effects, TAKEN, "mram")
        if self.arch.twins:
            raise FamilyError("chips of the family mram cannot err with twins yet")
        content = decode_program(self.program.image, self.arch, source="program")
        self._records = content.records
        failed = self._drawn(FAILED, self.effects.cells.failed_writes, len(content.weights))
        weak = self._drawn(WEAK, self.effects.cells.weak_sensing, len(content.weights))
        self._held = Held(content.weights ^ failed, weak)
        self._exact = Held(content.weights, np.zeros_like(weak))
        self._checked: set[tuple[str, int]] = set()

    def cells_written(self) -> tuple[int, str]:
        """Return the cells that a load writes, and what a load is called."""
        return self._held.cells.size, "a load of the program"

    def loaded(self) -> Program:
        """Return the program whose rows of weights hold what failed writes leave, and who is weak.

        Raises ConfigError for cells that are sensed wrong on a chip without `weak_sensing`.
        """
        if self._held.weak.any() and not self.arch.weak_sensing:
            raise ConfigError(
                field="weak_sensing",
                allowed="true, so that cells can be sensed wrong",
                given=f"{self.arch.weak_sensing}",
                source=self.arch.name,
            )
        found = [self._held.cells, *([self._held.weak] if self.arch.weak_sensing else [])]
        rows = np.packbits(np.stack(found), axis=None, bitorder="little")
        image = self.program.image.copy()
        image[len(image) - len(rows) :] = rows
        return replace(self.program, image=sealed(image, CHECKSUM_BYTE))

    def _drawn(self, what: int, share: float, rows: int) -> NDArray[np.bool_]:
        """Return which cells of the rows of weights err: (rows, sub_arrays, columns)."""
        shape = self.arch.sub_arrays, self.arch.array.columns
        return np.stack(
            [
                np.random.default_rng((self.seed, what, row)).random(shape) < share
                for row in range(rows)
            ]
        )

    def __call__(
        self, network: QuantizedNetwork, layer: Conv | Linear, maps: NDArray[Any], mode: int
    ) -> Ints:
        """Return the sums of a layer, (images, height, width, channels), as `accumulate` does."""
        steps = list(self._steps(layer.name, mode))
        if (layer.name, mode) not in self._checked:
            exact = accumulate(network, layer, maps[:1], mode=mode)
            if not np.array_equal(exact, self._layer(layer, steps, maps[:1], mode, self._exact)):
                raise FamilyError(f"the sums of layer {layer.name} do not follow from the records")
            self._checked.add((layer.name, mode))
        return self._layer(layer, steps, maps, mode, self._held)

    def _steps(self, name: str, mode: int) -> Iterator[StepPlan]:
        """Yield the records that compute a layer."""
        for step in self.program.facts.modes[mode].steps:
            if step.kind == "conv" and name in (step.layer, *step.fused):
                yield step

    def _layer(
        self,
        layer: Conv | Linear,
        steps: Sequence[StepPlan],
        maps: NDArray[Any],
        mode: int,
        held: Held,
    ) -> Ints:
        """Return the sums of a layer with its bias, whose kernels are those of its records."""
        bias = self.network.parameters[layer.name].bias[mode]
        height, width = layer.output.height, layer.output.width
        channels = layer.output.channels_in(mode)
        sums = np.zeros((len(maps), height * width, channels), np.int64)
        for step in steps:
            fields = self._records[step.record]
            windows = self._windows(fields, self._stored(fields, step, maps, mode))
            first = fields["out_block"] * self.arch.block
            sums[..., first : first + fields["kernels"]] = self._record(fields, windows, held)
        whole: Ints = sums.reshape(len(maps), height, width, channels) + bias[:channels]
        return whole

    def _stored(self, fields: Fields, step: StepPlan, maps: NDArray[Any], mode: int) -> Ints:
        """Return maps as a record reads them from a bank: (images, height, width, elements)."""
        source = [
            one.output
            for one in self.program.facts.modes[mode].steps
            if one.output is not None and one.layer == step.inputs[0]
        ]
        blocks = source[0].pixel_blocks if source else self.program.facts.image.pixel_blocks
        elements = blocks * self.arch.block
        images, height, width, channels = maps.shape
        whole = np.zeros((images, height, width, elements), np.int64)
        whole[..., :channels] = maps
        shape = (
            fields["in_height"],
            fields["in_width"],
            self.arch.block << fields["in_blocks_log"],
        )
        flat = whole.reshape(images, -1)[:, : int(np.prod(shape))]
        flat = np.pad(flat, ((0, 0), (0, int(np.prod(shape)) - flat.shape[1])))
        found: Ints = flat.reshape(images, *shape)
        return found

    def _windows(self, fields: Fields, stored: Ints) -> Ints:
        """Return the windows of all positions: (images, positions, 3, 3, elements).

        Of a kernel that fills its segments they are its places: nine blocks for each segment.
        """
        if fields.get("walk", 0):
            return self._places(fields, stored)
        position = np.arange(fields["out_height"] * fields["out_width"])
        return self._seen(fields, stored, position, np.arange(WINDOW), np.arange(WINDOW))

    def _places(self, fields: Fields, stored: Ints) -> Ints:
        """Return the blocks of all taps, one place after the other, nine a segment."""
        position = np.arange(fields["out_height"] * fields["out_width"])
        rows, columns = np.arange(fields["kernel_height"]), np.arange(fields["kernel_width"])
        row = self.arch.row_blocks * self.arch.block
        stored = stored[..., fields["first_row"] * row :]
        seen = self._seen(fields, stored, position, rows, columns)
        if fields["depthwise"]:
            taps = seen.reshape(*seen.shape[:2], -1, seen.shape[4])
            taps = np.pad(taps, ((0, 0), (0, 0), (0, TAPS - taps.shape[2]), (0, 0)))
            whole: Ints = taps.reshape(*seen.shape[:2], WINDOW, WINDOW, -1)
            return whole
        wide = fields["tap_places"] * self.arch.block
        seen = seen[..., :wide]
        seen = np.pad(seen, ((0, 0),) * 4 + ((0, wide - seen.shape[4]),))
        flat = seen.reshape(*seen.shape[:2], -1)
        each = WINDOW * WINDOW * self.arch.block
        flat = np.pad(flat, ((0, 0), (0, 0), (0, -flat.shape[2] % each)))
        places = flat.reshape(*flat.shape[:2], -1, WINDOW, WINDOW, self.arch.block)
        ordered = places.transpose(0, 1, 3, 4, 2, 5)
        found: Ints = ordered.reshape(*ordered.shape[:4], -1)
        return found

    def _seen(
        self, fields: Fields, stored: Ints, position: Ints, rows: Ints, columns: Ints
    ) -> Ints:
        """Return pixels of some rows and columns of a kernel at positions, pruned ones as 0."""
        top = position // fields["out_width"] * fields["stride_y"] - fields["pad_top"]
        left = position % fields["out_width"] * fields["stride_x"] - fields["pad_left"]
        y, x = top[:, None, None] + rows[:, None], left[:, None, None] + columns
        inside = (y >= 0) & (y < fields["in_height"]) & (x >= 0) & (x < fields["in_width"])
        seen = stored[:, np.where(inside, y, 0), np.where(inside, x, 0)]
        found = np.where(inside[..., None], seen, fields["outside"])
        found &= (1 << fields["input_planes"]) - 1
        found[..., fields["channels"] :] = 0
        return found

    def _record(self, fields: Fields, windows: Ints, held: Held) -> Ints:
        """Return the sums (images, positions, kernels) of a record.

        Position p is the p mod S-th of a load, and load q goes to group q mod groups of octets.
        """
        size, groups = fields["positions"], fields["groups"]
        found = np.zeros((*windows.shape[:2], fields["kernels"]), np.int64)
        position = np.arange(windows.shape[1])
        for place in range(size):
            for group in range(groups):
                mine = (position % size == place) & (position // size % groups == group)
                if mine.any():
                    found[:, mine] = self._sums(fields, windows[:, mine], held, at=(place, group))
        return found

    def _sums(self, fields: Fields, windows: Ints, held: Held, *, at: tuple[int, int]) -> Ints:
        """Return the sums (images, positions, kernels) of one place of a load in one group.

        Kernels beyond the sub-arrays of the group have further chains in them.
        """
        place, group = at
        most = self.arch.block << fields["octets_log"]
        begin, chains = group * most, -(-fields["kernels"] // most)
        arrays = slice(begin, begin + min(most, fields["kernels"]))
        parts = [
            self._chain_sums(fields, windows, held, arrays, place * chains + chain)
            for chain in range(chains)
        ]
        return np.concatenate(parts, axis=2)[..., : fields["kernels"]]

    def _chain_sums(
        self, fields: Fields, windows: Ints, held: Held, arrays: slice, number: int
    ) -> Ints:
        """Return the sums (images, positions, kernels) of some sub-arrays, of one chain."""
        images, positions = windows.shape[:2]
        planes = fields["weight_planes"]
        places = np.int64(1) << np.arange(planes, dtype=np.int64)
        places[-1] *= -1
        total = np.zeros((images * positions, arrays.stop - arrays.start))
        for row in range(1 + fields["two_rows"]):
            rows = slice(fields[f"weight_row_{row}"], fields[f"weight_row_{row}"] + planes)
            for segment in self._chain(fields, number):
                if not fields[entry_name("active", row, segment)]:
                    continue
                first = segment * self.arch.segment_columns
                here = rows, arrays, slice(first, first + self.arch.segment_columns)
                wrong = np.tensordot(places, held.weak[here].astype(np.int64), 1)
                signs = np.where(held.weak[here], -1, 1)
                numbers = np.tensordot(places, signs * held.cells[here], 1)
                total += ((1 << fields["input_planes"]) - 1) * wrong.sum(axis=1)
                block = fields[entry_name("block", row, segment)] * self.arch.block
                seen = windows[..., block : block + self.arch.block]
                inputs = np.moveaxis(seen, 4, 2).reshape(images * positions, -1)
                total += inputs.astype(np.float64) @ numbers.T[: inputs.shape[1]]
        sums: Ints = total.astype(np.int64).reshape(images, positions, -1)
        return sums

    def _chain(self, fields: Fields, number: int) -> range:
        """Return the segments whose counts are joined into a sum of a load."""
        last = begin = fields[f"sum_segment_{number}"]
        while begin and fields["join"] >> (begin - 1) & 1:
            begin -= 1
        return range(begin, last + 1)


def erring(
    network: QuantizedNetwork, arch: Arch, effects: DeviceEffects, seed: int, program: Program
) -> ErringArrays:
    """Return the sums of layers with weights as the devices of a chip compute them.

    Raises ConfigError for effects that no MRAM cell has, FamilyError for a chip with twins.
    """
    return ErringArrays(network, arch, effects, seed, program)
