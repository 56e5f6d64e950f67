"""Mutated files and options, and the commands that read them; case n of a seed is always the same.

A command is chosen so that it ends soon even where a mutation is harmless.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import typer
import yaml

from hwgen.cli import main
from hwgen.cli.app import app
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import save_network
from tests.cli.given import NETWORK, ROOT, TINY
from tests.fuzz import mutate
from tests.fuzz.calls import COMPARED, OUTPUT, SESSION
from tests.fuzz.trial import API, Trial
from tests.importers import corpus
from tests.onnx_graphs import conv, model, node
from tests.quantized_onnx import Model
from verif.common.drawing import Drawing
from verif.crossbar.random_network import ENDS, Recipe, random_network
from verif.crossbar.random_network import KINDS as CROSSBAR_KINDS

COMMANDS: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
ROWS = ROOT / "configs/dbpim/small_rows.yaml"
PAIRS = ROOT / "configs/dbpim/paper_digits.yaml"
MRAM = ROOT / "configs/mram/tiny.yaml"
ENERGY = ROOT / "configs/energy/dbpim_45nm.yaml"
RECIPES = tuple(
    ROOT / f"configs/train/{name}.yaml" for name in ("cifar10_resnet20", "cadnn_cifar10")
)
DOCUMENTS = (TINY, PAIRS, MRAM, *RECIPES)
TIES = (
    "{",
    "}",
    "[",
    "&a ",
    "*a",
    "!!set ",
    "- ",
    ": ",
    "\t",
    "<<: ",
    "? ",
    "|",
    "'",
    '"',
    "%",
    "\x1b",
)


@dataclass(frozen=True)
class Inputs:
    """Files that mutations start from, in a folder of their own."""

    folder: Path
    program: Path
    images: Path
    networks: dict[str, list[bytes]]


def prepare(folder: Path) -> Inputs:
    """Write the files that mutations start from."""
    program, images = folder / "program.npz", folder / "images.npz"
    given = ["compile", str(NETWORK), str(TINY), "--out", str(program), "--work", str(folder / "w")]
    if main(given):
        raise AssertionError("the program of the fuzzer must compile")
    pixels = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)
    np.savez(images, images=pixels, labels=np.array([1, 2]))
    return Inputs(
        folder, program, images, {"onnx": onnx_seeds(folder), "tflite": tflite_seeds(folder)}
    )


def onnx_seeds(folder: Path) -> list[bytes]:
    """Return the sound ONNX files of the corpus."""
    files = [each for each in corpus.onnx_files() if each.imported]
    return [each.make(folder).read_bytes() for each in files]


def tflite_seeds(folder: Path) -> list[bytes]:
    """Return the sound TFLite files of the corpus."""
    files = [each for each in corpus.tflite_files() if each.imported]
    return [each.make(folder).read_bytes() for each in files]


Case = tuple[list[str], str, bytes]
"""Arguments, name and content of the file that they name."""


def yaml_case(inputs: Inputs, random: Random) -> Case:
    """Change an architecture or a recipe, as a document or as text."""
    source = random.choice(DOCUMENTS)
    text = source.read_text(encoding="utf-8")
    if random.random() < 0.7:
        text = written(mutate.document(yaml.safe_load(text), random))
    for _ in range(random.choice((0, 0, 1, 3))):
        place = random.randrange(len(text) + 1)
        text = text[:place] + random.choice(TIES) + text[place:]
    content = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.1:
        content = mutate.damaged(content, random)
    name = "given.yaml"
    arguments = ["train", name, "--out", "out"] if source in RECIPES else ["info", name]
    return arguments, name, content


def written(content: Any) -> str:
    """Return a document as YAML; what YAML cannot hold becomes text."""
    try:
        return yaml.safe_dump(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return repr(content)


def network_case(inputs: Inputs, random: Random) -> Case:
    """Change a network file."""
    name = "given.npz"
    golden = ["--engine", "golden", "--data", str(inputs.images), "--work", "w"]
    arguments = random.choice((["info", name], ["info", name], ["run", name, str(TINY), *golden]))
    return arguments, name, mutate.archive(NETWORK, "graph.npy", random)


def program_case(inputs: Inputs, random: Random) -> Case:
    """Change a program."""
    name = "given.npz"
    golden = ["--engine", "golden", "--data", str(inputs.images), "--work", "w"]
    arguments = random.choice(
        (
            ["info", name],
            ["info", name, str(TINY)],
            ["run", str(NETWORK), str(TINY), "--program", name, *golden],
        )
    )
    return arguments, name, mutate.archive(inputs.program, "facts.npy", random)


def onnx_case(inputs: Inputs, random: Random) -> Case:
    """Change an ONNX model."""
    name = "given.onnx"
    arguments = random.choice((["info", name], ["import", name, "--out", "out.npz"]))
    return arguments, name, mutate.message(random.choice(inputs.networks["onnx"]), random)


def tflite_case(inputs: Inputs, random: Random) -> Case:
    """Change a TFLite file."""
    name = "given.tflite"
    arguments = random.choice((["info", name], ["import", name, "--out", "out.npz"]))
    return arguments, name, mutate.damaged(random.choice(inputs.networks["tflite"]), random)


REALS = (float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324, 0.0)
SHAPES = ((2, 8, 8, 1), (2, 8, 8), (8, 8, 1), (0, 8, 8, 1), (1, 9, 8, 1), (2, 8, 8, 1, 1), ())


def images_case(inputs: Inputs, random: Random) -> Case:
    """Give real images with numbers that no image has, in shapes that no image has."""
    shape = SHAPES[0] if random.random() < 0.6 else random.choice(SHAPES)
    kind = random.choice((np.float16, np.float32, np.float64))
    with np.errstate(over="ignore"):
        images = np.random.default_rng(random.randrange(1 << 30)).random(shape).astype(kind)
        for _ in range(random.choice((0, 1, 1, 3))):
            if images.size:
                images.reshape(-1)[random.randrange(images.size)] = random.choice(REALS)
    content = BytesIO()
    np.savez(content, images=images)
    given = [str(NETWORK), str(TINY), "--data", "given.npz", "--work", "w", "--engine", "golden"]
    given += random.choice(([], ["--images", str(random.choice((-1, 0, 1, 2, 3, 1 << 40)))]))
    return ["run", *given], "given.npz", content.getvalue()


def report_case(inputs: Inputs, random: Random) -> Case:
    """Name a file that is there, or standard output, as the place of a report."""
    report = b'{"format": "hwgen.report.info"}'
    content = random.choice((b"", b"{}", b"clock_mhz: 100", report, report[:-3], b"\xff\x00"))
    place = random.choice(("given.json", "-", "./given.json", "new.json"))
    return (
        ["info", str(TINY), "--json", place],
        "given.json",
        mutate.damaged(content, random) if content and random.random() < 0.3 else content,
    )


def split_case(inputs: Inputs, random: Random) -> Case:
    """Split the channels of a map into sizes that need not fit."""
    count = random.choice((1, 2, 2, 3))
    sizes = [random.choice((-1, 0, 1, 2, 3, 1 << 40)) for _ in range(random.choice((count, 2)))]
    names = [f"part{place}" for place in range(count)]
    nodes = [onnx.helper.make_node("Split", ["x", "sizes"], names, axis=random.choice((1, -3, 9)))]
    nodes += [onnx.helper.make_node("Add", [names[0], names[-1]], ["y"])]
    stored = onnx.numpy_helper.from_array(np.array(sizes, np.int64), "sizes")
    image, answer = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("x", [1, 4, 4, 4]), ("y", None))
    )
    graph = onnx.helper.make_graph(nodes, "graph", [image], [answer], [stored])
    content = onnx.helper.make_model(graph).SerializeToString()
    arguments = random.choice((["info", "given.onnx"], ["synthesize", "given.onnx"]))
    power = ["--power-w", "0.001", "--work", "w"] if arguments[0] == "synthesize" else []
    return [*arguments, *power], "given.onnx", content


SIZES = (0, 1, 2, 100, 1 << 16, 1 << 24, 1 << 31, 10**13, (1 << 63) - 1, -1)
"""Of what a file computes of its constants."""


def huge_case(inputs: Inputs, random: Random) -> Case:
    """Compute constants in a small file, some of which no memory holds, and reshape by them."""
    model = Model()
    now = model.constant(np.zeros(random.choice((1, 10))), np.int64)
    for _ in range(random.choice((1, 1, 2, 40))):
        size = random.choice(SIZES)
        one = model.constant([size], np.int64)
        ends = [model.constant(each, np.int64) for each in (0, size, random.choice((1, 1, -1)))]
        now = random.choice(
            (
                lambda now=now: model.node("Concat", now, now, axis=0),
                lambda now=now: model.node("Tile", now, model.constant([2], np.int64)),
                lambda now=now, one=one: model.node("Expand", now, one),
                lambda one=one: model.node("ConstantOfShape", one),
                lambda ends=ends: model.node("Range", *ends),
                lambda now=now, one=one: model.node(
                    "Pad", now, model.node("Concat", one, one, axis=0)
                ),
            )
        )()
    reader = model.node("Reshape", model.image(), model.node("Slice", now, *[now] * 3))
    made = model.quantized(model.conv(reader, 4, 3, 3, 3))
    arguments = random.choice(
        (["info", "given.onnx"], ["import", "given.onnx", "--out", "out.npz"])
    )
    return arguments, "given.onnx", model.build(made).SerializeToString()


def positive(random: Random, usual: float) -> float:
    """Return a float32 above 0: an ordinary number, or one of any size."""
    drawn = random.choice((usual, 10 ** random.uniform(-45, 38.5), 10 ** random.uniform(-6, 1)))
    return float(np.float32(max(drawn, 1.5e-45)))


def in_bits(values: Any) -> np.ndarray:
    """Return the bits of float32."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ascontiguousarray(values, np.float32).view(np.uint32)


