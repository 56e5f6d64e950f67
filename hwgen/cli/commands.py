"""The commands: each is its request."""

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any

from hwgen.cli.app import app
from hwgen.cli.from_requests import add_command
from hwgen.commands.against import Compare
from hwgen.commands.build import Build, Compile
from hwgen.commands.cache import Cache
from hwgen.commands.catalogue import ListShipped
from hwgen.commands.cost import Cost
from hwgen.commands.device import FitDevice
from hwgen.commands.doctor import Doctor
from hwgen.commands.effects import Effects
from hwgen.commands.exchange import ExportOnnx
from hwgen.commands.export import Export
from hwgen.commands.fit import Fit
from hwgen.commands.grid import GridExplore
from hwgen.commands.imports import ImportNetwork
from hwgen.commands.info import Info
from hwgen.commands.layout import Layout
from hwgen.commands.model import Model
from hwgen.commands.new.command import NewProject
from hwgen.commands.prices import Energy
from hwgen.commands.run import Simulate
from hwgen.commands.self_test import SelfTest
from hwgen.commands.synthesis import Synthesize
from hwgen.commands.text import WriteText
from hwgen.commands.train import Train
from hwgen.errors import FamilyError

GROUPS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "What is there": (ListShipped, NewProject, Doctor, Info, Cache),
        "Your network": (Train, ImportNetwork, Compare, Fit, ExportOnnx),
        "A chip and its program": (Compile, Build, Layout, Simulate, WriteText, Export, SelfTest),
        "What it costs": (Model, Cost, GridExplore, Energy),
        "Search and devices": (Synthesize, Effects, FitDevice),
    }
)
"""In the order in which `hwgen --help` lists them."""
REQUESTS = tuple(chain.from_iterable(GROUPS.values()))

for group, requests in GROUPS.items():
    for request in requests:
        add_command(request, group=group)


@app.command(
    hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def sweep() -> None:
    """Say what took the place of this command, for a release."""
    raise FamilyError("hwgen sweep is hwgen explore NETWORK ARCH --grid KEY=VALUES now")
