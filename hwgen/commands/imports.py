"""`hwgen import`: a file of another format as a quantized network file.

Tests: `tests/commands/test_fit.py`.
"""

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field
from rich.console import RenderableType

from hwgen.commands.cut import Cutting, plan_instead
from hwgen.commands.described import Writing
from hwgen.commands.exchange import calibrated_graph
from hwgen.commands.fields import Count, File, NetworkOut, path_of, words
from hwgen.commands.files import read_graph
from hwgen.commands.plans import Wanted
from hwgen.commands.request import OUTPUT_FILE, OUTPUT_FOLDER, Request, Says
from hwgen.errors import RefusedNetworkError, with_near
from hwgen.files.earlier import ONNX_FILES
from hwgen.importers.integer.arithmetic import Choice, kernels_of
from hwgen.importers.integer.refused import calibrated
from hwgen.network.vocabulary import read_vocabulary
from hwgen.report.import_tables import import_table
from hwgen.report.imports import ImportReport
from hwgen.report.plans import PlanReport, plan_table

NO_STATE = "none"
"""What `--state` says where inputs stay inputs."""


@dataclass(frozen=True)
class ImportNetwork(Request, command="import", example="network.tflite --out build/network.npz"):
    """Import a quantized network: TFLite with integers, or ONNX with QDQ, found by its content.

    Signed maps become unsigned by an offset, exactly; sums round as the runtime's do. What is not
    exact is printed with its largest effect. All nodes that are not supported are listed at
    once, before anything is computed.

    Raises RefusedNetworkError, which names every node that stands in the way, and FormatError for
    a file that is damaged or of another kind.
    """

    file: Annotated[
        File, Says("a quantized network in TFLite or ONNX", metavar="FILE", argument=True)
    ]
    out: NetworkOut
    _: KW_ONLY
    dataset: Annotated[str, Says("images of hwgen run where none are given", metavar="NAME")] = ""
    class_names: Annotated[
        Sequence[str],
        Says(
            "names of the classes, separated by commas",
            metavar="NAMES",
            names=("--classes",),
            typed=list[str],
            read=words,
        ),
    ] = ()
    calibrate: Annotated[
        File | None,
        Says(
            "quantize a float ONNX file with these images: a .npz with `images`, or a .npy; NHWC,"
            " or with up to two axes as the network reads them, such as (images, tokens, channels);"
            " uint8 (a step is 1/255) or float32; or a text of token ids, a line a sequence",
            metavar="IMAGES",
        ),
    ] = None
    qdq: Annotated[
        File | None,
        Says(
            "write the quantized ONNX file, too (with --calibrate)",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=ONNX_FILES,
        ),
    ] = None

    state: Annotated[
        Sequence[str],
        Says(
            "an input of the file, and the output that it becomes for the next call; given again"
            " for more; none: no input [default: those of LSTM, GRU and RNN] (with --calibrate)",
            metavar="IN=OUT",
            typed=list[str],
            read=tuple,
        ),
    ] = ()
    positions: Annotated[
        int,
        Says(
            "rows of the caches of a decoder's step: past and present, by Concat, a scatter or a"
            " Where; the images are sequences of as many tokens (with --calibrate)",
            metavar="N",
        ),
    ] = 0
    decode: Annotated[
        bool,
        Says(
            "make the step of a decoder of whole sequences: a token a call, with caches that the"
            " chip keeps"
        ),
    ] = False
    pad_heads: Annotated[
        Count | None,
        Says(
            "pad the channels of each head by zeros to a multiple of N, as a chip's words want it"
            " [default: they stay]",
            metavar="N",
        ),
    ] = None
    tokenizer: Annotated[
        File | None,
        Says("a tokenizer.json, or a file of llama2.c, for hwgen text", metavar="FILE"),
    ] = None
    chip: Annotated[
        File | None,
        Says(
            "cut the file between this chip (.yaml, a name that ships, or golden) and its host,"
            " where it is not taken whole and equal",
            metavar="CHIP",
        ),
    ] = None
    strict: Annotated[
        bool, Says("what is announced as not exact goes to the host, too (with --chip)")
    ] = False
    differ: Annotated[
        bool, Says("what differs from the runtime stays on the chip (with --chip)")
    ] = False
    least: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        Says("share of the multiply-accumulates that must be on the chip (with --chip)"),
    ] = None
    pieces: Annotated[
        File | None,
        Says(
            "write each piece as a file of its own, too (with --chip)",
            metavar="FOLDER",
            use=OUTPUT_FOLDER,
        ),
    ] = None
    kernels: Annotated[
        Choice,
        Says(
            "how sums round: as the runtime's default kernels (XNNPACK, onnxruntime), as the"
            " reference kernels of LiteRT, or half_up, which every chip runs; a file that"
            " export-onnx wrote says so itself"
        ),
    ] = "default"

    no_check: Annotated[
        bool, Says("leave out the run of the file in its runtime, which judges the network")
    ] = False

    def check(self) -> None:
        """Refuse an unknown set of images, and a quantized file where nothing is quantized."""
        from hwgen.data import DATASETS

        if self.dataset and self.dataset not in DATASETS:
            allowed = f"one of {', '.join(DATASETS)}, or left out"
            raise self.refusal("dataset", allowed, with_near(self.dataset, DATASETS))
        if self.qdq is not None and self.calibrate is None:
            raise self.refusal("qdq", "given with --calibrate", self.qdq)
        if self.state and self.calibrate is None:
            raise self.refusal("state", "given with --calibrate", self.state[0])
        if self.positions and (self.calibrate is None or self.state or self.positions < 2):
            allowed = "2 or more, given with --calibrate and without --state"
            raise self.refusal("positions", allowed, self.positions)
        if self.decode and (self.positions or self.state):
            raise self.refusal("decode", "left out beside --positions and --state", "it")
        for each in self.state:
            if each.count("=") != 1 and each != NO_STATE:
                raise self.refusal("state", "INPUT=OUTPUT, or none", each)
        if self.tokenizer is not None:
            read_vocabulary(Path(self.tokenizer))
        self.check_cut()

    def check_cut(self) -> None:
        """Refuse what only a cut has without a chip, and a cut of what cannot be cut."""
        for name in ("strict", "differ", "least", "pieces"):
            if getattr(self, name) not in (None, False) and self.chip is None:
                raise self.refusal(name, "given with --chip", getattr(self, name))
        if self.strict and self.differ:
            raise self.refusal("differ", "left out where --strict is given", "it")
        if self.chip is not None and self.is_whole:
            given = "--state, --positions, --decode, --pad-heads, --tokenizer and --kernels"
            allowed = f"left out beside {given}"
            raise self.refusal("chip", allowed, self.chip)

    @property
    def states(self) -> dict[str, str] | None:
        """By input of the file the output that it becomes; None: those of recurrent nodes."""
        if not self.state:
            return None
        return dict(each.split("=") for each in self.state if each != NO_STATE)

    @property
    def is_whole(self) -> bool:
        """Whether what is asked for is of a network in one piece, and no plan has it."""
        of_calls = self.state or self.positions or self.decode
        return bool(of_calls or self.pad_heads or self.tokenizer or self.kernels != "default")

    def run(self) -> ImportReport | PlanReport:
        """Write the network, or the plan of one that is cut."""
        writing = Writing(
            file=Path(self.file),
            out=Path(self.out),
            dataset=self.dataset,
            class_names=self.class_names,
            decode=self.decode,
            pad_heads=self.pad_heads or 1,
            positions=self.positions,
            check=not self.no_check,
            tokenizer=path_of(self.tokenizer),
        )
        with calibrated() if self.calibrate is not None else nullcontext():
            if self.chip is not None:
                wanted = Wanted(
                    chip=Path(self.chip), strict=self.strict, differ=self.differ, least=self.least
                )
                cutting = Cutting(writing, wanted, path_of(self.calibrate), path_of(self.qdq))
                return cutting.run(path_of(self.pieces))
            with tempfile.TemporaryDirectory() as folder:
                calibrate = path_of(self.calibrate)
                quantized = Path(self.file)
                if calibrate is not None:
                    quantized = path_of(self.qdq) or Path(folder) / quantized.name
                try:
                    return self.imported(writing, calibrate, quantized)
                except RefusedNetworkError as refused:
                    if self.is_whole:
                        raise
                    return plan_instead(refused, quantized, writing.file, writing.out)

    def imported(self, writing: Writing, calibrate: Path | None, quantized: Path) -> ImportReport:
        """Write the network; quantized: where a float file goes that is quantized."""
        graph, made = (
            (read_graph(quantized), None)
            if calibrate is None
            else calibrated_graph(
                Path(self.file),
                calibrate,
                quantized,
                states=self.states,
                positions=self.positions,
            )
        )
        own = kernels_of(self.kernels, graph.format, source=graph.source)
        return writing.write(graph, made, graph.kernels or own)

    def agrees(self, report: ImportReport | PlanReport) -> bool:
        """Return whether nothing was found that no line names; a finished plan must be equal."""
        if isinstance(report, PlanReport):
            return self.differ or report.equal is not False
        return report.content.judged is None or not report.content.judged.unforeseen

    def table(self, report: ImportReport | PlanReport) -> RenderableType:
        """Return the layers, and what is not exact; of a plan its pieces."""
        return plan_table(report) if isinstance(report, PlanReport) else import_table(report)