def softmax_case(inputs: Inputs, random: Random) -> Case:
    """Draw a softmax whose shares are flat, few, or of a scale that no float32 bears."""
    count = random.choice((1, 2, 8, 16, 200))
    if random.random() < 0.5:
        model = Model((1, 4, 8), seed=random.randrange(1 << 30))
        scores = model.node("MatMul", model.image(), model.weights(8, count, axis=None))
        scores = model.quantized(scores, positive(random, 0.003), 128)
        shares = model.quantized(model.node("Softmax", scores), positive(random, 1 / 255), 0)
        product = model.node("MatMul", shares, model.weights(count, 8, axis=None))
        return onnx_rows(model, model.quantized(product, 0.002), random)
    groups = random.choice((1, 2))
    drawing = Drawing(random.randrange(1 << 30), modes=("all",), shape=(8, 8, 1))
    now = drawing.softmax(drawing.conv(INPUT, (groups * count,)), groups=groups, scale=0.05)
    table = np.exp(-np.arange(256) * positive(random, 0.05)) * positive(random, 1e33)
    changes = {"factor": max(1, min((1 << 24) - 1, int(1 / positive(random, 1 / 255))))}
    return network_rows(
        drawing.build(now), {"exponentials": in_bits(table)}, changes, inputs, random
    )


