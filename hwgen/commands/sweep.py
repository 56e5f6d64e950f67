"""`hwgen explore --grid`: a network on many chips, which differ in some keys."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import KW_ONLY, asdict, dataclass, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import yaml
from pydantic import Field

from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture
from hwgen.commands.clocks import timed
from hwgen.commands.fields import Workers, path_of
from hwgen.commands.on_chip import WithImages
from hwgen.commands.pictures import Plot, check_plot, write_plot
from hwgen.commands.points import REFUSED, Point, Result, arch_of, run_points
from hwgen.commands.prices import EnergyFile, Prices
from hwgen.commands.request import Says
from hwgen.commands.subject import Subject, configuration_of
from hwgen.errors import ConfigError, DataError, HwgenError, with_near
from hwgen.report.sweep import SweepPoint, SweepReport, Value

SWITCHES = "sparsity"
"""A key beside those of the file, for families that have switches: `all`, `none`, or names with a
plus sign between."""
FIXED = ("format", "version", "name")
"""Keys that make no other chip."""
MOST_POINTS = 4096

Values = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One combination of values with its architecture, or why there is none."""

    values: dict[str, Value]
    arch: Architecture | None
    refused: str | None


def values_of(texts: Sequence[str]) -> dict[str, list[Value]]:
    """Return the values of each key from texts such as `macro.rows=8,16`."""
    found: dict[str, list[Value]] = {}
    for text in texts:
        key, sign, rest = text.partition("=")
        if not (key and sign and all(part.strip() for part in rest.split(","))):
            raise refusal("KEY=VALUES", "a key, =, and values with commas between", text)
        if key in found:
            raise refusal(key, "given once", "it twice")
        found[key] = [scalar(key, part.strip()) for part in rest.split(",")]
    return found


