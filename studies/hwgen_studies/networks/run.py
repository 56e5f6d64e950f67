"""`hwgen results`: complete networks on a chip, one record for each run, and the table of all.

Each run is a process that leaves its row in a folder. A row of the same network, chip, images and
code is cached, so an interrupted command resumes. A run that fails leaves a row as well.
"""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from re import sub

from pydantic import TypeAdapter, ValidationError

from hwgen.commands.context import Context
from hwgen.commands.fields import images_of
from hwgen.commands.images import choose_images
from hwgen.commands.subject import load_subject
from hwgen.errors import FormatError
from hwgen.files.leash import leashed
from hwgen.files.load import first_mistake
from hwgen.report.files import write_report
from hwgen_studies.networks.case import case_of
from hwgen_studies.networks.report import Case, ResultRow, ResultsReport, row_of
from hwgen_studies.networks.request import ResultsRequest

NOT_COMPARED = {"training", "commit", "machine", "command"}
"""Facts of a case that decide no result."""
LOGS = "logs"
"""Folder, beside the records, of what the runs said."""
PATIENCE_SECONDS = 10
"""How long a process may clean up after it is asked to end."""
POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A case with the file of its row, and the arguments of the process that runs it."""

    case: Case
    record: Path
    arguments: Sequence[str]
    paths: Sequence[Path]


def run_results(request: ResultsRequest) -> ResultsReport:
    """Run every case that has no row yet; return all rows of the folder."""
    run_cases(request)
    return read_results(Path(request.runs))


def run_cases(request: ResultsRequest) -> list[ResultRow]:
    """Run every case that has no row yet; return the rows of the request."""
    context = request.quiet
    cases = list(planned(context, request))
    waiting = [each for each in cases if not is_done(each)]
    for each, failure in in_processes(waiting, jobs=request.jobs):
        if failure is not None:
            row = row_of(each.case, None, without_folders(failure, each.paths))
            write_report(row, each.record)
        row = read_row(each.record)
        context.say(f"{each.record.stem}: {row.failure or row.outcome}")
    return [read_row(each.record) for each in cases]


def planned(context: Context, request: ResultsRequest) -> Iterator[Planned]:
    """Yield all cases of a request."""
    data = images_of(request.data)
    for file, batch, sparsity in product(request.networks, request.batch, request.sparsity):
        network, arch = Path(file), Path(request.architecture or "")
        subject = load_subject(network, arch, sparsity, run_images=batch)
        chosen = choose_images(subject.network, data, request.images or batch)
        named = None if data is None else str(data)
        case = case_of(subject, chosen, engine=request.engine, sparsity=sparsity, data=named)
        record = Path(request.runs) / f"{name_of(case)}.json"
        given = [] if named is None else ["--data", named]
        yield Planned(
            case=case,
            record=record,
            arguments=[
                *("result", str(network), str(arch), *given),
                *("--sparsity", sparsity, "--batch", str(batch), "--images", str(case.images)),
                *("--engine", request.engine, "--record", str(record)),
                *("--work", str(context.work)),
            ],
            paths=[network, arch, record, context.work.absolute(), context.work],
        )


def name_of(case: Case) -> str:
    """Return the name of a record: cases with different names are different rows.

    Networks of one name, such as those of one recipe with other seeds, differ in their digest.
    """
    count = "" if case.images == case.batch else f"-images{case.images}"
    engine = "" if case.engine == "rtl" else f"-{case.engine}"
    name = f"{case.network}-{case.network_digest[:8]}-{case.architecture}-{case.sparsity}"
    name = f"{name}-batch{case.batch}{count}{engine}"
    return sub(r"[^\w-]", "_", name)


def is_done(each: Planned) -> bool:
    """Return whether a case has a row; the row takes over what is now known of the training."""
    if not each.record.is_file():
        return False
    row = read_row(each.record)
    if row.measured is None or not same_inputs(row.case, each.case):
        return False
    if row.case.training != each.case.training:
        case = replace(row.case, training=each.case.training)
        write_report(row_of(case, row.measured), each.record)
    return True


def same_inputs(one: Case, other: Case) -> bool:
    """Return whether two cases must give the same result."""
    names = set(vars(one)) - NOT_COMPARED
    return all(getattr(one, name) == getattr(other, name) for name in names if name[0] != "_")


def read_results(folder: Path) -> ResultsReport:
    """Return all rows of a folder, the small batches first."""
    rows = [read_row(file) for file in sorted(folder.glob("*.json"))]
    rows.sort(key=lambda row: (row.case.batch, row.case.network.lower(), row.case.sparsity))
    return ResultsReport(format="hwgen.report.results", version=1, rows=rows)


def read_row(path: Path) -> ResultRow:
    """Return one row; every mistake in the file is one sentence."""
    try:
        return TypeAdapter(ResultRow).validate_json(path.read_bytes())
    except ValidationError as error:
        raise first_mistake(error, str(path), FormatError) from None


def in_processes(each: Sequence[Planned], *, jobs: int) -> Iterator[tuple[Planned, str | None]]:
    """Run cases, each in a process; yield each that has ended and its error, None without one."""
    waiting = deque(each)
    running: list[tuple[Planned, subprocess.Popen[str]]] = []
    with ExitStack() as started:
        while waiting or running:
            while waiting and len(running) < jobs:
                case = waiting.popleft()
                running.append((case, started.enter_context(started_process(case))))
            ended = [pair for pair in running if pair[1].poll() is not None]
            running = [pair for pair in running if pair not in ended]
            for case, process in ended:
                yield case, failure_of(process.returncode, log_of(case))
            if not ended:
                time.sleep(POLL_SECONDS)


@contextmanager
def started_process(each: Planned) -> Iterator["subprocess.Popen[str]"]:
    """Start the process of a case; what it says of its progress goes to a log.

    It ends with the body: asked first, so that it cleans up.
    """
    command = [sys.executable, "-m", "hwgen", *each.arguments]
    path = log_of(each)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as log, leashed(command, out=subprocess.DEVNULL, err=log) as process:
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_SECONDS)


def log_of(each: Planned) -> Path:
    """Return the log of a case."""
    return each.record.parent / LOGS / f"{each.record.stem}.log"


def failure_of(code: int, log: Path) -> str | None:
    """Return the last line that a process printed to stderr; None for one that succeeded."""
    if code == 0:
        return None
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [text.strip() for text in lines if text.strip()]
    return f"exit code {code}: {said[-1].removeprefix('hwgen: ') if said else 'nothing said'}"


def without_folders(text: str, paths: Sequence[Path]) -> str:
    """Return a text with names of files in the place of their paths."""
    for path in sorted(paths, key=lambda each: -len(str(each))):
        if path.parent != path:
            text = text.replace(str(path), path.name)
    return text