def norm_case(inputs: Inputs, random: Random) -> Case:
    """Draw a layer norm whose gamma, beta, eps, scale and values reach beyond float32."""
    channels = random.choice((8, 16, 64))
    signs = np.array([random.choice((-1, 1)) for _ in range(channels)])
    gamma, beta = (signs * positive(random, usual) for usual in (1.0, 0.3))
    eps, scale = positive(random, 1e-5), positive(random, 0.03)
    if random.random() < 0.5:
        model = Model((1, 4, 8), seed=random.randrange(1 << 30))
        mixed = model.node("MatMul", model.image(), model.weights(8, channels, axis=None))
        mixed = model.quantized(mixed, positive(random, 0.02), 128)
        constants = [model.constant(gamma), model.constant(beta)]
        made = model.node("LayerNormalization", mixed, *constants, axis=-1, epsilon=eps)
        product = model.node(
            "MatMul", model.quantized(made, scale, 128), model.weights(channels, 8, axis=None)
        )
        return onnx_rows(model, model.quantized(product, 0.02), random)
    drawing = Drawing(random.randrange(1 << 30), modes=("all",), shape=(8, 8, 1))
    now = drawing.layer_norm(drawing.conv(INPUT, (channels,)))
    numbers = {
        "gamma": gamma,
        "beta": beta,
        "constants": [eps, scale],
        "values": (np.arange(256) - random.randrange(256)) * positive(random, 0.01),
    }
    held = {key: in_bits(each) for key, each in numbers.items()}
    return network_rows(drawing.build(now), held, {}, inputs, random)


def onnx_rows(model: Model, made: str, random: Random) -> Case:
    """Import a model, or show what it is."""
    arguments = random.choice(
        (["info", "given.onnx"], ["import", "given.onnx", "--out", "out.npz"])
    )
    return arguments, "given.onnx", model.build(made).SerializeToString()


