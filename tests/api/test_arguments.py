"""Wrong arguments of the Python API: each is one sentence with the parameter, before any work."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import api
from hwgen.commands.model import Model
from hwgen.commands.request import told_in_python
from hwgen.errors import ConfigError
from tests.cli.given import ARCH, NETWORK, TINY

SYNTHESIZE: dict[str, Any] = {"network": "alexnet", "power_w": 49}
WRONG: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (api.model, {"network": 7}, "network"),
    (api.model, {"network": ""}, "network"),
    (api.model, {"network": "a\0b"}, "network"),
    (api.model, {"network": None}, "network"),
    (api.model, {"architecture": 3.5}, "architecture"),
    (api.model, {"images": 0}, "images"),
    (api.model, {"images": -1}, "images"),
    (api.model, {"images": 1.5}, "images"),
    (api.model, {"images": "2"}, "images"),
    (api.model, {"images": True}, "images"),
    (api.model, {"images": 10**5000}, "images"),
    (api.model, {"batch": 0}, "batch"),
    (api.model, {"batch": 2000}, "batch"),
    (api.model, {"modes": "1.0x"}, "modes"),
    (api.model, {"modes": [1]}, "modes"),
    (api.model, {"data": 3}, "data"),
    (api.model, {"context": "build"}, "context"),
    (api.model, {"image": 2}, "the arguments"),
    (api.simulate, {"engine": "verilator"}, "engine"),
    (api.simulate, {"seed": -1}, "seed"),
    (api.simulate, {"seed": 1 << 31}, "seed"),
    (api.simulate, {"waves": (0, "end")}, "waves"),
    (api.simulate, {"seed": 0}, "seed"),
    (api.simulate, {"stalls": -1}, "stalls"),
    (api.simulate, {"stalls": 96}, "stalls"),
    (api.simulate, {"bus_error": -1}, "bus_error"),
    (api.simulate, {"bus_error": 1 << 64}, "bus_error"),
    (api.simulate, {"engine": "model", "stalls": 5}, "engine"),
    (api.simulate, {"waves_from": 5, "waves_to": 4}, "waves_to"),
    (api.model, {"mode": "1.0x", "modes": ["0.5x"]}, "mode"),
    (api.sweep, {"keys": {"cores": [1]}, "plot": "x.pdf"}, "plot"),
    (api.import_network, {"file": "a", "out": "b", "qdq": "c"}, "qdq"),
    (api.compile, {"batch": None}, "batch"),
    (api.export, {"out": 1}, "out"),
    (api.export, {"out": "x", "images": 0}, "images"),
    (api.sweep, {"keys": {"cores": []}}, "keys"),
    (api.sweep, {"keys": {"cores": 2}}, "keys"),
    (api.sweep, {"keys": {"cores": [1]}, "workers": 0}, "workers"),
    (api.sweep, {"keys": {"cores": [1]}, "batch": 0}, "batch"),
    (api.load_architecture, {"file": None}, "file"),
    (api.load_architecture, {"file": ARCH, "sparsity": 1}, "sparsity"),
    (api.build, {"architecture": ARCH, "out": None}, "out"),
    (api.fit, {"network": NETWORK, "out": "x.npz", "rule": "foo"}, "rule"),
    (api.fit, {"network": NETWORK, "out": "x.npz", "phi": 3}, "phi"),
    (api.fit, {"network": NETWORK, "out": "x.npz", "prune": 1.0}, "prune"),
    (api.fit, {"network": NETWORK, "out": "x.npz", "budget": float("nan")}, "budget"),
    (api.info, {"file": NETWORK, "image_size": (3, 0)}, "image_size"),
    (api.infer, {"network": NETWORK, "images": [1, 2]}, "images"),
    (api.infer, {"network": NETWORK, "images": None, "count": 0}, "count"),
    (api.compare, {"network": NETWORK, "against": 1}, "against"),
    (api.synthesize, {**SYNTHESIZE, "power_w": "49"}, "power_w"),
    (api.synthesize, {**SYNTHESIZE, "power_w": float("inf")}, "power_w"),
    (api.synthesize, {**SYNTHESIZE, "rules": "loose"}, "rules"),
    (api.synthesize, {**SYNTHESIZE, "evaluations": 0}, "evaluations"),
    (api.synthesize, {**SYNTHESIZE, "workers": 1.0}, "workers"),
    (api.synthesize, {**SYNTHESIZE, "seed": None}, "seed"),
    (api.synthesize, {**SYNTHESIZE, "objective": "all"}, "objective"),
]
ON_A_CHIP = (api.model, api.simulate, api.compile, api.export, api.sweep)


def test_arguments_without_a_name_are_checked() -> None:
    with pytest.raises(ConfigError, match="power_w must be"):
        api.synthesize("alexnet", "49")  # type: ignore[arg-type]


@pytest.mark.promise(
    "a memory that stalls changes cycles and no value; a table says how many, and all but"
    " cycles is compared"
)
@pytest.mark.parametrize(("step", "given", "field"), WRONG)
def test_a_wrong_argument_is_one_sentence(
    step: Callable[..., Any], given: dict[str, Any], field: str, tmp_path: Path
) -> None:
    chip = {"network": NETWORK, "architecture": ARCH} if step in ON_A_CHIP else {}
    with pytest.raises(ConfigError) as error:
        step(**{**chip, **given})
    assert str(error.value).startswith(f"{field} must be ")
    assert f"hwgen.api.{step.__name__})" in str(error.value) and "\n" not in str(error.value)
    in_words_of_python(str(error.value))
    assert not list(tmp_path.iterdir())


def in_words_of_python(message: str) -> None:
    """A message speaks of parameters; one about the arguments does not show their signature."""
    assert "--" not in message and "command line" not in message
    assert not message.startswith("the arguments") or len(message) < 200


DEEP: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (api.load_architecture, {"file": ARCH, "sparsity": "zeros"}, "sparsity must be"),
    (api.load_architecture, {"file": "dbpim/smal"}, "the architecture must be"),
    (api.model, {"sparsity": "zeros"}, "sparsity must be"),
    (api.simulate, {"engine": "golden", "images": 10**6}, "images must be from 1 to"),
    (api.simulate, {"engine": "model", "stalls": 5}, "stalls, latency and bus_error"),
    (api.model, {"mode": "1.0x", "modes": ["0.5x"]}, "modes is given"),
    (api.sweep, {"keys": {}}, "keys must be"),
    (api.sweep, {"keys": {"core": [1]}}, "a key must be"),
    (api.compile, {"batch": 1, "network": "digits"}, "the network must be"),
    (api.synthesize, {**SYNTHESIZE, "power_w": -1.0}, "power_w must be"),
    (api.synthesize, {**SYNTHESIZE, "objective": "lake"}, "objective must be"),
    (api.model, {"image": 2}, "did you mean image"),
    (api.simulate, {"stall": 2}, "did you mean stalls"),
    (api.synthesize, {"network": "alexnet"}, "missing a required argument: 'power_w'"),
    (api.model, {"context": "build"}, "context must be an instance of Context"),
    (api.model, {"picture": 1}, "lists, got an unexpected keyword argument 'picture'"),
    (api.sweep, {"keys": {"cores": "12"}}, "keys must be a list or a tuple, got {'cores': '12'}"),
    (api.sweep, {"keys": {"cores": iter([1])}}, "keys must be a list or a tuple, got"),
    (api.model, {"context": api.Context(work=__file__)}, "work of the context must be a folder"),
]


@pytest.mark.promise("errors of the Python API speak of parameters, not of options or signatures")
@pytest.mark.parametrize(("step", "given", "words"), DEEP)
def test_what_a_step_finds_later_is_told_in_words_of_python(
    step: Callable[..., Any], given: dict[str, Any], words: str
) -> None:
    chip = {"network": NETWORK, "architecture": ARCH} if step in ON_A_CHIP else {}
    with pytest.raises(api.HwgenError) as error:
        step(**{**chip, **given})
    assert words in str(error.value)
    in_words_of_python(str(error.value))


@pytest.mark.promise("what a parameter of the Python API lists is bounded before it is visited")
@pytest.mark.parametrize("many", [range(10**9), range(10**30), list(range(1 << 17))])
@pytest.mark.parametrize(
    ("step", "field"), [(api.sweep, "keys"), (api.model, "modes"), (api.info, "image_size")]
)
def test_what_lists_too_much_is_refused_at_once(
    step: Callable[..., Any], field: str, many: Any
) -> None:
    """No value is visited: the check of a thousand million takes all memory."""
    chip = {"network": NETWORK, "architecture": ARCH} if step in ON_A_CHIP else {"file": NETWORK}
    given = {"cores": many} if step is api.sweep else many
    with pytest.raises(api.HwgenError, match=f"^{field} must be of at most 65,536 values, got"):
        step(**chip, **{field: given})


def test_the_combinations_of_a_sweep_are_bounded() -> None:
    with pytest.raises(api.HwgenError, match=r"^the combinations must be at most 4096, got 10000"):
        api.sweep(NETWORK, ARCH, {"cores": range(100), "port_bits": range(100)})


def test_a_whole_command_in_a_message_stays() -> None:
    request = type(Model("n", "a"))
    said = "out must be half_up (hwgen import --kernels half_up), got --images of --image"
    with pytest.raises(api.HwgenError) as error, told_in_python(request):
        raise api.HwgenError(said)
    assert str(error.value) == said.replace("got --images of", "got images of")


def test_switches_of_a_chip_are_told_in_words_of_python() -> None:
    with pytest.raises(api.HwgenError, match=r"^sparsity must be .*hwgen.api.load_architecture"):
        api.load_architecture(ARCH).with_sparsity("zeros")


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    context = api.Context(work=tmp_path, console=None)
    report = api.model(NETWORK, TINY, images=np.int64(2), batch=np.uint8(1), context=context)
    assert report.images == 2


def test_arrays_are_images(tmp_path: Path) -> None:
    context = api.Context(work=tmp_path, console=None)
    images = np.random.default_rng(3).integers(0, 256, (3, 8, 8, 1), dtype=np.uint8)
    found = api.infer(NETWORK, images)
    assert found.answers.shape[0] == 3 and np.array_equal(found.maps["input"], images)
    assert np.array_equal(found.maps["head"], found.answers)
    assert np.array_equal(api.infer(NETWORK, images, count=2).answers, found.answers[:2])
    report = api.model(NETWORK, ARCH, data=images, images=3, context=context)
    assert report.images == 3
    with pytest.raises(api.HwgenError, match="images must be uint8 of shape"):
        api.infer(NETWORK, images[:, :4])
    with pytest.raises(api.HwgenError, match="mode must be one of"):
        api.infer(NETWORK, images, mode="half")


def test_a_mode_has_its_own_maps() -> None:
    wide, narrow = (
        api.infer("cadnn_digits", None, count=2, mode=mode).maps for mode in (None, "0.5x")
    )
    assert any(wide[name].shape != narrow[name].shape for name in wide)


def test_a_network_is_named_or_a_file() -> None:
    assert api.infer("digits_small_cnn", None, count=1).answers.shape[0] == 1


def test_what_cannot_be_imported_has_a_name() -> None:
    assert issubclass(api.RefusedNetworkError, api.HwgenError)
