"""`hwgen text`: a language model on a chip writes on, some tokens a call.

Tests: `tests/commands/test_text.py`.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rich.console import RenderableType

from hwgen.chip.runs import SimulatedRun
from hwgen.commands.engines import Engine, simulate
from hwgen.commands.fields import LARGEST_SEED, Count, File, Real, Whole, path_of
from hwgen.commands.images import batch_of
from hwgen.commands.on_chip import OnChip
from hwgen.commands.prices import EnergyFile, Prices, counted_events
from hwgen.commands.request import Says
from hwgen.commands.subject import Subject, model_of, program_of
from hwgen.commands.writing_on import NO_DRAFTS, Drafts, Turn, chosen, drafts_of, write_on
from hwgen.network import QuantizedNetwork
from hwgen.network.append import pixels_of
from hwgen.network.decoding import decode
from hwgen.network.vocabulary import UnknownLetterError, Vocabulary, vocabulary_of
from hwgen.report.tables import text_table
from hwgen.report.text import TextReport

DRAFTED = 8
"""Tokens of a call with drafts: more wait for the same weights, of which ever fewer are right."""


@dataclass(frozen=True)
class WriteText(OnChip, command="text", example="network.npz chip.yaml --tokens 60"):
    """Let a language model write on, token by token: characters, or pieces of a tokenizer.

    A call of the chip takes several tokens: of the prompt, or drafts of what probably comes next,
    which count where the model would have written the same. So the text is that of a call for each
    token. When the context is full, its last half is read again.

    golden: the integers of the NumPy reference, whatever the chip. model: cycles and energy of each
    call, too. rtl: the Verilog, simulated: every answer must be golden's. The text is the same by
    all three, and the same seed gives the same text. Exit code 1 if an answer differs.
    """

    _: KW_ONLY
    prompt: Annotated[str, Field(min_length=1), Says("text to begin with", metavar="TEXT")] = "She "
    tokens: Annotated[
        Count, Says("characters, or pieces of a tokenizer, to write", metavar="N")
    ] = 60
    tokens_a_call: Annotated[
        Count | None,
        Says(f"tokens that a call takes [default: {DRAFTED} with --drafts, else 1]", metavar="K"),
    ] = None
    drafts: Annotated[
        Sequence[File],
        Says(
            "a text that teaches which token probably comes next, UTF-8, plain or packed by"
            " gzip; given again for more [default: no drafts]",
            metavar="FILE",
            typed=list[Path],
            read=tuple,
        ),
    ] = ()
    seed: Annotated[
        Annotated[Whole, Field(ge=0, le=LARGEST_SEED)], Says("of the choice of characters")
    ] = 1
    temperature: Annotated[
        Annotated[Real, Field(ge=0, le=10)],
        Says("0: always the likeliest character; 1: as the model foresees"),
    ] = 0.6
    top_k: Annotated[
        Count | None, Says("choose among the likeliest N alone [default: all]", metavar="N")
    ] = None
    top_p: Annotated[
        Annotated[Real, Field(ge=0.01, le=1)],
        Says("choose among the likeliest that together have this share"),
    ] = 1.0
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
        if network.tokenizer is None and not network.graph.class_names:
            allowed = "one whose tokens have names: import it with --classes or --tokenizer"
            raise self.refusal("network", allowed, network.graph.name)
        begun = self.begun(network)
        at_once = self.tokens_a_call or tried(network, drafts=bool(self.drafts))
        golden = GoldenCalls(network, at_once)
        written, turns = self.write(golden, begun)
        found: dict[str, Any] = {}
        equal = None
        if self.engine != "golden":
            found, answers = self.on_chip(subject, golden, turns, len(written))
            if answers is not None:
                again, _ = self.write(Replayed(golden, answers), begun)
                equal = again == written and all(map(np.array_equal, answers, golden.answers))
        words, prompt = begun.vocabulary, begun.codes
        return TextReport(
            format="hwgen.report.text",
            version=2,
            network=subject.network_source,
            architecture=subject.arch_source,
            engine=self.engine,
            prompt=self.prompt,
            text=words.decode([*prompt, *written])[len(words.decode(prompt)) :],
            written=len(written),
            calls=len(turns),
            tokens_a_call=golden.at_once,
            drafts=sum(len(turn.tokens) - turn.known for turn in turns),
            right_drafts=sum(turn.right - turn.known for turn in turns),
            calls_again=sum(turn.again for turn in turns),
            seed=self.seed,
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            equal=equal,
            **found,
        )

    def begun(self, network: QuantizedNetwork) -> "Begun":
        """Return the prompt and the drafts in tokens of a network."""
        words = vocabulary_of(network)
        try:
            codes = words.encode(self.prompt)
        except UnknownLetterError as error:
            raise self.refusal("prompt", error.allowed, error.letter) from None
        drafts = NO_DRAFTS
        if self.drafts:
            from hwgen.train.characters.text import content_of

            texts = (content_of(Path(file))[1] for file in self.drafts)
            drafts = drafts_of((words.known(text) for text in texts), words.size)
        return Begun(words, codes, drafts)

    def write(
        self, calls: "GoldenCalls | Replayed", begun: "Begun"
    ) -> tuple[list[int], list[Turn]]:
        """Return the tokens that follow the prompt, and the calls."""
        rng = np.random.default_rng(self.seed)

        def choose(logits: NDArray[np.float64]) -> int:
            return chosen(logits, self.temperature, rng, top_k=self.top_k, top_p=self.top_p)

        return write_on(
            begun.codes,
            self.tokens,
            step=calls.step,
            choose=choose,
            context=calls.network.graph.positions or None,
            at_once=calls.at_once,
            drafts=begun.drafts,
            ends=begun.vocabulary.ends,
        )

    def programs(self, subject: Subject, calls: "GoldenCalls") -> list[Any]:
        """Return the programs of several tokens a call and of one, those that calls need."""
        subjects = [replace(subject, network=each) for each in calls.networks]
        return [program_of(self.quiet, each) for each in subjects[: 1 + max(calls.used)]]

    def predicted(
        self, subject: Subject, calls: "GoldenCalls", positions: Sequence[int]
    ) -> list[Any]:
        """Return the cycle model's prediction of each call."""
        models: list[Any] = [
            model_of(self.quiet, subject).CycleModel(program, subject.arch)
            for program in self.programs(subject, calls)
        ]
        placed = bool(subject.network.graph.positions)
        found = []
        with self.quiet.progress("cycle model", len(positions)) as done:
            for number, maps, place in zip(calls.used, calls.maps, positions, strict=True):
                given = {"position": place} if placed else {}
                found.append(models[number].predict(maps, **given))
                done()
        return found

    def on_chip(
        self, subject: Subject, golden: "GoldenCalls", turns: Sequence[Turn], count: int
    ) -> tuple[dict[str, Any], list[NDArray[Any]] | None]:
        """Return what each of `count` tokens takes, and of a simulation the answers."""
        network = subject.network
        predictions = self.predicted(subject, golden, [turn.position for turn in turns])
        programs = self.programs(subject, golden)
        runs: Sequence[Any] = predictions
        answers = None
        if self.engine == "rtl":
            runs = self.simulated(subject, golden, turns, predictions)
            answers = [run.maps[0][network.answer] for run in runs]
        chip = subject.timed
        cycles, events = sum(run.cycles for run in runs), counted_events(runs)
        prices = Prices(subject.family, path_of(self.energy))
        outside = prices.outside_bytes(events, subject.arch, programs[0], images=len(runs))
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

    def simulated(
        self,
        subject: Subject,
        golden: "GoldenCalls",
        turns: Sequence[Turn],
        predictions: Sequence[Any],
    ) -> Sequence[SimulatedRun]:
        """Return the runs of the Verilog, one a call."""
        programs = self.programs(subject, golden)
        network = golden.networks[0]
        first = np.zeros((1, *network.graph.input.shape), np.uint8)
        about = batch_of(network, first, None, name="text", split="all", count=None)
        images: Any = golden.images
        return simulate(
            self.quiet,
            subject,
            programs[0],
            replace(about, images=images, modes=(0,) * len(images)),
            predictions=predictions,
            seed=1,
            calls=[
                (turn.position, number) for turn, number in zip(turns, golden.used, strict=True)
            ],
            others=programs[1:],
        )

    def table(self, report: TextReport) -> RenderableType:
        """Return the text and what it takes."""
        return text_table(report)

    def agrees(self, report: TextReport) -> bool:
        """Return whether no answer differs."""
        return report.equal is not False


