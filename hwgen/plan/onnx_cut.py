"""An ONNX file as what is cut: its pieces, its host, and what an import announces of it.

Tests: `tests/plan/test_cut.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from onnx import numpy_helper

from hwgen.errors import FormatError
from hwgen.importers.onnx.layout import layout_of
from hwgen.importers.onnx.read import opened
from hwgen.plan.file import PlanTensor
from hwgen.plan.judge import Piece
from hwgen.plan.onnx_host import OnnxHost, default_session, dressed
from hwgen.plan.onnx_pieces import ChipPiece, common_views, piece_of, units_named
from hwgen.plan.onnx_units import OnnxFile, onnx_file, ran
from hwgen.plan.target import Target
from hwgen.plan.units import UnitGraph, Units


@dataclass(frozen=True, kw_only=True)
class OnnxCut:
    """A file that is cut; see `hwgen.plan.judge.CutFile`.

    whole: the model as the user has it, which a runtime runs
    """

    file: OnnxFile
    whole: onnx.ModelProto
    kind: Literal["ONNX"] = "ONNX"

    @property
    def source(self) -> str:
        """The path of the file."""
        return self.file.source

    @classmethod
    def of(cls, model: onnx.ModelProto, source: str) -> "OnnxCut":
        """Return a quantized model as what is cut; FormatError for one that cannot be."""
        check_scales(model, source)
        return cls(file=onnx_file(model, source), whole=model)

    @property
    def units(self) -> UnitGraph:
        """The units of the file."""
        return self.file.units

    def piece(self, units: Units, target: Target, *, compiled: bool) -> ChipPiece:
        """Return a piece on the chip; PieceRefusedError for one that is not taken."""
        return piece_of(self.file, units, target, compiled=compiled)

    def together(self, borders: tuple[str, ...]) -> bool:
        """Return whether borders share a grid of pixels."""
        facts = [self.file.tensors[name] for name in borders]
        return bool(facts) and next(common_views(facts), None) is not None

    def host(self, units: Units) -> OnnxHost:
        """Return units in onnxruntime."""
        model, real = dressed(self.file, units, "a piece")
        return OnnxHost(model, real=real, numbers={name: self.numbers(name) for name in real})

    def numbers(self, name: str) -> tuple[float, int, str]:
        """Return scale, zero point and type of a border."""
        found = self.file.numbers_of(name)
        assert found is not None
        return found.scale, found.zero_point, self.file.tensors[name].type

    def host_file(self, units: Units, name: str) -> tuple[bytes, tuple[str, ...]]:
        """Return the file of units on the host, and the borders that are real numbers in it."""
        model, real = dressed(self.file, units, name)
        return model.SerializeToString(deterministic=True), real

    def announced(self, pieces: Sequence[Piece]) -> set[int]:
        """Return the units that notes and onnxruntime's float32 kernels name."""
        from hwgen.importers.onnx.kept import places_in_float32

        named = [note.node for piece in pieces for note in piece.lowered.notes]
        named += [each.what for piece in pieces for each in piece.lowered.differences]
        told = [each.removeprefix("node ") for each in named]
        kept = places_in_float32(self.file.model, self.file.source)
        found = units_named(self.file, told, (), "")
        return found | {self.units.of_node[node] for node in kept if node in self.units.of_node}

    def tensors(self, names: Sequence[str]) -> tuple[PlanTensor, ...]:
        """Return tensors as a plan has them."""
        image, layout = self.image_and_layout()
        found = []
        for name in names:
            facts, numbers = self.file.tensors[name], self.file.numbers_of(name)
            found.append(
                PlanTensor(
                    name=name,
                    type=facts.type,
                    sides=facts.sides,
                    scale=None if numbers is None else numbers.scale,
                    zero_point=None if numbers is None else numbers.zero_point,
                    layout=layout if name == image else "",
                )
            )
        return tuple(found)

    def image_and_layout(self) -> tuple[str, Any]:
        """Return which input is an image and how it is read; empty where none is."""
        try:
            ready = opened(self.file.model, self.file.source)
            return ready.image.name, layout_of(ready, self.file.source)
        except FormatError:
            return "", ""

    def answers(self, feeds: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
        """Return what the whole file answers in a default session, a call each."""
        session = default_session(self.whole, self.file.source)
        return [ran(session.run, self.units.outputs, feed, self.source) for feed in feeds]


def check_scales(model: onnx.ModelProto, source: str) -> None:
    """Refuse a file with a scale below zero or without a value: no host makes sense of it."""
    arrays = {each.name: each for each in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        if (stored := arrays.get(node.input[1])) is None:
            continue
        scales = numpy_helper.to_array(stored).ravel()
        wrong = scales[~(np.isfinite(scales) & (scales >= 0))]
        if wrong.size:
            raise FormatError(
                field=f"the scale of node {node.name} ({node.op_type})",
                allowed="a positive number",
                given=f"{wrong[0]:.6g}",
                source=source,
            )
