"""Playing a plan: the host's pieces in their runtime, those of the chip by golden.

Tests: `tests/plan/test_cut.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hwgen.plan.file import Plan, PlanStep
from hwgen.plan.judge import Host, played
from hwgen.plan.units import Tensors


@dataclass
class Player:
    """Plays a plan, call by call, with the pieces of the chip by golden."""

    plan: Plan
    _hosts: dict[str, Host] = field(default_factory=dict)

    def play(self, feed: Mapping[str, Any]) -> Tensors:
        """Return all tensors between steps and the outputs of a call; feed: the inputs."""
        tensors = dict(feed)
        for step in self.plan.graph.steps:
            tensors |= self.step(step, tensors)
        return tensors

    def step(self, step: PlanStep, tensors: Mapping[str, Any]) -> Tensors:
        """Return what a step writes."""
        if step.where == "host":
            return self._host(step).run(tensors)
        graph = self.plan.graph
        return played(step, self.plan.networks[step.name], graph.by_name, tensors)

    def _host(self, step: PlanStep) -> Host:
        """Return what runs a piece of the host, opened at its first call."""
        if step.name not in self._hosts:
            self._hosts[step.name] = self._opened(step)
        return self._hosts[step.name]

    def _opened(self, step: PlanStep) -> Host:
        """Return what runs a piece of the host."""
        if self.plan.graph.kind == "TFLite":
            from hwgen.plan.tflite_cut import TFLiteHost

            return TFLiteHost(self.plan.files[step.name], step.inputs, step.outputs)
        from hwgen.plan.onnx_host import OnnxHost, model_of

        tensors, numbers = self.plan.graph.by_name, {}
        for name in step.real:
            tensor = tensors[name]
            assert tensor.scale is not None and tensor.zero_point is not None
            numbers[name] = tensor.scale, tensor.zero_point, tensor.type
        model = model_of(self.plan.files[step.name], self.plan.graph.name)
        return OnnxHost(model, real=step.real, numbers=numbers)
