"""Steps before they are encoded: which part of which pass, from and to which stored maps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from hwgen.dbpim.compiler.grid import NO_ROWS, Grid, Rows, hull, rows_read
from hwgen.dbpim.compiler.ops import MapShape, Op, Window
from hwgen.dbpim.compiler.split import Split
from hwgen.dbpim.facts.addressing import channel_words, row_pitch
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.program import MemoryPlace, Placement, StepKind

Images = tuple[int, int]
"""First image of the run, and number of images."""

POINT = Window()
"""The window that reads the input of its own position alone."""


@dataclass(eq=False, kw_only=True)
class Tensor:
    """A map of some images in the buffers, from the first step that writes it to its last reader.

    origin: image of the run whose number in the placement is 0
    first_column: of the layer's map, where the buffers hold only some columns
    slices: stored rows of each core; base: first word; both follow from all steps
    """

    shape: MapShape
    images: Images
    origin: int
    image_rows: int
    image_columns: int
    channel_words: int
    row_pitch: int
    slices: list[Rows]
    first_column: int = 0
    base: int = 0

    @property
    def words(self) -> int:
        """Words that it takes in every bank."""
        return max(end - first for first, end in self.slices) * self.row_pitch

    def first(self, core: int) -> int:
        """Return the first stored row that a core holds; 0 where it holds none."""
        return self.slices[core][0]

    def rows(self, core: int) -> int:
        """Return the stored rows that a core holds."""
        return self.slices[core][1] - self.slices[core][0]

    def private(self, core: int) -> Rows:
        """Return the longest run of stored rows that only this core holds."""
        first, end = self.slices[core]
        others = [rows for place, rows in enumerate(self.slices) if place != core]
        others = sorted(rows for rows in others if rows[0] < end and rows[1] > first)
        best, now = NO_ROWS, first
        for begin, stop in [*others, (end, end)]:
            if begin - now > best[1] - best[0]:
                best = now, begin
            now = max(now, stop)
        return best

    @property
    def countable(self) -> bool:
        """Whether each image can be described as number 0 of a placement.

        Then the rows from one image to the next are a multiple of the banks' pattern.
        """
        return self.images[1] == 1 or not self.image_columns

    def placement(self, image: int) -> Placement:
        """Return where the map lies; `image` has the number 0 there if the map is countable."""
        shift = (image - self.origin) * self.image_rows
        return Placement(
            base=self.base,
            row_pitch=self.row_pitch,
            channel_words=self.channel_words,
            image_rows=self.image_rows,
            image_columns=self.image_columns,
            first=[first - shift for first, _ in self.slices],
            rows=[end - first for first, end in self.slices],
        )


def new_tensor(
    shape: MapShape, images: Images, origin: int, arch: Arch, columns: Rows | None = None
) -> Tensor:
    """Return a map without slices; one image needs no distance to the next.

    columns: first column and the one after the last, None: all
    """
    if columns:
        shape = replace(shape, width=columns[1] - columns[0])
    along_x = shape.one_pixel
    several = images[1] > 1
    width = images[0] - origin + images[1] if along_x and several else shape.width
    return Tensor(
        shape=shape,
        images=images,
        origin=origin,
        image_rows=shape.height + shape.height % 2 if several and not along_x else 0,
        image_columns=int(several and along_x),
        channel_words=channel_words(shape.channels, arch),
        row_pitch=row_pitch(width, shape.channels, arch),
        first_column=columns[0] if columns else 0,
        slices=[NO_ROWS] * arch.cores,
    )


@dataclass(eq=False, kw_only=True)
class Step:
    """One instruction.

    layer, op, images, rows, memory: as in `StepPlan`
    work: pass, grid and split of a CONV or SIMD step
    fields: of the instruction, beside those of the pass
    """

    name: str
    layer: str
    op: str
    kind: StepKind
    images: Images
    rows: Rows
    work: "StepWork | None" = None
    inputs: tuple[Tensor, ...] = ()
    output: Tensor | None = None
    memory: MemoryPlace | None = None
    fields: Mapping[str, int] = field(default_factory=dict)

    def read_rows(self, place: int) -> tuple[Rows, ...]:
        """Return the stored rows of input number `place` that each core reads."""
        if self.work is None:
            return ()
        op, grid, tensor = self.work.op, self.work.grid, self.inputs[place]
        spans = self.work.split.spans
        if place and op.whole_second:
            whole = Window(kernel=(tensor.shape.height, 1), stride=(0, 1))
            return rows_read(grid, spans, whole, tensor.shape.height, tensor.image_rows)
        if place and op.broadcast:
            return tuple((0, 1) if first < end else NO_ROWS for first, end in spans)
        if place:
            return rows_read(grid, spans, POINT, tensor.shape.height, tensor.image_rows)
        fields = {**op.fields, **self.fields}
        height = fields.get("input_height", tensor.shape.height)
        image_rows = fields.get("input_image_rows", tensor.image_rows)
        return rows_read(grid, spans, op.window, height, image_rows)

    def written_rows(self) -> tuple[Rows, ...]:
        """Return the stored rows of the output that each core writes; of a LOAD core 0 has all."""
        if self.output is None:
            return ()
        if self.work is None:
            first = self.fields["first_row"]
            return ((first, first + self.fields["rows"]),)
        grid, spans = self.work.grid, self.work.split.spans
        return rows_read(grid, spans, POINT, grid.end_row, self.output.image_rows)


@dataclass(frozen=True, kw_only=True)
class StepWork:
    """The computation of a CONV or SIMD step."""

    op: Op
    grid: Grid
    split: Split


def slice_maps(steps: list[Step], arch: Arch) -> None:
    """Set the slices of all maps: of each core the rows that its steps read.

    A row that nobody reads stays with a core that writes it, or with the nearest slice. With one
    stream core 0 reads and keeps all rows.
    """
    cores = range(arch.cores)
    for step in steps:
        for tensor in (*step.inputs, *([step.output] if step.output else [])):
            tensor.slices = [NO_ROWS for _ in cores]
    for step in steps:
        for place, tensor in enumerate(step.inputs):
            read = kept_rows(step.read_rows(place), arch)
            pairs = zip(tensor.slices, read, strict=True)
            tensor.slices = [hull(*pair) for pair in pairs]
    for step in steps:
        if step.output is None:
            continue
        for core, rows in enumerate(kept_rows(step.written_rows(), arch)):
            keep_written(step.output, rows, core)


def kept_rows(rows: Sequence[Rows], arch: Arch) -> list[Rows]:
    """Return the rows of the buffer of each core, from those that each core reads or writes."""
    if not arch.shares_stream:
        return list(rows)
    rest = [NO_ROWS] * (arch.cores - 1)
    return [reduce(hull, rows), *rest] if rows else []


def keep_written(tensor: Tensor, rows: Rows, core: int) -> None:
    """Let rows that a core writes and no core keeps stay: in a slice that they touch, or here."""
    for first, end in gaps(rows, tensor.slices):
        beside = [
            place
            for place, each in enumerate(tensor.slices)
            if each != NO_ROWS and (each[1] == first or each[0] == end)
        ]
        place = core if core in beside or not beside else beside[0]
        tensor.slices[place] = hull(tensor.slices[place], (first, end))


def gaps(rows: Rows, slices: list[Rows]) -> list[Rows]:
    """Return the parts of `rows` that no slice holds."""
    found, now = [], rows[0]
    for first, end in sorted(slices):
        if end <= now or first >= rows[1]:
            continue
        if first > now:
            found.append((now, first))
        now = max(now, end)
    return [*found, (now, rows[1])] if now < rows[1] else found
