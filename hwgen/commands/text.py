"""`hwgen text`: a language model on a chip writes on, character by character.

Tests: `tests/commands/test_text.py`.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rich.console import RenderableType

from hwgen.commands.engines import Engine, predicted_cycles, simulate
from hwgen.commands.fields import LARGEST_SEED, Real, Whole, path_of
from hwgen.commands.images import batch_of
from hwgen.commands.on_chip import OnChip
from hwgen.commands.prices import EnergyFile, Prices, counted_events
from hwgen.commands.request import Says
from hwgen.commands.subject import Subject, program_of
from hwgen.network import QuantizedNetwork
from hwgen.report.tables import text_table
from hwgen.report.text import TextReport

Step = Callable[[NDArray[np.uint8]], NDArray[Any]]
"""Returns the answer to the image of the next call."""


@dataclass(frozen=True)
class WriteText(OnChip, command="text", example="network.npz chip.yaml --tokens 60"):
    """Let a language model write on, character by character, a call of the chip each.

    golden: the integers of the NumPy reference, whatever the chip. model: cycles and energy of each
    call, too. rtl: the Verilog, simulated: every answer must be golden's. The text is the same by
    all three, and the same seed gives the same text. Exit code 1 if an answer differs.
    """

    _: KW_ONLY
    prompt: Annotated[str, Field(min_length=1), Says("text to begin with", metavar="TEXT")] = "She "
    tokens: Annotated[Annotated[Whole, Field(ge=1)], Says("characters to write", metavar="N")] = 60
    seed: Annotated[
        Annotated[Whole, Field(ge=0, le=LARGEST_SEED)], Says("of the choice of characters")
    ] = 1
    temperature: Annotated[
        Annotated[Real, Field(ge=0, le=10)],
        Says("0: always the likeliest character; 1: as the model foresees"),
    ] = 0.6
    engine: Annotated[Engine, Says("what computes")] = "golden"
    energy: EnergyFile = None

    def run(self) -> TextReport:
        """Write, and tell what each call takes."""
        subject = self.subject()
        network = subject.network
        rows, classes = network.token_rows, network.map_of(network.answer).channels
        if rows is None or not network.states or len(rows.rows) != classes:
            allowed = "a language model: one with rows for tokens, and states"
            raise self.refusal("network", allowed, network.graph.name)
        prompt = self.codes_of(network)
        calls = len(prompt) + self.tokens - 1
        if calls > (most := network.graph.positions):
            given = f"{len(prompt)} + {self.tokens}"
            raise self.refusal("tokens", f"with the prompt at most {most + 1} characters", given)
        golden = GoldenCalls(network)
        written = self.write(network, prompt, golden.step)
        found: dict[str, Any] = {}
        equal = None
        if self.engine != "golden":
            found, answers = self.on_chip(subject, golden)
            if answers is not None:
                replayed = iter(answers)
                again = self.write(network, prompt, lambda _: next(replayed))
                equal = again == written and bool((answers == golden.answers).all())
        return TextReport(
            format="hwgen.report.text",
            version=1,
            network=subject.network_source,
            architecture=subject.arch_source,
            engine=self.engine,
            prompt=self.prompt,
            text=written,
            calls=calls,
            seed=self.seed,
            temperature=self.temperature,
            equal=equal,
            **found,
        )

    def codes_of(self, network: QuantizedNetwork) -> list[int]:
        """Return the numbers of the prompt's characters; another one is refused."""
        known = letters(network)
        for letter in self.prompt:
            if letter not in known:
                shown = "".join(sorted(known)).replace("\n", "")
                raise self.refusal("prompt", f"of newlines and of the characters {shown}", letter)
        return [known.index(letter) for letter in self.prompt]

    def write(self, network: QuantizedNetwork, prompt: list[int], step: Step) -> str:
        """Return the characters that follow the prompt."""
        rng, known = np.random.default_rng(self.seed), letters(network)
        values = network.map_of(network.answer).quantization[0]
        rows, image = network.token_rows, network.graph.input
        assert rows is not None
        codes, made = list(prompt), []
        for position in range(len(prompt) + self.tokens - 1):
            code = np.array([[codes[position]]])
            answer = step(rows.images(code, image, "the text", positions=position)[0])
            if position < len(prompt) - 1:
                continue
            real = (answer.ravel().astype(np.float64) - values.zero_point) * values.scale
            made.append(chosen(real, self.temperature, rng))
            codes.append(made[-1])
        return "".join(known[code] for code in made)

    def on_chip(
        self, subject: Subject, golden: "GoldenCalls"
    ) -> tuple[dict[str, Any], NDArray[Any] | None]:
        """Return cycles, time and energy of a call, and of a simulation the answers."""
        context, network = self.quiet, subject.network
        images = np.stack(golden.images)
        batch = batch_of(network, images, None, name="text", split="all", count=None)
        program = program_of(context, subject)
        predictions = predicted_cycles(context, subject, program, golden.maps, batch.modes)
        runs: Any = predictions
        answers = None
        if self.engine == "rtl":
            given: dict[str, Any] = {"predictions": predictions, "seed": 1}
            runs = simulate(context, subject, program, batch, **given)
            answers = np.stack([run.maps[0][network.answer] for run in runs])
        chip = subject.timed
        cycles, events, count = sum(run.cycles for run in runs), counted_events(runs), len(runs)
        prices = Prices(subject.family, path_of(self.energy))
        outside = prices.outside_bytes(events, subject.arch, program, images=count)
        found = {
            "cycles": cycles / count,
            "cycles_least": min(run.cycles for run in runs),
            "cycles_most": max(run.cycles for run in runs),
            "load_cycles": sum(each.load for each in predictions) / count,
            "time_us": chip.time_us(cycles / count),
            "clock": chip.clock,
            "bytes": outside / count,
            "energy": prices.image(events, cycles, chip.arch, images=count, outside_bytes=outside),
        }
        return found, answers

    def table(self, report: TextReport) -> RenderableType:
        """Return the text and what it takes."""
        return text_table(report)

    def agrees(self, report: TextReport) -> bool:
        """Return whether no answer differs."""
        return report.equal is not False


