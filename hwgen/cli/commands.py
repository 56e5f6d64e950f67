"""The commands: each is its request."""

from hwgen.cli.from_requests import add_command
from hwgen.commands.against import Compare
from hwgen.commands.benchmark.command import Benchmark
from hwgen.commands.build import Build, CompileCommand
from hwgen.commands.cache import Cache
from hwgen.commands.cost import Cost
from hwgen.commands.demo.command import Demo
from hwgen.commands.effects import Effects
from hwgen.commands.exchange import ExportOnnx
from hwgen.commands.explore import Explore
from hwgen.commands.export import Export
from hwgen.commands.fit import Fit
from hwgen.commands.imports import ImportNetwork
from hwgen.commands.info import Info
from hwgen.commands.model import Model
from hwgen.commands.prices import Energy
from hwgen.commands.run import Simulate
from hwgen.commands.sweep import Sweep
from hwgen.commands.synthesis import Onnx, Synthesize
from hwgen.commands.train import Train

REQUESTS = (
    Train,
    CompileCommand,
    Build,
    Simulate,
    Export,
    Model,
    Info,
    ImportNetwork,
    Compare,
    ExportOnnx,
    Fit,
    Sweep,
    Explore,
    Effects,
    Cost,
    Synthesize,
    Onnx,
    Energy,
    Cache,
    Demo,
    Benchmark,
)
"""In the order in which `hwgen --help` lists them."""

for request in REQUESTS:
    add_command(request)
