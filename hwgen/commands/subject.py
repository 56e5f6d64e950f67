"""What most commands work on: a network, an architecture and the program for both."""

import re
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast

from hwgen.chip.facts import check_same, check_shapes
from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture, CycleModel, Program
from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.commands.clocks import Timed, timed
from hwgen.commands.context import Context
from hwgen.commands.families import InstalledFamily, load_architecture
from hwgen.commands.images import Batch
from hwgen.errors import DataError, FormatError
from hwgen.files.digests import digest_of, digest_of_array, digest_of_code, versions
from hwgen.files.patience import Say
from hwgen.network import QuantizedNetwork
from hwgen.network.densities import Densities
from hwgen.network.file import load_network
from hwgen.report.types import Setting, Source


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network and the chip that it runs on, with the files that they came from.

    run_images: images of one run; replacements: of parts of the chip
    densities: that the network was drawn by, and its maps are; None: it is a network of a person
    """

    network: QuantizedNetwork
    network_file: Path
    family: InstalledFamily
    arch: Architecture
    arch_file: Path
    run_images: int = 1
    replacements: Replacements = NO_REPLACEMENTS
    densities: Densities | None = None

    @property
    def configuration(self) -> dict[str, Any]:
        """The effective configuration of the architecture."""
        return configuration_of(self.arch)

    @property
    def network_source(self) -> Source:
        """The network, for a report."""
        return Source(
            name=self.network.graph.name, file=str(self.network_file), digest=self.network.digest
        )

    @property
    def arch_source(self) -> Source:
        """The architecture, for a report."""
        return Source(name=self.arch.name, file=str(self.arch_file), digest=self.arch.digest)

    @property
    def timed(self) -> Timed:
        """The chip with the clock of its times."""
        return timed(self.family, self.arch, self.arch_file)

    def setting(self, program: Program | None, batch: Batch) -> Setting:
        """Return everything that decides a result; program: None if none was needed."""
        return Setting(
            network=self.network_source,
            architecture=self.arch_source,
            configuration=self.configuration,
            program_digest=None if program is None else digest_of_array(program.image),
            data=batch.about,
            versions=versions(),
        )


def check_stateless(network: QuantizedNetwork, command: str) -> None:
    """Refuse a network whose calls depend on each other where a command takes each image alone."""
    if network.states:
        raise DataError(
            f"hwgen {command} must be given a network without states, got {network.graph.name},"
            f" which has {len(network.states)}"
        )


def configuration_of(arch: Architecture) -> dict[str, Any]:
    """Return every key of an architecture, without those that its file may leave out and does."""
    return given_keys(cast(Any, arch))


def given_keys(part: Any) -> dict[str, Any]:
    """Return the keys of an architecture, or of a part of it, that are not at their defaults."""
    facts = asdict(part)
    for field in fields(part):
        value = getattr(part, field.name)
        if field.default is not MISSING and value == field.default:
            del facts[field.name]
        elif is_dataclass(value):
            facts[field.name] = given_keys(value)
    return facts


def load_chip(file: Path, sparsity: str | None) -> tuple[InstalledFamily, Architecture]:
    """Return an architecture with the switches of its file, or with exactly the given ones."""
    family, arch = load_architecture(file)
    if sparsity is not None:
        arch = family.need(Family.sparsity).with_sparsity(arch, sparsity)
    return family, arch


def load_subject(
    network_file: Path, arch_file: Path, sparsity: str | None = None, *, run_images: int = 1
) -> Subject:
    """Return network and architecture from their files."""
    network = load_network(network_file)
    family, arch = load_chip(arch_file, sparsity)
    return Subject(
        network=network,
        network_file=network_file,
        family=family,
        arch=arch,
        arch_file=arch_file,
        run_images=run_images,
    )


def with_switches(subject: Subject, switches: str) -> Subject:
    """Return the same network on the same chip with exactly the given switches on."""
    arch = subject.family.need(Family.sparsity).with_sparsity(subject.arch, switches)
    return replace(subject, arch=arch)


def program_of(context: Context, subject: Subject, file: Path | None = None) -> Program:
    """Return the program: from `file` if given, else from the work folder, else compiled now.

    Facts of a given one say what is compared, so each must be as the compiler has it.
    """
    programs = subject.family.need(Family.programs)
    if file is not None:
        program = programs.load_program(file)
        programs.check_match(program, subject.arch, subject.network)
        facts: Any = program.facts
        answer = facts.answer
        check_shapes(facts.image.shape, answer.shape, answer.layer, subject.network)
        reference = cached_program(context, subject)
        check_same((reference or compiled_now(context, subject)).facts, facts, str(file))
        return program
    cached = cached_program(context, subject)
    if cached is not None:
        return cached
    program = compiled_now(context, subject)
    programs.save_program(program, program_path(context, subject))
    return program


def cached_program(context: Context, subject: Subject) -> Program | None:
    """Return the program in the work folder; None: not there, or damaged since it was written."""
    try:
        return subject.family.need(Family.programs).load_program(program_path(context, subject))
    except FormatError:
        return None


def compiled_now(context: Context, subject: Subject) -> Program:
    """Return the program, which no file keeps."""
    with context.status(f"compiling {subject.network.graph.name} for {subject.arch.name}") as tell:
        return subject.family.need(Family.compiler).compile_network(
            subject.network,
            subject.arch,
            images=subject.run_images,
            layer_cost=split_cost(context, subject, tell),
        )


def for_program(subject: Subject, file: Path) -> Subject:
    """Return the subject with runs of as many images as a compiled program takes."""
    program = subject.family.need(Family.programs).load_program(file)
    return replace(subject, run_images=program.facts.images)


def split_cost(context: Context, subject: Subject, tell: Say) -> object:
    """Return what rates the split of a layer; None where a family's compiler needs none.

    tell: shows what takes the time: at its first use the cycle model may have to be compiled, which
    a network that is refused before never does
    """
    family = subject.family
    if not family.offers(Family.split_cost):
        return None
    cost: Any = family.need(Family.split_cost).SplitCost(subject.arch)
    if not family.offers(Family.cycle_model):
        return cost
    return Told(cost, context, family.need(Family.cycle_model), tell)


@dataclass
class Told:
    """A cost of splits that says at its first use what takes the time.

    Whatever else a family's cost has is its own.
    """

    cost: Any
    context: Context
    model: CycleModel
    tell: Say
    unused: bool = True

    def __call__(self, *split: Any) -> float:
        first, self.unused = self.unused, False
        if first and self.model.must_compile():
            tell_of_compiling(self.context, self.model)
            self.tell("the cycle model itself is compiled first")
        cycles: float = self.cost(*split)
        if first:
            self.tell("comparing splits of layers")
        return cycles

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cost, name)


def model_of(context: Context, subject: Subject) -> CycleModel:
    """Return the cycle model; say so if it must be compiled first."""
    model = subject.family.need(Family.cycle_model)
    tell_of_compiling(context, model)
    return model


def tell_of_compiling(context: Context, model: CycleModel) -> None:
    """Say that a cycle model is compiled at its first use, if it is."""
    if model.must_compile():
        context.say("the cycle model is compiled once: up to a minute")


def program_path(context: Context, subject: Subject) -> Path:
    """Return the file of a program in the work folder; its name holds a digest of its inputs."""
    facts = [
        subject.network.digest,
        subject.configuration,
        subject.run_images,
        digest_of_code(*subject.family.code),
    ]
    network = re.sub(r"[^\w-]", "_", subject.network.graph.name)[:40]
    name = f"{network}-{subject.arch.name}-{digest_of(facts)[:16]}.npz"
    return context.work / "programs" / name