class GoldenCalls:
    """Calls by golden: their images, and all maps."""

    def __init__(self, network: QuantizedNetwork) -> None:
        from golden.states import Session

        self.network, self.session = network, Session(network)
        self.images: list[NDArray[np.uint8]] = []
        self._found: list[dict[str, NDArray[Any]]] = []

    def step(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the answer of the next call."""
        maps = self.session.step(image[np.newaxis])
        self.images.append(image)
        self._found.append(maps)
        answer: NDArray[Any] = maps[self.network.answer][0]
        return answer

    @property
    def maps(self) -> dict[str, NDArray[Any]]:
        """All maps of all calls."""
        names = self._found[0]
        return {name: np.concatenate([maps[name] for maps in self._found]) for name in names}

    @property
    def answers(self) -> NDArray[Any]:
        """The answers of all calls."""
        return self.maps[self.network.answer]


def letters(network: QuantizedNetwork) -> list[str]:
    """Return the characters by their numbers, as the classes of a network name them."""
    names = {"newline": "\n", "space": " "}
    return [names.get(name, name) for name in network.graph.class_names]


def chosen(logits: NDArray[np.float64], temperature: float, rng: np.random.Generator) -> int:
    """Return the number of a drawn character; each draw takes one number of the generator."""
    drawn = rng.random()
    if temperature == 0:
        return int(logits.argmax())
    shares = np.exp((logits - logits.max()) / temperature)
    return int(
        np.searchsorted(np.cumsum(shares) / shares.sum(), drawn, side="right").clip(
            max=len(shares) - 1
        )
    )