def scalar(key: str, text: str) -> Value:
    """Return a value as YAML reads it."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = None
    if not isinstance(value, bool | int | float | str):
        raise refusal(key, "numbers, true, false or words", text)
    return value


def refusal(field: str, allowed: str, given: object) -> ConfigError:
    """Return the error for what the command line gives."""
    return ConfigError(field=field, allowed=allowed, given=given, source="command line")


@dataclass(frozen=True)
class Sweep(WithImages):
    """Predict a network on every combination of values of some keys of an architecture.

    The key sparsity stands for all switches: sparsity=none,all,weight_bits+input_bits. A
    combination that the architecture or the network refuses is a row with the reason. Every
    prediction is cached, so after an interrupt the same command resumes.

    Raises ConfigError for an unknown key and for a value of another kind, DataError if no
    combination works.
    """

    OF_DENSITIES: ClassVar[bool] = True

    keys: Annotated[
        Mapping[str, Annotated[Sequence[Value], Field(min_length=1)]],
        Says(
            "a key of the architecture and its values, such as macro.rows=8,16",
            metavar="KEY=VALUES",
            argument=True,
        ),
    ]
    _: KW_ONLY
    workers: Workers = 2
    plot: Plot = None
    energy: EnergyFile = None

    def check(self) -> None:
        """Refuse a picture of another kind."""
        super().check()
        check_plot(self, self.plot)

    def run(self) -> SweepReport:
        """Predict all combinations, the last key varying fastest, and draw them."""
        subject, batch = self.stream()
        prices = Prices(subject.family, path_of(self.energy))
        subject.family.need(Family.compiler)
        subject.family.need(Family.cycle_model)
        chips = chips_of(subject, checked(subject, self.keys))
        points = [
            Point(subject=replace(subject, arch=chip.arch), batch=batch)
            for chip in chips
            if chip.arch is not None
        ]
        with self.quiet.progress("points", len(points)) as done:
            results = run_points(
                self.quiet, points, workers=self.workers, on_done=lambda *_: done()
            )
        waiting = iter(results)
        found = [
            point_of(prices, chip, waiting, len(batch.images), subject.arch_file) for chip in chips
        ]
        if all(each.refused for each in found):
            raise DataError(f"at least one combination must work, got none: {found[0].refused}")
        report = SweepReport(
            format="hwgen.report.sweep",
            version=4,
            setting=subject.setting(None, batch),
            images=len(batch.images),
            energy_table=prices.source,
            keys={key: list(dict.fromkeys(values)) for key, values in self.keys.items()},
            points=found,
        )
        if self.plot is not None:
            from hwgen.report.sweep_plot import sweep_picture

            write_plot(self.plot, lambda kind: sweep_picture(report, kind))
        return report


def checked(subject: Subject, keys: Values) -> dict[str, list[Value]]:
    """Return the different values of each key; refuse keys and kinds of values that do not fit."""
    if not keys:
        raise refusal("KEY=VALUES", "at least one key with its values", "none")
    if (number := prod(len(values) for values in keys.values())) > MOST_POINTS:
        raise refusal("the combinations", f"at most {MOST_POINTS}", number)
    # A key that the file may leave out is one as well.
    known = leaves(asdict(cast(Any, subject.arch)))
    if subject.family.offers(Family.sparsity):
        known[SWITCHES] = "all"
    check_values(keys, known, field="a key", source="command line")
    return {key: list(dict.fromkeys(values)) for key, values in keys.items()}


def check_values(keys: Values, known: Mapping[str, Value], *, field: str, source: str) -> None:
    """Refuse a key that is not known, and a value of another kind than the known one."""
    for key, values in keys.items():
        if key not in known:
            raise ConfigError(
                field=field,
                allowed=f"one of {', '.join(known)}",
                given=with_near(key, known),
                source=source,
            )
        for value in values:
            if not fits(value, known[key]):
                raise ConfigError(
                    field=key, allowed=f"such as {known[key]}", given=value, source=source
                )
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            given = f"{twice[0]}, {values.count(twice[0])} times"
            raise ConfigError(field=key, allowed="values that differ", given=given, source=source)


def leaves(configuration: Mapping[str, Any], above: str = "") -> dict[str, Value]:
    """Return every key that has one value, keys of a mapping as `above.key`."""
    found: dict[str, Value] = {}
    for key, value in configuration.items():
        if isinstance(value, Mapping):
            found |= leaves(value, f"{above}{key}.")
        elif isinstance(value, bool | int | float | str) and f"{above}{key}" not in FIXED:
            found[f"{above}{key}"] = value
    return found


def fits(value: Value, like: Value) -> bool:
    """Return whether a value is of the kind that a key has."""
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(like, bool) and isinstance(value, bool)
    return isinstance(value, int if isinstance(like, int) else type(like) | int)


def chips_of(subject: Subject, keys: Values) -> list[Chip]:
    """Return all combinations of values."""
    chips = []
    for combination in product(*keys.values()):
        values = dict(zip(keys, combination, strict=True))
        try:
            chips.append(Chip(values=values, arch=changed(subject, values), refused=None))
        except HwgenError as error:
            chips.append(Chip(values=values, arch=None, refused=str(error)))
    return chips


def changed(subject: Subject, values: Mapping[str, Value]) -> Architecture:
    """Return the architecture with other values; ConfigError where the family refuses them."""
    configuration = subject.configuration
    switches = subject.family.offers(Family.sparsity) and values.get(SWITCHES)
    if switches:
        given = str(switches).replace("+", ",")
        arch = subject.family.need(Family.sparsity).with_sparsity(subject.arch, given)
        configuration = configuration_of(arch)
    others = {key: value for key, value in values.items() if not (switches and key == SWITCHES)}
    configuration = changed_keys(configuration, others)
    return arch_of(subject.family, configuration, source=str(subject.arch_file))


def changed_keys(configuration: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """Return a configuration with other values; a key of a mapping is `above.key`."""
    found = deepcopy(dict(configuration))
    for key, value in values.items():
        *above, last = key.split(".")
        place = found
        for name in above:
            place = place[name]
        place[last] = value
    return found


def point_of(prices: Prices, chip: Chip, results: Any, images: int, file: Path) -> SweepPoint:
    """Return the row of a chip.

    results: of the chips that there are, in order; file: of the architecture that varies
    """
    found: Result = {REFUSED: chip.refused} if chip.arch is None else next(results)
    refused = found.get(REFUSED)
    alone: dict[str, Any] = {"values": chip.values, "refused": refused}
    if refused is not None or chip.arch is None:
        names = set(SweepPoint.__dataclass_fields__) - set(alone)
        nothing: dict[str, Any] = dict.fromkeys(names)
        return SweepPoint(**alone, **nothing)
    arch, at = chip.arch, timed(prices.family, chip.arch, file)
    energy = prices.image(
        found["events"],
        found["cycles"],
        at.arch,
        images=images,
        outside_bytes=found["outside_bytes"],
    )
    area = None
    if prices.family.offers(Family.area):
        area = sum(prices.area_um2(arch).values()) / 1e6
    return SweepPoint(
        **alone,
        cycles_model=found["cycles"],
        load_cycles_model=found["load"],
        time_us=at.time_us(found["cycles"] / images),
        utilization=found["utilization"],
        energy_uj=None if energy is None else energy.image_uj,
        with_outside_uj=None if energy is None else energy.with_outside_uj,
        area_mm2=area,
    )
