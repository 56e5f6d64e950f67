"""Build the steps of passes: grid, split, and the stored maps between them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.dbpim.compiler.allocate import FullError
from hwgen.dbpim.compiler.cost import WAYS, LayerCost, Way, cheapest, costs_of
from hwgen.dbpim.compiler.encode import step_packets
from hwgen.dbpim.compiler.grid import Grid, Rows, vector_shape
from hwgen.dbpim.compiler.ops import Lowered, Op
from hwgen.dbpim.compiler.split import Split, conv_splits, simd_split
from hwgen.dbpim.compiler.steps import Images, Step, StepWork, Tensor, kept_rows, new_tensor
from hwgen.dbpim.compiler.weights import LayerWeights
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.stream import Packet, decode_packets

JUDGED_CYCLES = 5e6
"""Cycles of splits that a cycle model judges for a network; the estimate does the rest."""


Place = tuple[str, Grid, bool]
"""Of a choice: the pass, its grid, whether all its cores have the same filters."""
Judgements = dict[Place, list[float]]


class Builder:
    """Turns passes into steps; the splits of a layer are chosen once for each grid.

    run_images: images of the whole run, for names of steps
    way: how splits are chosen; judgements: what the model has said of them, for builders of the
        same network that choose in another way
    narrow: passes of the macros whose cores must all have the same filters, to save memory
    """

    def __init__(
        self,
        lowered: Lowered,
        weights: dict[str, LayerWeights],
        arch: Arch,
        *,
        run_images: int,
        layer_cost: LayerCost | None,
        way: Way = WAYS[0],
        judgements: Judgements | None = None,
    ) -> None:
        self.lowered, self.weights, self.arch = lowered, weights, arch
        self.run_images, self.layer_cost, self.judged = run_images, layer_cost, 0.0
        self.way, self._judgements = way, {} if judgements is None else judgements
        self.narrow: set[str] = set()
        self._splits: dict[Place, Split] = {}
        self._tiles: dict[bytes, Packet] = {}

    def tensor(self, name: str, images: Images, origin: int, columns: Rows | None = None) -> Tensor:
        """Return a new map of the buffers, or some columns of it."""
        return new_tensor(self.lowered.maps[name], images, origin, self.arch, columns)

    def step(
        self,
        op: Op,
        inputs: Sequence[Tensor],
        output: Tensor | None,
        *,
        images: Images,
        origin: int,
        rows: Rows | None = None,
    ) -> Step:
        """Return the step of a pass for some images, or for some rows of one image."""
        flat = self.flat(op, images)
        grid = self.grid(op, images, origin, rows or (0, op.size[0]), flat=flat)
        step = Step(
            name=self.name(op.name, images, rows),
            layer=op.layer,
            op=op.op,
            kind=op.kind,
            images=images,
            rows=rows or (0, op.size[0]),
            inputs=tuple(inputs),
            output=output,
            work=StepWork(op=op, grid=grid, split=Split(works=())),
        )
        if op.raw:
            step = self.raw_step(step, op, images, origin, flat=flat)
        elif output and any(each.shape.width < self.width(each) for each in (*inputs, output)):
            step = tile_step(step, op, output)
        return self.with_split(step)

    def width(self, tensor: Tensor) -> int:
        """Return the columns of the whole map of a tensor."""
        return self.lowered.maps[tensor.shape.name].width

    def raw_step(self, step: Step, op: Op, images: Images, origin: int, *, flat: bool) -> Step:
        """Return a step whose logits begin at the start of the buffer, whatever its images are."""
        if step.work is None:
            raise ValueError(f"{step.name} must have a pass")
        number, source = images[0] - origin, step.inputs[0]
        fields = {"output_row_pitch": self.logit_pitch(op)}
        if flat:
            grid = replace(step.work.grid, width=images[1], first_column=0, number=1)
            fields |= {"input_image_rows": 0, "input_image_columns": number}
            fields |= {"input_width": images[1]}
        elif images[1] == 1:
            grid = step.work.grid
        else:
            if number:
                raise ValueError(f"{step.name} must begin with the first image of its maps")
            grid, fields = step.work.grid, {**fields, "output_image_columns": 1}
        if images[1] == 1 and not flat and source.images[1] > 1:
            fields |= {"output_image_columns": 0}
        return replace(step, work=replace(step.work, grid=grid), fields=fields)

    def logit_pitch(self, op: Op) -> int:
        """Return the logits from one image to the next: whole filter groups, whole beats."""
        unit = max(self.arch.filters, self.arch.port_bytes // 4)
        return -(-self.lowered.maps[op.output].channels // unit) * unit

    def flat(self, op: Op, images: Images) -> bool:
        """Return whether images of one pixel are the columns of one row."""
        maps = [self.lowered.maps[name] for name in (*op.inputs, op.output)]
        return images[1] > 1 and op.window.point and all(each.one_pixel for each in maps)

    def grid(self, op: Op, images: Images, origin: int, rows: Rows, *, flat: bool) -> Grid:
        """Return the position vectors of a step."""
        number, width, arch = images[0] - origin, op.size[1], self.arch
        if flat:
            return Grid(
                width=number + images[1],
                first_column=number,
                first_row=0,
                end_row=1,
                number=0,
                images=1,
                vector=(1, arch.macros_per_core),
            )
        height = rows[1] - rows[0]
        plain = (1, arch.macros_per_core)
        shape = vector_shape(arch, width=width, rows=height)
        return Grid(
            width=width,
            first_column=0,
            first_row=rows[0],
            end_row=rows[1],
            number=number,
            images=images[1],
            vector=plain if op.fields.get("sums") else shape,
        )

    def with_split(self, step: Step) -> Step:
        """Return a step with the split of its pass over its grid."""
        if step.work is None:
            return step
        op, grid = step.work.op, step.work.grid
        key = op.name, grid, op.name in self.narrow
        if key not in self._splits:
            self._splits[key] = self.split(step, op, key)
        return replace(step, work=replace(step.work, split=self._splits[key]))

    def split(self, step: Step, op: Op, place: Place) -> Split:
        """Return the cheapest split of a step."""
        _, grid, narrow = place
        if op.kind == "simd":
            return simd_split(op.words, grid, self.arch)
        weights = self.weights[op.name]
        splits = []
        for groups in (weights.groups, weights.paired) if weights.paired else (weights.groups,):
            found = list(conv_splits(groups, grid, self.arch))
            splits += found[:1] if narrow else found
        if len(splits) == 1:
            return splits[0]
        costs = self.costs(step, op, place, splits)
        return cheapest(splits, costs, grid, self.arch, few_groups=self.way.few_groups)

    def costs(self, step: Step, op: Op, place: Place, splits: Sequence[Split]) -> list[float]:
        """Return the cost of each split, by the model or by the estimate; one is judged once."""
        judging = self.way.judged and self.layer_cost is not None
        if judging and place in self._judgements:
            return self._judgements[place]
        costs = costs_of(
            splits,
            place[1],
            self.arch,
            packets=lambda split: self.trial_packets(step, split),
            layer=op.layer,
            layer_cost=self.judge if judging and self.judged < JUDGED_CYCLES else None,
        )
        if judging:
            self._judgements[place] = costs
        return costs

    def judge(self, layer: str, packets: Sequence[Packet]) -> float:
        """Return the cycles of a split by the model, and remember how much that has judged."""
        if self.layer_cost is None:
            raise ValueError("no model was given")
        cycles = self.layer_cost(layer, packets)
        self.judged += cycles
        return cycles

    def trial_packets(self, step: Step, split: Split) -> list[Packet]:
        """Return the packets of a step alone: its maps at word 0, each core has what it reads."""
        if step.work is None:
            return []
        trial = replace(
            step,
            work=replace(step.work, split=split),
            inputs=tuple(replace(tensor, base=0) for tensor in step.inputs),
            output=replace(step.output, base=0) if step.output else None,
        )
        for place, tensor in enumerate(trial.inputs):
            tensor.slices = kept_rows(trial.read_rows(place), self.arch)
        if trial.output:
            trial.output.slices = kept_rows(trial.written_rows(), self.arch)
        return [self.decoded(each) for each in step_packets(trial, self.arch)]

    def decoded(self, packet: bytes) -> Packet:
        """Return a packet; a tile that was sent before is not read again, its rows are many."""
        known = self._tiles.get(packet)
        if known is None:
            (known,) = decode_packets(np.frombuffer(packet, np.uint8), self.arch)
            if known.opcode is Opcode.TILE:
                self._tiles[packet] = known
        return known

    def name(self, base: str, images: Images, rows: Rows | None = None) -> str:
        """Return the name of a step: the images where the run has several, the rows of a band."""
        parts = [base]
        if self.run_images > 1:
            last = images[0] + images[1] - 1
            single = images[1] == 1
            parts.append(f"image {images[0]}" if single else f"images {images[0]}-{last}")
        if rows:
            parts.append(f"rows {rows[0]}-{rows[1] - 1}")
        return " ".join(parts)


def tile_step(step: Step, op: Op, output: Tensor) -> Step:
    """Return a step over the columns that the output map has in the buffers.

    Columns count from 0 in each map; the distance of two images moves the first input column to
    that of the first output column, because the image has the number 1.
    """
    if step.work is None:
        raise ValueError(f"{step.name} must have a pass")
    source, first = step.inputs[0], output.first_column
    grow = op.window.grow[1]
    if first % (1 << grow):
        # A tile that begins inside a pixel is not made: the unit is cut in another way.
        raise FullError(0, source, 0, source.words)
    seen = first * op.window.stride[1] - op.window.padding[1]
    shift = (seen >> grow) - source.first_column
    fields = {
        "input_image_rows": 0,
        "input_image_columns": max(0, shift),
        "input_width": source.shape.width - max(0, shift),
        "padding_left": max(0, -shift),
        "output_image_rows": 0,
        "output_image_columns": 0,
    }
    if len(step.inputs) > 1 and op.kind == "simd":
        second = step.inputs[1]
        fields["second_image_rows"] = 0
        everywhere = op.broadcast or op.whole_second
        fields["second_image_columns"] = 0 if everywhere else first - second.first_column
    grid = replace(step.work.grid, width=output.shape.width, number=1)
    name = f"{step.name} columns {first}-{first + output.shape.width - 1}"
    return replace(step, name=name, work=replace(step.work, grid=grid), fields=fields)
