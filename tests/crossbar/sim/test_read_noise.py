"""Verilog whose reads are noisy: every element is golden's, whatever stalls; faults are seen."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from golden.crossbar.effects import ErringCrossbars, erring
from golden.network import infer
from hwgen import api
from hwgen.chip.effects import DeviceEffects
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.crossbar.compiler import compile_network
from hwgen.crossbar.facts.arch import Arch, arch_of, arch_text
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.rtl import array_engine, bank
from hwgen.crossbar.sim import simulate
from hwgen.crossbar.sim.chip_run import hosted
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import save_network
from tests.crossbar.sim.test_effects_of_providers import drawn
from tests.golden.crossbar.test_effects import with_effects
from tests.verif.crossbar.random_chips import cheap
from tests.verif.crossbar.whole import answers_design, answers_network, design
from verif.common.drawing import Drawing, draw_images

SOME = with_effects(deviation=0.6)
"""Noise alone."""
MOST = with_effects(deviation=4.0, variation=0.1, offset_lsb=2.0, trimmed=True, stuck_at_full=0.02)
CLIPPED = with_effects(deviation=1.0, bits_below_lossless=4)
STALLS = (NO_TROUBLE, Trouble(stall=40, seed=2), Trouble(stall=10, latency=37, seed=3))

Case = tuple[QuantizedNetwork, Arch]


def noisy(arch: Arch) -> Arch:
    """Return a chip whose reads are noisy."""
    return replace(arch, effects=True, read_noise=True)


@cache
def small() -> Case:
    """Return a network on a small chip."""
    return answers_network(), noisy(make_arch(answers_design(), "answers"))


@cache
def least() -> Case:
    """Return a network of one pixel, one channel and one sum, with bit steps of one bit."""
    drawing = Drawing(5, modes=("full",), shape=(1, 1, 1))
    network = drawing.build(drawing.linear(drawing.conv("input", (1,)), (1,), bits=32))
    found = design(network, copies=[1, 1], macros=[1, 1], side=16, dac_bits=1, cell_bits=1)
    return network, noisy(make_arch(found, "least"))


def slow() -> Case:
    """Return copies whose last block has fewer pixels, and bit steps of several steps."""
    drawing = Drawing(6, modes=("full",), shape=(3, 5, 2))
    first = drawing.conv("input", (4,), kernel=(3, 3), padding=(1, 1, 1, 1))
    network = drawing.build(drawing.linear(first, (3,), bits=32))
    found = design(
        network, copies=[4, 1], macros=[2, 1], clocks=[3, 2], side=32, dac_bits=4, cell_bits=4
    )
    return network, noisy(make_arch(found, "slow"))


def wrong_elements(
    case: Case,
    effects: DeviceEffects,
    seed: int,
    *,
    together: int = 2,
    errs: bool = True,
    trouble: Trouble = NO_TROUBLE,
    loaded: Callable[[ErringCrossbars], Any] = ErringCrossbars.loaded,
) -> int:
    """Return the elements of three images that differ from golden.

    together: images of a run, whose layers work at the same time; errs: golden does
    """
    network, arch = case
    images = draw_images(network, 3, seed=3)
    images[2] = images[0]
    program = compile_network(network, arch, images=together)
    chip = erring(network, arch, effects, seed, program)
    wanted, exact = infer(network, images, sums_by=chip), infer(network, images)
    assert errs != np.array_equal(wanted[network.answer], exact[network.answer])
    with cheap():
        runs = simulate(arch, loaded(chip), images, trouble=trouble)
    wrong = 0
    for run in runs:
        for image, maps in zip(run.images, run.maps, strict=True):
            assert network.answer in maps
            wrong += sum(
                int((found.reshape(wanted[name][image].shape) != wanted[name][image]).sum())
                for name, found in maps.items()
            )
    return wrong


@pytest.mark.promise(
    "a crossbar chip whose reads are noisy errs in Verilog as golden does: every element, for"
    " several seeds, alone and beside other effects, and whatever the memory stalls"
)
@pytest.mark.parametrize("effects", [SOME, MOST, CLIPPED, with_effects()])
def test_every_element_is_goldens(effects: DeviceEffects) -> None:
    for seed, trouble in enumerate(STALLS, 1):
        errs = effects != with_effects()
        assert wrong_elements(small(), effects, seed, trouble=trouble, errs=errs) == 0


@pytest.mark.promise(
    "reads are counted from the begin of each image, so an image has the same noise alone, in a"
    " stream and in the next run"
)
@pytest.mark.parametrize("together", [1, 3])
def test_the_count_begins_again_with_each_image(together: int) -> None:
    network, arch = small()
    assert wrong_elements((network, arch), SOME, 5, together=together) == 0
    program = compile_network(network, arch, images=together)
    first = draw_images(network, 1, seed=3)
    chip = erring(network, arch, SOME, 5, program)
    with cheap():
        runs = simulate(arch, chip.loaded(), np.concatenate([first] * 3))
    maps = [each for run in runs for each in run.maps]
    for name in maps[0]:
        assert np.array_equal(maps[0][name], maps[1][name])
        assert np.array_equal(maps[0][name], maps[2][name])


@pytest.mark.dear
@pytest.mark.parametrize("make", [least, slow], ids=["least", "slow"])
def test_sizes_of_one_and_bit_steps_of_several_clocks(make: Callable[[], Case]) -> None:
    for seed in (1, 2):
        effects = with_effects(deviation=2.0)
        assert wrong_elements(make(), effects, seed, trouble=STALLS[seed]) == 0


@pytest.mark.dear
@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 9))]
)
def test_drawn_networks(seed: int) -> None:
    """Layers that read several maps, or have groups, over several macros."""
    network, arch, _ = drawn(seed)
    case = network, noisy(arch)
    for effects, trouble in ((SOME, STALLS[1]), (MOST, STALLS[2])):
        assert wrong_elements(case, effects, seed, trouble=trouble) == 0


def counted_on(patch: pytest.MonkeyPatch) -> None:
    """Let the count of reads run on for a bit step behind the end of an image."""
    made = array_engine.array_sizes

    def sizes(*given: Any) -> Any:
        found = made(*given)
        return replace(found, noisy_reads=found.noisy_reads + 1)

    patch.setattr(array_engine, "array_sizes", sizes)


def once_mixed(patch: pytest.MonkeyPatch) -> None:
    """Leave the second factor out of the hash."""
    text = bank.NOISE["offsets"].replace("32'h846ca68b", "32'h1")
    assert text != bank.NOISE["offsets"]
    patch.setitem(bank.NOISE, "offsets", text)


@pytest.mark.dear("counted_on")
@pytest.mark.promise("a count that is not that of the image, and another hash, are seen")
@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize("plant", [counted_on, once_mixed])
def test_planted_faults_are_seen(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert wrong_elements(small(), with_effects(deviation=1.0), 1) > 0


def test_the_noise_of_another_column_is_seen() -> None:
    def loaded(chip: ErringCrossbars) -> Any:
        tiles_of = chip._tiles_of

        def turned(*place: Any) -> Any:
            return [replace(tile, keys=np.roll(tile.keys, 1)) for tile in tiles_of(*place)]

        chip._tiles_of = turned  # type: ignore[method-assign]
        return chip.loaded()

    assert wrong_elements(small(), SOME, 1, loaded=loaded) > 0


@pytest.mark.promise(
    "without `read_noise` in its file a crossbar chip has the digest and the Verilog that it had,"
    " and refuses a file of effects with noise of reads in Verilog, not in golden"
)
def test_a_file_without_read_noise_says_nothing_of_it() -> None:
    network, arch = small()
    quiet = replace(arch, read_noise=False)
    assert "read_noise" not in arch_text(quiet)
    assert arch.design_digest == quiet.design_digest
    assert len({arch.digest, quiet.digest, replace(quiet, effects=False).digest}) == 3
    texts = hosted(described(quiet)).write(), hosted(described(arch)).write()
    assert ["mix(" in "".join(text.values()) for text in texts] == [False, True]
    given = yaml.safe_load(arch_text(quiet)) | {"read_noise": True}
    assert arch_of(given, "chip.yaml").digest == arch.digest
    chip = erring(network, quiet, SOME, 1, compile_network(network, quiet))
    with pytest.raises(ConfigError, match=r"read_noise must be true, so that reads have the noise"):
        chip.loaded()
    alone = yaml.safe_load(arch_text(replace(quiet, effects=False))) | {"read_noise": True}
    with pytest.raises(ConfigError, match="effects must be true beside read_noise"):
        arch_of(alone, "chip.yaml")


@pytest.mark.promise("`hwgen run` compares a chip whose reads are noisy with golden")
def test_run(tmp_path: Path) -> None:
    network, arch = small()
    files = {"network": tmp_path / "net.npz", "architecture": tmp_path / "chip.yaml"}
    save_network(network, files["network"])
    files["architecture"].write_text(arch_text(arch), encoding="utf-8")
    np.savez(tmp_path / "images.npz", images=draw_images(network, 1, seed=3))
    effects = tmp_path / "effects.yaml"
    effects.write_text(yaml.safe_dump(asdict(SOME)), encoding="utf-8")
    run = partial(
        api.simulate,
        **files,
        data=tmp_path / "images.npz",
        context=api.Context(console=None, work=tmp_path),
    )
    report = run(effects=effects, effect_seed=4)
    assert report.equal and report.mismatches == 0
    assert report.effects is not None and report.effects.seed == 4
