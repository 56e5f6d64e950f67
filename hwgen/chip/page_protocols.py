"""What a family may offer beside its chips, as types: graphs, synthesis, documents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from hwgen.chip.synthesis_request import Choice, Context, SynthesisRequest

if TYPE_CHECKING:
    from rich.console import RenderableType


class Graphs(Protocol):
    """Networks without weights, as a synthesis sees them.

    graph_info: facts of an ONNX file, or of a network that ships, by its name
    graph_operators: what each operator of ONNX becomes, by its name
    placement_parts: which macro of a chip holds what, of the configuration of an architecture
    graph_parts: tables of those facts; write_network: an ONNX file of a network that ships
    network_names: the networks that ship
    """

    def graph_info(self, network: str, size: tuple[int, ...] | None = None) -> Any: ...
    def graph_operators(self) -> dict[str, str]: ...
    def network_names(self) -> Sequence[str]: ...
    def graph_parts(self, info: Any) -> "Iterable[RenderableType]": ...
    def placement_parts(
        self, configuration: Mapping[str, object]
    ) -> "Iterable[RenderableType]": ...
    def write_network(self, name: str, out: Path) -> str: ...


class Synthesized(Protocol):
    """Result of a synthesis: the folder it wrote, its files, its report, if the budget holds.

    files: that lie in the folder, the architecture first
    """

    @property
    def folder(self) -> Path: ...
    @property
    def files(self) -> tuple[str, ...]: ...
    @property
    def report(self) -> Any: ...
    @property
    def within_budget(self) -> bool: ...


class Synthesis(Protocol):
    """From a network and a power budget to an architecture and a schedule.

    COMPONENTS: the table of components that is read where none is given; COMPONENTS_FORMAT: of it
    """

    @property
    def COMPONENTS(self) -> Path: ...  # noqa: N802
    @property
    def COMPONENTS_FORMAT(self) -> str: ...  # noqa: N802

    def synthesize_network(self, context: Context, request: SynthesisRequest) -> Synthesized: ...
    def erring_chip(self, choice: Choice) -> Any:
        """Return the chip of a choice, as what computes as the family's devices do takes it."""

    def synthesis_table(self, report: Any) -> "RenderableType": ...


class ReportSchemas(Protocol):
    """Types of the reports that only this family writes, by the name of their schema."""

    @property
    def REPORTS(self) -> Mapping[str, type]: ...  # noqa: N802


@dataclass(frozen=True, kw_only=True)
class DataSheet:
    """Modules of a family's facts from which `hwgen.report.data_sheet` writes the data sheet.

    facts: the package, with `Arch`; host, registers, storage, timing: modules in it
    """

    facts: ModuleType
    host: ModuleType
    registers: ModuleType
    storage: ModuleType
    timing: ModuleType

    @classmethod
    def of(cls, facts: str) -> "DataSheet":
        """Return the modules of a package, by its name."""
        names = ("host", "registers", "storage", "timing")
        modules = {name: import_module(f"{facts}.{name}") for name in names}
        return cls(facts=import_module(facts), **modules)
