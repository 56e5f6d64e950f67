"""The report of `hwgen results`: what runs of complete networks have measured, a row for each.

`Outcome` is never a field that somebody sets: `outcome_of` derives it from measured counts, and a
row whose outcome does not follow from its counts is refused, also when it is read from a file.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError
from hwgen.files.load import EXACT
from hwgen.report.types import Count, Digest, Fraction

Outcome = Literal["equal", "values differ", "cycles or events differ", "not simulated", "failed"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Training:
    """How a network was trained.

    state: epochs of each phase that really ran, `random weights` or `not recorded`
    short: too little for its activations to be those of a trained network
    accuracy: fraction of `test_images` that its integers get right; null: not measured
    accuracy_float: before pruning and integers, the base of `accuracy`; null: not recorded
    """

    state: str
    short: bool
    accuracy: Fraction | None
    test_images: Count | None
    accuracy_float: Fraction | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Case:
    """What runs, and where the run comes from.

    network_digest, configuration_digest, images_digest: of the inputs
    sparsity: switches that are on, or `none`
    batch: images of one run of the chip; images: of all runs
    code: digest of the code that decides a result
    commit: of that code, marked + where files differ from it; null: not known
    machine: processor kind and cores, without a name
    command: `hwgen run` of the same case, with file names instead of paths
    """

    network: str
    network_digest: Digest
    training: Training
    architecture: str
    configuration_digest: Digest
    sparsity: str
    engine: Literal["model", "rtl"]
    batch: Annotated[int, Field(ge=1)]
    images: Annotated[int, Field(ge=1)]
    images_name: str
    images_digest: Digest
    code: Digest
    commit: str | None
    machine: str
    command: str


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Measured:
    """What a run has measured; counts are sums over all images and runs.

    steps: of the program
    maps: of one image; each is compared, or fused: the chip never stores it whole
    runs_equal: runs in which each step and counter is that of the model
    images_equal: images of which every element of each compared map is golden's
    bit_columns: mean bit planes with a one in a group of inputs, of 8; null: no layer has groups
    difference: the first one, in words; null: none
    seconds: wall time of compile, golden, model, build (of the simulator) and rtl
    """

    program_digest: Digest
    steps: Count
    maps: Count
    maps_compared: Count
    maps_fused: Count
    mismatches: Count | None
    runs: Count
    runs_equal: Count
    images_equal: Count
    cycles_model: Count
    cycles_rtl: Count | None
    load_cycles_model: Count
    load_cycles_rtl: Count | None
    bit_columns: Annotated[float, Field(ge=0, le=8)] | None
    difference: str | None
    seconds: dict[str, float]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ResultRow:
    """One case and what became of it.

    measured: null if the run failed; failure: its sentence, else null
    """

    format: Literal["hwgen.report.result"]
    version: Literal[1]
    case: Case
    measured: Measured | None
    failure: str | None
    outcome: Outcome

    @model_validator(mode="after")
    def follows(self) -> Self:
        """Refuse an outcome that the measured counts do not give."""
        derived = outcome_of(self.case, self.measured)
        if self.outcome != derived or (self.failure is None) == (self.measured is None):
            raise FieldError("outcome", f"{derived}, as the counts say", self.outcome)
        return self


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ResultsReport:
    """All rows of a folder."""

    format: Literal["hwgen.report.results"]
    version: Literal[1]
    rows: list[ResultRow]

    @property
    def sound(self) -> bool:
        """Whether no run failed and none differs."""
        return all(row.outcome in ("equal", "not simulated") for row in self.rows)


def row_of(case: Case, measured: Measured | None, failure: str | None = None) -> ResultRow:
    """Return the row of a case, with the outcome that its counts give."""
    return ResultRow(
        format="hwgen.report.result",
        version=1,
        case=case,
        measured=measured,
        failure=failure,
        outcome=outcome_of(case, measured),
    )


def outcome_of(case: Case, measured: Measured | None) -> Outcome:
    """Return what the counts say; `equal` needs each of them."""
    if measured is None:
        return "failed"
    if case.engine != "rtl":
        return "not simulated"
    whole = measured.maps_compared + measured.maps_fused == measured.maps
    compared = measured.mismatches == 0 and measured.maps_compared > 0 and whole
    if not compared or measured.images_equal != case.images:
        return "values differ"
    in_time = (
        measured.cycles_rtl == measured.cycles_model
        and measured.load_cycles_rtl == measured.load_cycles_model
        and 0 < measured.runs == measured.runs_equal == case.images // case.batch
    )
    return "equal" if in_time and measured.difference is None else "cycles or events differ"


REPORTS: dict[str, type] = {"results": ResultsReport}
"""By the name of the schema."""
