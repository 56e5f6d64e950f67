"""What four tools say of whole chips, as `hwgen build` writes them: shipped ones and drawn ones.

Verilator `-Wall` with the waivers that are written for the chip alone, none of which may meet
nothing; Icarus `-Wall`; slang; Yosys `check`. `scripts/lint-chips` calls it.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hwgen import api
from hwgen.commands.families import load_architecture
from hwgen.crossbar.facts.arch import arch_text
from hwgen.errors import ConfigError
from hwgen.mram.facts.arch import ArraySize
from tests.dbpim.compiler.archs import draw_arch
from tests.same.run import architectures
from tests.small_runs import FAMILIES, drawn_crossbar
from tests.verif.mram.chips import chip_arch
from verif.lint import lint
from verif.yosys import drivers

UNUSED = re.compile(r'^lint_off -rule UNUSEDSIGNAL -file "(.*)" -match "(.*)"$', re.M)
WARNING = re.compile(r"%Warning-UNUSEDSIGNAL: (\S+\.v):\d+:\d+: (.*)")
SLANG = "slang -Wextra --top {top} {files}"


def needless(folder: Path, top: str) -> list[str]:
    """Return the waivers of a chip's folder that meet nothing."""
    text = (folder / "waivers.vlt").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        without = Path(scratch, "without.vlt")
        without.write_text(UNUSED.sub("", text), encoding="utf-8")
        said = lint([Path("-F"), folder / "files.f"], top=top, waivers=without)
    found = [(Path(name).name, message) for name, message in WARNING.findall(said)]
    return [
        f"nothing in this chip needs the waiver {file} {message}"
        for file, message in UNUSED.findall(text)
        if not any(
            fnmatchcase(one, file) and fnmatchcase(what, message.replace("[", "[[]"))
            for one, what in found
        )
    ]


def said_of(folder: Path, top: str) -> list[str]:
    """Return what the four tools say of a chip's folder, a text each; nothing: all is well."""
    files = sorted(folder.glob("*.v"))
    names = [str(file) for file in files]
    icarus = ["iverilog", "-g2012", "-Wall", "-t", "null", "-s", top, *names]
    done = subprocess.run(icarus, capture_output=True, text=True, check=False)
    return [
        lint([Path("-F"), folder / "files.f"], top=top, waivers=folder / "waivers.vlt"),
        *needless(folder, top),
        done.stdout + done.stderr,
        slang(top, names),
        *drivers({file.stem: file.read_text(encoding="utf-8") for file in files}, top=top),
    ]


def slang(top: str, names: Sequence[str]) -> str:
    """Return the warnings of slang, which `--extra dev` brings."""
    from pyslang import TextDiagnosticClient
    from pyslang.driver import Driver

    driver = Driver()
    driver.addStandardArgs()
    asked = SLANG.format(top=top, files=" ".join(names))
    if not (
        driver.parseCommandLine(asked) and driver.processOptions() and driver.parseAllSources()
    ):
        return "slang takes no options"
    client = TextDiagnosticClient()
    driver.diagEngine.addClient(client)
    for found in driver.createCompilation().getAllDiagnostics():
        driver.diagEngine.issue(found)
    return str(client.getString())


def drawn(family: str, seed: int) -> tuple[str, str]:
    """Return name and file of a drawn chip."""
    rng = np.random.default_rng(seed)
    if family == "crossbar":
        arch = drawn_crossbar(int(rng.integers(1, 5)), seed)[1]
        return arch.name, arch_text(arch)
    made: Any = draw_arch(seed) if family == "dbpim" else drawn_mram(rng, seed)
    facts = {key: value for key, value in asdict(made).items() if value is not None}
    return made.name, yaml.safe_dump(json.loads(json.dumps(facts)), sort_keys=False)


def drawn_mram(rng: np.random.Generator, seed: int) -> Any:
    """Return a small chip whose octets, arrays, port and options are drawn."""
    tiny: Any = chip_arch("tiny")
    return replace(
        tiny,
        name=f"drawn_{seed}",
        sub_arrays=tiny.block << int(rng.integers(0, 3)),
        array=ArraySize(rows=256, columns=64 << int(rng.integers(0, 2))),
        port_bits=64 << int(rng.integers(0, 2)),
        overlap=bool(rng.integers(0, 2)),
        adder=bool(rng.integers(0, 2)),
        reset=str(rng.choice(["all", "control"])),
    )


def said_of_chip(name: str, file: Path) -> list[str]:
    """Return what the tools say of the chip of an architecture, one line a finding."""
    family = load_architecture(file)[0].name
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "chip")
        api.build(file, folder)
        return [f"{name}: {text.strip()}" for text in said_of(folder, f"{family}_axi") if text]


def main(arguments: Sequence[str] | None = None) -> int:
    """Lint chips; return 1 if a tool says anything."""
    parser = argparse.ArgumentParser(prog="scripts/lint-chips", description=__doc__)
    parser.add_argument("--drawn", type=int, default=2, metavar="N", help="drawn chips a family")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of the drawn chips")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of chips")
    asked = parser.parse_args(arguments)
    silent = True
    with tempfile.TemporaryDirectory() as scratch:
        chips = dict(architectures())
        for family in FAMILIES:
            for seed in range(asked.first, asked.first + asked.drawn):
                chips[f"drawn/{family}/{seed}"] = Path(scratch, f"{family}_{seed}.yaml")
        for name, file in chips.items():
            if not fnmatchcase(name, asked.only):
                continue
            if name.startswith("drawn/"):
                _, family, seed = name.split("/")
                file.write_text(drawn(family, int(seed))[1], encoding="utf-8")
            try:
                said = said_of_chip(name, file)
            except ConfigError as error:
                print(f"{name}: no Verilog: {error}", flush=True)
                continue
            silent = silent and not said
            print("\n".join(said) or f"{name}: silent", flush=True)
    return 0 if silent else 1


if __name__ == "__main__":
    sys.exit(main())