def network_rows(
    network: QuantizedNetwork,
    held: dict[str, np.ndarray],
    changes: dict[str, Any],
    inputs: Inputs,
    random: Random,
) -> Case:
    """Run golden, or compile, with other numbers in the last layer of a network."""
    file = inputs.folder / "rows.npz"
    save_network(network, file)
    content = mutate.members(file)
    graph = json.loads(np.load(BytesIO(content["graph.npy"])).tobytes())
    graph["layers"][-1].update(changes)
    text = np.frombuffer(json.dumps(graph).encode(), np.uint8)
    content["graph.npy"] = mutate.array_bytes(text)
    name = network.graph.layers[-1].name
    content |= {f"{name}.{key}.npy": mutate.array_bytes(held[key]) for key in held}
    golden = ["--engine", "golden", "--data", str(inputs.images), "--work", "w"]
    arguments = random.choice(
        (
            ["run", "given.npz", str(ROWS), *golden],
            ["compile", "given.npz", str(ROWS), "--out", "out.npz", "--work", "w"],
        )
    )
    return arguments, "given.npz", mutate.packed(content, random)


def operand_case(inputs: Inputs, random: Random) -> Case:
    """Join maps, the image among them, by a concatenation, a sum or a product."""
    nodes, maps = [], ["x"]
    for place in range(random.choice((1, 1, 2, 3))):
        nodes.append(conv(random.choice(maps), f"a{place}"))
        maps.append(f"a{place}")
        operator = random.choice(("Concat", "Add", "Mul", "Sum"))
        read = " ".join(random.choice(maps) for _ in range(3 if operator == "Sum" else 2))
        axis = {"axis": random.choice((1, 1, 1, 2, -3))} if operator == "Concat" else {}
        nodes.append(node(operator, read, f"b{place}", **axis))
        maps.append(f"b{place}")
    nodes.append(conv(maps[-1], "z", random.choice(("w", "wide"))))
    content = model(*nodes, weights={"wide": (4, 8, 3, 3)}).SerializeToString()
    if random.random() < 0.3:
        return ["info", "given.onnx"], "given.onnx", content
    rules = random.choice(("strict", "published"))
    power = ["--power-w", "0.001", "--rules", rules, "--work", "w"]
    return ["synthesize", "given.onnx", *power], "given.onnx", content


def tiny_case(inputs: Inputs, random: Random) -> Case:
    """Give a chip, or a budget, to a crossbar network whose sizes are 1 wherever they may."""
    recipe = Recipe(
        height=random.choice((1, 1, 2)),
        width=random.choice((1, 1, 3)),
        channels=1,
        classes=1,
        kinds=tuple(random.sample(CROSSBAR_KINDS, random.choice((0, 1, 2)))),
        end=random.choice(ENDS),
        filters=random.choice(((1,), (1, 2))),
    )
    file = inputs.folder / "tiny.npz"
    save_network(random_network(recipe, seed=random.randrange(1 << 30)), file)
    arguments = random.choice(
        (
            ["info", "given.npz"],
            ["synthesize", "given.npz", "--power-w", "0.001", "--work", "w"],
            ["compile", "given.npz", str(TINY), "--out", "out.npz", "--work", "w"],
        )
    )
    return arguments, "given.npz", file.read_bytes()


def energy_case(inputs: Inputs, random: Random) -> Case:
    """Change a table of energies, and give it to a chip of each design."""
    table = yaml.safe_load(ENERGY.read_text(encoding="utf-8"))
    content = written(mutate.document(table, random)).encode("utf-8", "surrogatepass")
    chip = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    chip["sparsity"]["weight_bits"] = random.random() < 0.5
    file = inputs.folder / "chip.yaml"
    file.write_text(yaml.safe_dump(chip), encoding="utf-8")
    given = ["--energy", "given.yaml", "--images", "1", "--work", "w"]
    return ["model", str(NETWORK), str(file), *given], "given.yaml", content


VALUES = (
    "-", "", "-1", "0", "1.5", "nan", "inf", str(1 << 31), str(1 << 63), str(1 << 64), "9" * 4000,
    "x" * 300, "\x1b[31mred", "[bold]x[/x]", "a,b", "all,none", "/dev/null", "/dev/full/x",
    "/proc/x/y", ".", "..", "/", "given.npz", "\udcff", "9x9x9x9x9x9x9x9x9x9", "true", "--json",
)  # fmt: skip
GIVEN = {
    "info": ["given.npz"],
    "run": ["given.npz", str(TINY)],
    "compile": ["given.npz", str(TINY)],
    "build": [str(TINY)],
    "self-test": [str(TINY)],
    "fit": ["given.npz"],
    "model": ["given.npz", str(TINY)],
    "explore": ["given.npz", str(TINY), "--area", "1", "--points", "1"],
    "export": ["given.npz", str(TINY)],
    "import": ["given.npz"],
    "compare": ["given.npz"],
    "export-onnx": ["given.npz"],
    "train": [str(RECIPES[0])],
    "synthesize": ["absent"],
    "cache": [],
}