def tried(network: QuantizedNetwork, *, drafts: bool) -> int:
    """Return the tokens that a call takes where nobody says how many."""
    return min(DRAFTED, network.graph.positions or 1) if drafts else 1


def of_tokens(network: QuantizedNetwork, tokens: int) -> QuantizedNetwork:
    """Return the network with some tokens a call."""
    if pixels_of(network.graph.input) == tokens:
        return network
    return decode(network, tokens=tokens)


@dataclass(frozen=True)
class Begun:
    """A text that is begun, in tokens, and what teaches how it may go on."""

    vocabulary: Vocabulary
    codes: list[int]
    drafts: Drafts


class GoldenCalls:
    """Calls by golden, of several tokens and of one: their images, and their maps.

    networks: of `at_once` tokens a call, and of one; used: number of that of each call
    """

    def __init__(self, network: QuantizedNetwork, at_once: int) -> None:
        from golden.states import Session

        self.at_once, self.network = at_once, network
        self.networks = [of_tokens(network, each) for each in dict.fromkeys((at_once, 1))]
        self.sessions = [Session(each) for each in self.networks]
        self.images: list[NDArray[np.uint8]] = []
        self.maps: list[dict[str, NDArray[Any]]] = []
        self.used: list[int] = []

    def step(self, tokens: Sequence[int], position: int) -> NDArray[np.float64]:
        """Return the logits behind each of some tokens, (tokens, classes), from a position on."""
        number = int(len(tokens) == 1 < self.at_once)
        session = self.sessions[number]
        image, rows = session.network.graph.input, self.network.token_rows
        assert rows is not None
        codes = np.pad(np.array([tokens]), ((0, 0), (0, pixels_of(image) - len(tokens))))
        places = position + np.arange(codes.shape[1])[np.newaxis]
        images = rows.images(codes, image, "the text", positions=places)
        maps = session.step(images, position)
        for other in self.sessions:
            other.states = session.states
        self.images.append(images[0])
        self.maps.append(maps)
        self.used.append(number)
        return self.real(self.answers[-1])[: len(tokens)]

    def real(self, answer: NDArray[Any]) -> NDArray[np.float64]:
        """Return the logits of an answer, (tokens, classes)."""
        values = self.network.map_of(self.network.answer).quantization[0]
        integers = answer.reshape(-1, answer.shape[-1]).astype(np.float64)
        logits: NDArray[np.float64] = (integers - values.zero_point) * values.scale
        return logits

    @property
    def answers(self) -> list[NDArray[Any]]:
        """The answers of all calls."""
        return [maps[self.network.answer][0] for maps in self.maps]


class Replayed:
    """Calls whose answers are known, as a simulation found them."""

    def __init__(self, golden: GoldenCalls, answers: Sequence[NDArray[Any]]) -> None:
        self.network, self.at_once = golden.network, golden.at_once
        self.real, self.answers = golden.real, iter(answers)

    def step(self, tokens: Sequence[int], position: int) -> NDArray[np.float64]:
        """Return the logits of the next call."""
        return self.real(next(self.answers))
