"""The published networks as Markdown, for a page, and as a table, for the terminal."""

from collections.abc import Iterator
from itertools import groupby

from rich.console import Group, RenderableType

from hwgen.report.agreement import AgreementReport, LayerAgreement
from hwgen.report.files import report_text
from hwgen.report.fit import FitReport
from hwgen.report.sheet import Sheet
from hwgen.report.tables import NOTHING, number, table
from hwgen_studies.mlperf_tiny.report import DENSE, SPARSE, MlperfTinyReport, TinyNetwork, TinyRun

NAME = "mlperf-tiny"
RUN_COLUMNS = (
    "network",
    "weights",
    "switches",
    "judged",
    "model cycles",
    "RTL cycles",
    "load stalls",
    "outcome",
    "speed-up",
)
SHOWN = ("network", "weights", "judged", "model", "RTL", "outcome", "speed-up")
AGREEMENT_COLUMNS = (
    "network",
    "kernels",
    "inputs",
    "layers, same inputs: least equal, largest step",
    "answer: equal",
    "one step",
    "more",
    "largest step",
    "top classes equal",
    "accuracy golden",
    "accuracy LiteRT",
)
LAYER_COLUMNS = (
    "network",
    "layers",
    "equal",
    "one step",
    "largest",
    "equal",
    "one step",
    "more",
    "largest",
)
RUNS_TEXT = (
    "Each network runs dense, as published with the switch `weight_bits` off (digits off) and with"
    " all switches on (digits on: weights of three and four signed digits are walked twice), and"
    " behind `hwgen fit` with all switches on. Cycles are sums over the inputs of a run. `equal`:"
    " every element of each map is golden's, and every cycle, step and counter the cycle model's."
    " Load stalls: cycles in which nothing computes because a load is pending. Speed-up: cycles of"
    " the dense run over those of the row. Judged: accuracy where labels are known, else how many"
    " inputs have the top class of the published weights, and the mean difference of an element of"
    " the answer in its steps; on the inputs that did not measure the fit."
)
AGREEMENT_TEXT = (
    "Golden against the runtime, answers before a Softmax that the file ends with: every layer in"
    " the arithmetic of LiteRT's reference kernels (`hwgen import --kernels reference`), the"
    " answers alone in that of its default kernels (XNNPACK), which keep no layer visible."
)
FOR = (
    "For who asks whether published int8 networks give the same answers on a chip, and how fast;"
    " five minutes."
)
LAYERS_TEXT = (
    "Layers that agree alike, one after another, are a row. Left: each layer on the runtime's"
    " inputs. Right: end to end."
)


def mlperf_tiny_page(report: MlperfTinyReport) -> str:
    """Return a page of Markdown: runs, agreement, layers, and where the figures come from."""
    title = f"# Published networks of MLPerf Tiny on {report.architecture.name}"
    runs = (run_cells(network, run) for network, run in runs_of(report))
    lines = [title, "", FOR, "", RUNS_TEXT, "", *Sheet(RUN_COLUMNS, runs).markdown()]
    lines += ["", "## Agreement with LiteRT", "", AGREEMENT_TEXT, ""]
    lines += Sheet(AGREEMENT_COLUMNS, agreements(report)).markdown()
    lines += ["", "## Layer by layer", "", LAYERS_TEXT, ""]
    lines += Sheet(LAYER_COLUMNS, layer_rows(report)).markdown()
    return "\n".join([*lines, *origin_lines(report)]) + "\n"


def layer_rows(report: MlperfTinyReport) -> Iterator[list[str]]:
    """Yield the layers; those of a network that agree alike, one after another, are a row."""
    for network in report.networks:
        found = [(layer.name, tuple(layer_cells(layer))) for layer in network.agreement.layers]
        for figures, same in groupby(found, key=lambda each: each[1]):
            names = [name for name, _ in same]
            told = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}, {len(names)}"
            yield [network.name, told, *figures]


def agreements(report: MlperfTinyReport) -> Iterator[list[str]]:
    """Yield the cells of each network beside the kernels of its runtime."""
    for network in report.networks:
        for kernels, found in (("reference", network.agreement), ("default", network.answers)):
            inputs = f"{number(found.data.images)} {network.inputs}"
            yield [network.name, kernels, *agreement_cells(found, inputs)]


def runs_of(report: MlperfTinyReport) -> Iterator[tuple[TinyNetwork, TinyRun]]:
    """Yield all runs with their networks."""
    for network in report.networks:
        for run in network.runs:
            yield network, run


