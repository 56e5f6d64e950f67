"""The records of one mode, and its steps.

Tests: `tests/mram/compiler/test_step_list.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.errors import CompileError
from hwgen.mram.compiler.maps import StoredMap
from hwgen.mram.compiler.parameters import Words
from hwgen.mram.compiler.records import Fields, conv_fields, pool_fields, task_of, unit_fields
from hwgen.mram.compiler.search import Placement
from hwgen.mram.compiler.tasks import rounds_of
from hwgen.mram.compiler.units import Unit
from hwgen.mram.compiler.views import View
from hwgen.mram.compiler.ways import Ways
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import AnswerPlan, ImagePlan, MapPlace, StepPlan
from hwgen.mram.facts.records import Kind
from hwgen.network import INPUT, MaxPool, QuantizedNetwork

IMAGE, ANSWER = "image", "answer"
NO_PADDING = (0, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class ModeRecords:
    """What the records of a mode are made of; first: index of its first record."""

    network: QuantizedNetwork
    arch: Arch
    units: Sequence[Unit]
    maps: Mapping[str, StoredMap]
    views: Mapping[str, View]
    placement: Placement
    ways: Ways
    words: Words
    mode: int
    first: int

    def make(
        self, image: ImagePlan, answers: Sequence[AnswerPlan]
    ) -> tuple[list[Fields], list[StepPlan]]:
        """Return the records and their steps; an output is stored behind what computes it."""
        stored = {plan.layer: plan for plan in answers}
        records, steps = [self._image(image)], [self._image_step()]
        for unit in self.units:
            rounds = list(self._rounds(unit))
            for fields, first in rounds:
                name = unit.name if len(rounds) == 1 else f"{unit.name}:{first}"
                steps.append(self._step(unit, fields, first, name, len(records)))
                records.append(fields)
            if unit.name in stored:
                if unit.name in self.maps:
                    fields = self._copy(unit)
                    steps.append(self._copy_step(unit, fields, len(records)))
                    records.append(fields)
                steps.append(self._answer_step(unit, len(records), alone=len(answers) == 1))
                records.append(self._answer(unit, stored[unit.name]))
        records[-1]["last"] = 1
        return records, steps

    def _image(self, plan: ImagePlan) -> Fields:
        stored = self.maps[INPUT]
        size = plan.shape[0] * plan.shape[1] * plan.pixel_blocks * self.arch.block_bytes
        beats = -(-size // self.arch.port_bytes)
        return {"kind": Kind.IMAGE, "out_bank": stored.bank, "loads": beats}

    def _copy(self, unit: Unit) -> Fields:
        """Return the fields of a POOL that copies a map that is read on to the answer buffer."""
        output = unit.output.output
        copy = MaxPool(
            op="max_pool",
            name=f"{unit.name}:{ANSWER}",
            inputs=(unit.name,),
            output=output,
            source="",
            kernel=(1, 1),
            stride=(1, 1),
            padding=NO_PADDING,
        )
        copying = Unit(layer=copy, source=unit.name, output=copy, skip=None)
        own = pool_fields(copying, output, self.mode)
        return self._fields(copying, own, own["kernels"], 0)

    def _copy_step(self, unit: Unit, fields: Fields, number: int) -> StepPlan:
        height, width, _ = unit.output.output.shape
        return StepPlan(
            name=f"{unit.name}:{ANSWER}",
            layer=unit.name,
            fused=[],
            inputs=[unit.name],
            kind="pool",
            op="copy",
            record=self.first + number,
            output=None,
            positions=height * width,
            kernels=fields["kernels"],
        )

    def _answer(self, unit: Unit, plan: AnswerPlan) -> Fields:
        height, width, _ = plan.shape
        words = height * width * plan.pixel_blocks * self.arch.block
        return {
            "kind": Kind.ANSWER,
            "loads": words,
            "outside": plan.offset // ALIGNMENT_BYTES,
            "channels": unit.output.output.channels_in(self.mode),
            "out_blocks_log": plan.pixel_blocks.bit_length() - 1,
        }

    def _rounds(self, unit: Unit) -> Iterator[tuple[Fields, int]]:
        """Yield the fields of each record of a unit, and its first kernel."""
        arch, mode = self.arch, self.mode
        if unit.weighted is None:
            source = self.maps[unit.source].feature
            own = pool_fields(unit, source, mode)
            yield self._fields(unit, own, own["kernels"], 0), 0
            return
        view = self.views[unit.layer.name]
        for first in rounds_of(view, view.kernels[mode], arch):
            task = task_of(self.placement, unit.layer.name, first, mode)
            kernels = task.kernels(view, mode, arch)
            best = self.ways.best(view, kernels, mode, self.placement[task])
            if best is None:
                modes = self.network.graph.modes
                raise CompileError(
                    f"layer {unit.layer.name}: the weights of mode {modes[mode]} must stand in the"
                    " rows of the program, got others"
                )
            own = conv_fields(view, best[1], mode, arch)
            yield self._fields(unit, own, kernels, first), first

    def _fields(self, unit: Unit, own: Fields, kernels: int, first: int) -> Fields:
        return unit_fields(
            unit,
            self.network,
            self.maps,
            self.arch,
            self.mode,
            own=own,
            kernels=kernels,
            first=first,
            words=self.words,
        )

    def _place(self, name: str, first: int, channels: int) -> MapPlace | None:
        stored = self.maps.get(name)
        if stored is None:
            return None
        height, width, _ = stored.feature.shape
        shape = height, width, stored.feature.channels_in(self.mode)
        return MapPlace(
            bank=stored.bank,
            pixel_blocks=stored.blocks,
            shape=shape,
            first_channel=first,
            channels=channels,
        )

    def _step(self, unit: Unit, fields: Fields, first: int, name: str, number: int) -> StepPlan:
        height, width, _ = unit.output.output.shape
        return StepPlan(
            name=name,
            layer=unit.name,
            fused=unit.fused,
            inputs=list(unit.reads),
            kind="pool" if unit.weighted is None else "conv",
            op=unit.layer.op,
            record=self.first + number,
            output=self._place(unit.name, first, fields["kernels"]),
            positions=height * width,
            kernels=fields["kernels"],
        )

    def _image_step(self) -> StepPlan:
        feature = self.maps[INPUT].feature
        channels = feature.channels_in(self.mode)
        return StepPlan(
            name=self._chip_name(IMAGE),
            layer=INPUT,
            fused=[],
            inputs=[],
            kind="image",
            op="load",
            record=self.first,
            output=self._place(INPUT, 0, channels),
            positions=feature.height * feature.width,
            kernels=channels,
        )

    def _answer_step(self, unit: Unit, number: int, *, alone: bool) -> StepPlan:
        output = unit.output.output
        return StepPlan(
            name=self._chip_name(ANSWER) if alone else f"{ANSWER}:{unit.name}",
            layer=ANSWER,
            fused=[],
            inputs=[unit.name],
            kind="answer",
            op="store",
            record=self.first + number,
            output=None,
            positions=output.height * output.width,
            kernels=output.channels_in(self.mode),
        )

    def _chip_name(self, name: str) -> str:
        """Return the name of a step outside the layers; no layer has a colon in its name."""
        taken = any(unit.name == name for unit in self.units)
        return f"{name}:chip" if taken else name