def option_case(inputs: Inputs, random: Random) -> Case:
    """Give a command options with values that nobody means; its network is no network."""
    command = random.choice(list(GIVEN))
    arguments = [command, *GIVEN[command]]
    options = [name for each in COMMANDS[command].params for name in each.opts if name[0] == "-"]
    for _ in range(random.choice((1, 1, 2, 3))):
        arguments += [random.choice(options), random.choice(VALUES)]
    if random.random() < 0.1:
        arguments.insert(random.randrange(len(arguments) + 1), random.choice(VALUES))
    return arguments, "given.npz", b"no network"


def api_case(inputs: Inputs, random: Random) -> Case:
    """Call the Python API with values that nobody means."""
    return [API, str(random.random())], "given.npz", b"no network"


def output_case(inputs: Inputs, random: Random) -> Case:
    """Name a file that is there as an output, on the command line and in Python."""
    name = "given.npz"
    content = NETWORK.read_bytes()
    if random.random() < 0.5:
        return [API, f"{OUTPUT}{random.random()}"], name, content
    arguments = random.choice(
        (
            ["compile", name, str(TINY), "--out"],
            ["export-onnx", name, "--out"],
            ["fit", name, "--rule", "text", "--calibration", "1", "--out"],
            ["model", name, str(TINY), "--images", "1", "--page"],
            ["model", name, str(TINY), "--images", "1", "--plot"],
            ["info", name, "--json"],
            ["import", name, "--dataset", random.choice(("nope", "digits", "")), "--out"],
        )
    )
    place = random.choice((name, f"./{name}", f"absent/../{name}", "new", ".", str(TINY)))
    return [*arguments, place], name, content


def compared_case(inputs: Inputs, random: Random) -> Case:
    """Compare runs of which one may lack or add something."""
    return [API, f"{COMPARED}{random.random()}"], "given.npz", b"no network"


def session_case(kind: str) -> Callable[[Inputs, Random], Case]:
    """Return what compares a drawn network of a kind with a default session of onnxruntime."""
    return lambda _, random: ([API, f"{SESSION} {kind} {random.random()}"], "given.npz", b"none")


KINDS: dict[str, Callable[[Inputs, Random], Case]] = {
    "yaml": yaml_case,
    "network": network_case,
    "program": program_case,
    "onnx": onnx_case,
    "tflite": tflite_case,
    "options": option_case,
    "images": images_case,
    "report": report_case,
    "split": split_case,
    "huge": huge_case,
    "operand": operand_case,
    "tiny": tiny_case,
    "softmax": softmax_case,
    "norm": norm_case,
    "api": api_case,
    "output": output_case,
    "compared": compared_case,
    "pairs": session_case("pairs"),
    "biases": session_case("biases"),
    "brevitas": session_case("brevitas"),
    "calibrated": session_case("calibrated"),
    "rewritten": session_case("rewritten"),
    "means": session_case("means"),
    "heads": session_case("heads"),
    "constants": session_case("constants"),
    "older": session_case("older"),
    "sequences": session_case("sequences"),
    "unsigned": session_case("unsigned"),
    "halves": session_case("halves"),
    "states": session_case("states"),
    "calls": session_case("calls"),
    "energy": energy_case,
}
CLOSED = 0.1
"""Of the command lines: their standard output is closed."""


def trials(inputs: Inputs, *, count: int, seed: int, kinds: tuple[str, ...]) -> Iterator[Trial]:
    """Yield `count` cases, of each kind in turn; each has a folder with its file alone."""
    folder = inputs.folder / "trial"
    for number in range(count):
        kind = kinds[number % len(kinds)]
        name = f"{seed}/{kind}/{number}"
        arguments, file, content = KINDS[kind](inputs, Random(name))
        folder.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)
        yield Trial(
            name=name,
            arguments=arguments,
            folder=folder,
            closed=arguments[0] != API and Random(f"closed/{name}").random() < CLOSED,
            may_replace=kind == "report",
        )
