"""`hwgen new`: a folder with a chip, a network, a test and examples of one idea each.

Tests: `tests/commands/test_new.py`.
"""

import re
import shutil
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from string import Template
from typing import Annotated

from hwgen.commands.families import architecture_file
from hwgen.commands.fields import File
from hwgen.commands.request import OUTPUT_FOLDER, Says, Working
from hwgen.commands.subject import load_subject, program_of
from hwgen.errors import HwgenError
from hwgen.files.folder import refuse_foreign, replace_folder
from hwgen.files.load import read_mapping
from hwgen.files.output import write_text
from hwgen.files.shipped import network_file, networks

FILES = Path(__file__).parent / "files"
"""Of a project, `.txt` behind their names; $name, $chip, $network stand for what was chosen."""
NETWORK, CHIP = "network.npz", "chip.yaml"


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a project begins with, by the names that ship, or files."""

    chip: str
    network: str


START = Start(**read_mapping(FILES / "start.yaml"))
"""The smallest chip that ships, and a network for it."""


@dataclass(frozen=True)
class NewProject(Working, command="new", example="my_chip --chip chip.yaml --network network.npz"):
    """Start a project of your own: a chip, a network, a test and examples that pass at once.

    chip.yaml is yours to change, network.npz to replace. test_chip.py simulates the chip in Verilog
    and compares every element and every cycle; pytest runs it, and so does python. Each file in
    examples shows one idea. README.md in the folder says how.

    Raises OutputError where the folder exists and is not empty.
    """

    out: Annotated[File, Says("folder to make", metavar="FOLDER", argument=True, use=OUTPUT_FOLDER)]
    _: KW_ONLY
    chip: Annotated[
        File | None,
        Says(f"the chip: a name that ships, or a file (.yaml) [default: {START.chip}]"),
    ] = None
    network: Annotated[
        File | None,
        Says("the network: a name that ships, or a file (.npz) [default: one that it runs]"),
    ] = None

    def start(self) -> Start:
        """Return the chip with its network: the given one, or the first that it runs.

        That of the smallest chip is tried first, then those that ship, the smallest first.
        """
        chip, shipped = str(self.chip or START.chip), networks()
        smallest = sorted(shipped, key=lambda name: ("/" in name, shipped[name].stat().st_size))
        refused: list[HwgenError] = []
        for name in [START.network, *smallest] if self.network is None else [str(self.network)]:
            try:
                file = network_file(Path(name))
                program_of(self.quiet, load_subject(file, architecture_file(Path(chip))))
            except HwgenError as error:
                refused.append(error)
            else:
                return Start(chip=chip, network=name)
        raise refused[0]

    def run(self) -> str:
        """Write the project; return what to do next."""
        folder = Path(self.out)
        refuse_foreign(folder, lambda _: set())
        start = self.start()
        network, chip = network_file(Path(start.network)), architecture_file(Path(start.chip))
        name = re.sub(r"[^A-Za-z0-9_-]", "_", folder.resolve().name)
        own = own_chip(chip.read_text(encoding="utf-8"), name, start.chip)

        def fill(fresh: Path) -> None:
            shutil.copyfile(network, fresh / NETWORK)
            write_text(fresh / CHIP, own, what="chip")
            for path in sorted(FILES.rglob("*.txt")):
                made = fresh / path.relative_to(FILES).with_suffix("")
                text = Template(path.read_text(encoding="utf-8"))
                write_text(made, text.substitute(asdict(start), name=name), what="project")

        replace_folder(folder, lambda _: set(), fill)
        return f"{folder} is a project; next: cd {folder}; python test_chip.py"


def own_chip(text: str, name: str, start: str) -> str:
    """Return an architecture under another name, with a first line that says where it began."""
    lines = text.splitlines()
    while lines and lines[0].startswith("#"):
        del lines[0]
    begin = f"# Your chip; it began as {start}. hwgen info {CHIP} prints each key with its range."
    named = re.sub(r"^name: .*$", f"name: {name}", "\n".join(lines), count=1, flags=re.MULTILINE)
    return f"{begin}\n{named}\n"
