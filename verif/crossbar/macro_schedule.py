"""When each operation of a macro begins, by the rules alone, as early as they allow."""

from typing import Any, NamedTuple

from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.rules import STRICT
from verif.crossbar.macro_case import MacroCase


class Start(NamedTuple):
    """Step at which an operation, or a bit step of it, begins."""

    step: int
    layer: int
    operation: str
    block: int
    bit: int


def case_of(facts: dict[str, Any]) -> MacroCase:
    """Return the case that plain data describe."""
    layers = tuple(
        CrossbarLayer(**{**each, "providers": tuple(each.get("providers", ()))})
        for each in facts["layers"]
    )
    rest: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list | tuple) else value
        for key, value in facts.items()
    }
    return MacroCase(**{**rest, "layers": layers})


def pixels_needed(case: MacroCase, place: int) -> list[int]:
    """Return how many pixels of each map that a layer reads must be there, by its blocks."""
    layer, copies = case.layers[place], case.copies[place]
    if layer.kind == "fc":
        provider = layer.providers[0] if layer.providers else None
        return [1 if provider is None else case.layers[provider].pixels]
    last = last_needed(layer, STRICT)
    return [
        last[min(layer.pixels, end) - 1] for end in range(copies, layer.pixels + copies, copies)
    ]


class Schedule:
    """Starts of all operations of some images, layer by layer (docs/crossbar-rules.md).

    Each operation takes its steps, a bit step those of its layer; of two layers that share ADCs one
    converts at a time.

    early: layers whose activation begins a step before what it reads is through
    """

    def __init__(self, case: MacroCase, *, images: int, early: tuple[int, ...] = ()) -> None:
        self._case, self._bits, self._early = case, case.bit_steps, early
        self.starts: list[Start] = []
        self._ends: list[list[int]] = []
        self._converting: set[int] = set()
        self._transfers: set[int] = set()
        for place in range(len(case.layers)):
            self._run_layer(place, images)

    def _run_layer(self, place: int, images: int) -> None:
        """Add the starts of one layer."""
        layer = self._case.chip.layers[place]
        names: list[str] = [
            one.name for one in layer.operations if one.name not in ("adc", "shift_add")
        ]
        steps: dict[str, int] = {one.name: one.busy for one in layer.operations}
        begun: list[dict[str, int]] = []
        self._ends.append([])
        for block in range(images * layer.blocks):
            own: dict[str, int] = {}
            step = self._needed(place, block)
            for name in names:
                step = max(step, self._after_earlier(names, begun, name, steps))
                if name == "transfer":
                    step = first_free(self._transfers, step, steps[name])
                    self._transfers.update(range(step, step + steps[name]))
                if name == "mvm":
                    step = self._free(step, layer.clocks_per_bit)
                if name == "activation":
                    step -= place in self._early
                own[name] = step
                self._add(place, name, block, step)
                step += steps[name] + (layer.clocks_per_bit if name == "mvm" else 0)
            begun.append(own)
            self._ends[place].append(step)

    def _needed(self, place: int, block: int) -> int:
        """Return the step from which on what a block reads is there."""
        layer = self._case.chip.layers[place]
        image, within = divmod(block, layer.blocks)
        pixels = pixels_needed(self._case, place)[within]
        steps = [0]
        for provider in layer.layer.providers:
            source = self._case.chip.layers[provider]
            last = -(-min(pixels, source.layer.pixels) // source.copies) - 1
            steps.append(self._ends[provider][image * source.blocks + last])
        return max(steps)

    def _free(self, step: int, clocks: int) -> int:
        """Return the first step of an MVM whose conversions, a bit step later, meet no others."""
        return first_free(self._converting, step + clocks, self._bits * clocks) - clocks

    def _after_earlier(
        self, names: list[str], begun: list[dict[str, int]], name: str, steps: dict[str, int]
    ) -> int:
        """Return the step from which on earlier blocks leave room for an operation.

        steps: that each operation takes
        """
        found = [0]
        if begun:
            found.append(begun[-1][name] + steps[name])
            following = names[names.index(name) + 1] if name != names[-1] else None
            if following is not None and name != "mvm":
                found.append(begun[-1][following] + max(1, steps[following] - 1))
        if name == "mvm" and len(begun) > 1:
            found.append(begun[-2]["addition"] + 1)
        return max(found)

    def _add(self, place: int, name: str, block: int, step: int) -> None:
        """Add the starts of an operation of a block."""
        if name != "mvm":
            self.starts.append(Start(step, place, name, block, 0))
            return
        clocks = self._case.bit_clocks(place)
        for bit in range(self._bits):
            first = step + bit * clocks
            self._converting.update(range(first + clocks, first + 2 * clocks))
            self.starts += [
                Start(first, place, "mvm", block, bit),
                Start(first + clocks, place, "adc", block, bit),
            ]


def first_free(taken: set[int], step: int, count: int) -> int:
    """Return the first step from which on so many are free."""
    while any(step + k in taken for k in range(count)):
        step += 1
    return step