def run_cells(network: TinyNetwork, run: TinyRun) -> Iterator[str]:
    """Yield the cells of a run."""
    found = run.row.measured
    yield from (network.name, weights_of(run), run.row.case.sparsity.replace(",", ", "))
    yield judged(network.fit, fitted=run.weights == "fitted")
    yield number(None if found is None else found.cycles_model)
    yield number(None if found is None else found.cycles_rtl)
    yield number(None if found is None else found.load_cycles_model)
    yield run.row.outcome
    yield NOTHING if run.speedup is None else f"{run.speedup:.2f}x"


def weights_of(run: TinyRun) -> str:
    """Return which weights a run has, and whether the chip skips their zero digits."""
    if run.weights == "fitted":
        return "fitted"
    digits = {DENSE: "dense", SPARSE: "digits on"}.get(run.row.case.sparsity, "digits off")
    return f"as published, {digits}"


def judged(fit: FitReport, *, fitted: bool) -> str:
    """Return the accuracy of weights, or how they agree with the published ones."""
    accuracy = fit.accuracy_after if fitted else fit.accuracy_before
    if accuracy is not None:
        return f"{accuracy:.2%} of {number(fit.judged_images)}"
    if not fitted:
        return NOTHING
    same = "" if fit.top_class is None else f"{fit.top_class:.1%} of {fit.judged_images} equal, "
    return f"{same}{fit.mean_difference:.2f} steps"


def agreement_cells(report: AgreementReport, inputs: str) -> Iterator[str]:
    """Yield the cells of an agreement."""
    same = [layer.same_inputs for layer in report.layers]
    yield inputs
    yield (f"{min(each.equal for each in same):.2%}, {report.largest_step}" if same else NOTHING)
    output = report.output
    if output is None:
        yield from [NOTHING] * 4
    else:
        yield from (f"{output.equal:.2%}", number(output.one_step), number(output.larger))
        yield number(output.largest)
    for fraction in (report.top_class, report.accuracy_golden, report.accuracy_runtime):
        yield NOTHING if fraction is None else f"{fraction:.2%}"


def layer_cells(layer: LayerAgreement) -> Iterator[str]:
    """Yield the cells of a layer."""
    same, whole = layer.same_inputs, layer.end_to_end
    yield from (f"{same.equal:.3%}", number(same.one_step))
    yield from (number(same.largest), f"{whole.equal:.3%}", number(whole.one_step))
    yield from (number(whole.larger), number(whole.largest))


def origin_lines(report: MlperfTinyReport) -> Iterator[str]:
    """Yield the versions, files and commands behind the figures."""
    yield from ("", "## Where the figures come from", "")
    runtime = report.networks[0].agreement.runtime.split(",")[0]
    yield f"Commit {report.commit or 'unknown'}, {report.machine}, {runtime}, seed {report.seed}."
    yield ""
    for network in report.networks:
        yield f"- `{network.file.file}`, sha256 {network.file.digest}"
    yield ""
    known: dict[str, list[str]] = {}
    for network, run in runs_of(report):
        case = run.row.case
        switches = f"--sparsity {case.sparsity}"
        command = case.command.replace(network.name, "NETWORK").replace(switches, "--sparsity S")
        told = f"- {case.commit or 'unknown'}, {case.machine}: `{command}`"
        known.setdefault(told, [])
        if case.sparsity not in known[told]:
            known[told].append(case.sparsity)
    for command, sparsity in known.items():
        yield f"{command}, S: {', '.join(f'`{each}`' for each in sparsity)}"


def mlperf_tiny_table(report: MlperfTinyReport) -> RenderableType:
    """Return the runs for the terminal, and how the networks agree with their runtime."""
    rows = table(SHOWN, left=3)
    for network, run in runs_of(report):
        cells = dict(zip(RUN_COLUMNS, run_cells(network, run), strict=True))
        cycles = (cells["model cycles"], cells["RTL cycles"])
        rows.add_row(
            cells["network"],
            cells["weights"],
            cells["judged"],
            *cycles,
            cells["outcome"],
            cells["speed-up"],
        )
    agreed = table(("network", "against", "inputs", "answers equal", "top classes"), left=2)
    for network in report.networks:
        for found in (network.agreement, network.answers):
            numbers = list(agreement_cells(found, number(found.data.images)))
            agreed.add_row(network.name, found.runtime, numbers[0], numbers[2], numbers[6])
    return Group(rows, "", agreed)


def mlperf_tiny_files(report: MlperfTinyReport) -> dict[str, str]:
    """Return the report as a page of Markdown and as JSON, by name."""
    return {f"{NAME}.md": mlperf_tiny_page(report), f"{NAME}.json": report_text(report)}
