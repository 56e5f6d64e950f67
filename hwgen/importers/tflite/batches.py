"""Read dilation that a file writes as parts of the image in a batch.

SPACE_TO_BATCH_ND pads a map and makes an image of every d-th row and column; BATCH_TO_SPACE_ND puts
the images together again and crops. A convolution of steps of 1 between them is one of the whole
map with d times its dilation, and a function of each element is the same for all images.

Tests: `tests/importers/tflite/test_batches.py`.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tflite

from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.file import DAMAGED, OperatorFacts, TensorFacts, TFLiteFile
from hwgen.importers.tflite.node import EACH

APART, TOGETHER = "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"
CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
SIDE_OF_ONE = frozenset({"EXPAND_DIMS", "RESHAPE", "SQUEEZE"})
BETWEEN = (
    f"convolutions of steps of 1 without padding and functions of each element, up to {TOGETHER};"
    " a model converted with a batch of 1 has none"
)


@dataclass(frozen=True)
class Dilated:
    """Options of a convolution whose dilation is also that of the parts."""

    options: Any
    times: tuple[int, int]

    def DilationHFactor(self) -> int:  # noqa: N802
        """Return the dilation along the rows."""
        return int(self.options.DilationHFactor()) * self.times[0]

    def DilationWFactor(self) -> int:  # noqa: N802
        """Return the dilation along the columns."""
        return int(self.options.DilationWFactor()) * self.times[1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.options, name)


@dataclass(frozen=True)
class Parts:
    """A tensor of parts: rows (and columns) of the whole map, and into how many each is divided."""

    sides: tuple[int, ...]
    times: tuple[int, ...]


@dataclass
class Region:
    """What stands between a SPACE_TO_BATCH_ND and the operators that put its images together.

    parts: tensors of parts by number; operators: in place of those of the file, by place
    tensors: in place of those of the file, by number; added: constants behind them
    """

    file: TFLiteFile
    parts: dict[int, Parts] = field(default_factory=dict)
    operators: dict[int, OperatorFacts] = field(default_factory=dict)
    tensors: dict[int, TensorFacts] = field(default_factory=dict)
    added: list[TensorFacts] = field(default_factory=list)

    def begin(self, place: int) -> None:
        """Pad the whole map in place of SPACE_TO_BATCH_ND, less what is cropped at the end."""
        operator = self.file.operators[place]
        source, times = self.file.tensors[operator.inputs[0]], self.constant(operator, 1)
        reached, crops = set(operator.outputs), []
        for each in self.file.operators[place + 1 :]:
            if reached.isdisjoint(each.inputs):
                continue
            if each.operator == TOGETHER:
                crops.append(self.constant(each, 2).tolist())
            else:
                reached.update(each.outputs)
        rank, pads = times.size, self.constant(operator, 2)
        if not crops or not 1 <= rank <= 2 or len(source.shape) != rank + 2:
            raise RefusedError("what reads it", BETWEEN, "others")
        sides = pads - np.array(crops[0])
        if sides.min() < 0 or any(each != crops[0] for each in crops):
            raise RefusedError(f"what {TOGETHER} crops", "at most what is padded", crops)
        whole = tuple(int(each) for each in np.array(source.shape[1:-1]) + sides.sum(axis=1))
        padding = np.pad(sides, ((1, 1), (0, 0))).astype(np.int32)
        shape = (1, *whole, source.shape[-1])
        self.write(operator.outputs[0], shape)
        self.parts[operator.outputs[0]] = Parts(whole, tuple(times.reshape(-1).tolist()))
        inputs = (operator.inputs[0], self.add(operator, padding))
        self.operators[place] = replace(operator, operator="PAD", inputs=inputs)

    def follow(self, place: int) -> None:
        """Give an operator behind parts what it does to the whole map."""
        operator = self.file.operators[place]
        given = [self.parts[number] for number in operator.inputs if number in self.parts]
        if not given:
            return
        before, output = given[0], self.file.tensors[operator.outputs[0]]
        name, sides, times = operator.operator, before.sides, before.times
        if name == TOGETHER:
            self.end(place, before)
            return
        if name in CONVOLUTIONS and len(sides) == 2:
            sides = self.convolve(place, before)
        elif name in SIDE_OF_ONE:
            sides, times = self.reshaped(before, operator)
            shape = np.array((1, *sides, output.shape[-1]), np.int32)
            inputs = (operator.inputs[0], self.add(operator, shape))
            self.operators[place] = replace(operator, operator="RESHAPE", inputs=inputs)
        elif not self.of_each(operator, given):
            raise RefusedError("what reads it", BETWEEN, name)
        self.write(operator.outputs[0], (1, *sides, output.shape[-1]))
        self.parts[operator.outputs[0]] = Parts(sides, times)

    def convolve(self, place: int, before: Parts) -> tuple[int, ...]:
        """Dilate a convolution, and return rows and columns of what it writes."""
        operator, (rows, columns) = self.file.operators[place], before.times
        options, kernel = operator.options, self.file.tensors[operator.inputs[1]].shape[1:3]
        dilated = Dilated(options, (rows, columns))
        reach = (dilated.DilationHFactor(), dilated.DilationWFactor())
        whole = options.Padding() == tflite.Padding.VALID or tuple(kernel) == (1, 1)
        if not whole or (options.StrideH(), options.StrideW()) != (1, 1):
            raise RefusedError("what reads it", BETWEEN, f"{operator.operator} of other options")
        self.operators[place] = replace(operator, options=dilated)
        height, width = (
            side - (size - 1) * step
            for side, size, step in zip(before.sides, kernel, reach, strict=True)
        )
        return height, width

    def reshaped(
        self, before: Parts, operator: OperatorFacts
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return sides and parts where one side of 1 comes or goes, and nothing else does."""
        source, output = (
            self.file.tensors[number].shape for number in (operator.inputs[0], operator.outputs[0])
        )
        pairs = list(zip(source[1:-1], before.sides, before.times, strict=True))
        one = (1, 1, 1)
        choices = (
            [[one, *pairs], [*pairs, one]]
            if len(pairs) == 1
            else [[pairs[1 - each]] for each in range(2) if pairs[each] == one]
        )
        fitting = [each for each in choices if [side for side, *_ in each] == list(output[1:-1])]
        if source[-1:] != output[-1:] or not fitting or fitting[0] != fitting[-1]:
            raise RefusedError("what reads it", BETWEEN, f"a {operator.operator} of other sides")
        return tuple(each[1] for each in fitting[0]), tuple(each[2] for each in fitting[0])

    def of_each(self, operator: OperatorFacts, given: list[Parts]) -> bool:
        """Return whether an operator computes each element alone, of parts of one kind."""
        if operator.operator in EACH:
            return True
        others = [self.file.tensors[n] for n in operator.inputs if n not in self.parts]
        alike = all(
            each.data is not None and each.data.size == max((1, *each.shape[-1:]))
            for each in others
        )
        return operator.operator in {"ADD", "MUL", "SUB"} and alike and len(set(given)) == 1

    def end(self, place: int, before: Parts) -> None:
        """Give the whole map in place of BATCH_TO_SPACE_ND, whose crops are not padded."""
        operator = self.file.operators[place]
        output, times = self.file.tensors[operator.outputs[0]], self.constant(operator, 1)
        if tuple(times.reshape(-1).tolist()) != before.times:
            raise RefusedError(f"the parts of {TOGETHER}", list(before.times), times.tolist())
        shape = (1, *before.sides, output.shape[-1])
        if output.shape != shape:
            raise RefusedError(f"the output of {TOGETHER}", list(shape), list(output.shape))
        inputs = (operator.inputs[0], self.add(operator, np.array(shape, np.int32)))
        self.operators[place] = replace(operator, operator="RESHAPE", inputs=inputs)

    def constant(self, operator: OperatorFacts, place: int) -> Any:
        """Return a constant input of an operator."""
        data = self.file.tensors[operator.inputs[place]].data
        if data is None:
            raise RefusedError("its parts and sides", "constant", "computed")
        return data.astype(np.int64)

    def write(self, number: int, shape: tuple[int, ...]) -> None:
        """Give a tensor of parts the sides of the whole map, under a name that the file lacks."""
        if min(shape) < 1 or number in self.file.outputs:
            raise RefusedError("what reads it", BETWEEN, "an output of the network")
        tensor = self.file.tensors[number]
        self.tensors[number] = replace(tensor, shape=shape, name=f"{tensor.name}/whole")

    def add(self, operator: OperatorFacts, values: Any) -> int:
        """Add a constant, and return its number."""
        name = f"{self.file.tensors[operator.outputs[0]].name}/sides"
        made = TensorFacts(
            name=name,
            shape=values.shape,
            type=values.dtype.name,
            scales=np.zeros(0),
            zero_points=np.zeros(0, np.int64),
            axis=0,
            data=values,
        )
        self.added.append(made)
        return len(self.file.tensors) + len(self.added) - 1


def with_whole_maps(file: TFLiteFile, place: int) -> TFLiteFile:
    """Return the file without the parts of one SPACE_TO_BATCH_ND; RefusedError if they stay."""
    region = Region(file)
    try:
        region.begin(place)
        for each in range(place + 1, len(file.operators)):
            region.follow(each)
    except DAMAGED as error:
        raise RefusedError("its options and constants", "of its sides", "others") from error
    tensors = [region.tensors.get(number, each) for number, each in enumerate(file.tensors)]
    operators = [region.operators.get(number, each) for number, each in enumerate(file.operators)]
    return replace(file, tensors=(*tensors, *region.added), operators=tuple(operators))


def without_parts(file: TFLiteFile) -> TFLiteFile:
    """Return a file whose parts in a batch are whole maps, wherever that is the same."""
    for place, operator in enumerate(file.operators):
        if operator.operator == APART:
            try:
                file = with_whole_maps(file, place)
            except RefusedError:
                # Stays as it is, and its reader says why.
                continue
    return file
