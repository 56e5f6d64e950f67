"""Devices against GOPS/W: a small study beside golden, and the page of a record by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hwgen_studies import device_points
from hwgen_studies.device_points import CHIPS, DEVICES, Device, Study
from hwgen_studies.device_points_page import Chip, DevicePoints, Measurement, page, picture

from golden.crossbar.effects import erring
from golden.network import predict
from hwgen.commands.context import Context
from hwgen.commands.images import choose_images
from hwgen.crossbar.facts import load_arch
from hwgen.files.shipped import networks
from hwgen.network.file import load_network

CHIP = Chip(
    cells="offset",
    bits_less=0,
    side=256,
    cell_bits=2,
    dac_bits=2,
    adc_bits=11,
    adc_pj=6.8,
    lossless_bits=11,
    lossless_pj=6.8,
    lossless_least_w=1.5,
    gops_per_w=800.0,
    bound_gops_per_w=900.0,
    crossbars=10,
    most_copies=3,
)
CLIPPED = replace(
    CHIP, bits_less=2, cell_bits=4, lossless_bits=13, lossless_pj=60.0, gops_per_w=1400.0
)


def point(chip: int, device: str, *accuracies: float) -> Measurement:
    """Return a measurement with an interval of a point to both sides."""
    mean = float(np.mean(accuracies))
    interval = mean - 0.01, mean + 0.01
    return Measurement(
        chip=chip, device=device, accuracies=accuracies, mean=mean, interval=interval
    )


REPORT = DevicePoints(
    format="hwgen.report.device_points",
    version=1,
    commit="abc",
    network="net",
    power_w=3.0,
    evaluations=100,
    images=1000,
    exact=0.92,
    chips=[CHIP, replace(CLIPPED, lossless_least_w=3.62)],
    points=[
        point(0, "none", 0.92),
        point(0, "5 %", 0.7, 0.8),
        point(1, "none", 0.9),
        point(1, "5 %", 0.5, 0.8),
        point(1, "memory", 0.3),
    ],
)


@pytest.mark.dear("30")
def test_a_small_study_measures_what_golden_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts of 30 of 50 images; a second run computes nothing, a chip has the bits asked for."""
    monkeypatch.setattr(device_points, "AT_ONCE", 30)
    varied = Device(name="varied", file="effects/exact", seeds=2, chips=(1,), variation=0.2)
    study = Study(
        context=Context(work=tmp_path, console=None),
        data=None,
        network="digits_small_cnn",
        power_w=0.6,
        evaluations=20,
        images=50,
        chips=[("offset", 0), ("differential", 2)],
        devices=[replace(DEVICES[0], chips=()), varied],
    )
    found = study.run()
    assert [chip.bits_less for chip in found.chips] == [0, 2]
    assert [chip.cells for chip in found.chips] == ["offset", "differential"]
    assert [(each.chip, each.device, len(each.accuracies)) for each in found.points] == [
        (0, "none", 1),
        (1, "varied", 2),
    ]
    network = load_network(networks()["digits_small_cnn"])
    batch = choose_images(network, None, 50)
    for each in found.points:
        cells, less = study.chips[each.chip]
        name = f"digits_small_cnn-{cells}-{less}-less.yaml"
        arch = load_arch(tmp_path / "device-points" / name)
        assert arch.point.lossless_bits - arch.adc_bits == less
        effects = next(one for one in study.devices if one.name == each.device).effects
        for seed, accuracy in enumerate(each.accuracies, 1):
            chip = erring(network, arch, effects, seed)
            right = predict(network, batch.images, sums_by=chip) == batch.labels
            assert accuracy == pytest.approx(right.mean())
    kept = sorted((tmp_path / "effects").glob("*.json"))
    assert len(kept) == 2 * 2  # of two seeds the parts
    times = [file.stat().st_mtime_ns for file in kept]
    assert study.run() == found
    assert [file.stat().st_mtime_ns for file in kept] == times


def test_a_page_says_what_two_bits_less_cost() -> None:
    text = page(REPORT)
    assert "| cells | ADC | side, cell, DAC | pJ | GOPS/W | none | 5 %, 2 seeds | memory |" in text
    assert (
        "| offset | 11 | 256, 2, 2 | 6.8 | 800 | 92.0 (91.0-93.0) | 75.0 (74.0-76.0) | - |" in text
    )
    assert "| offset | 11, 2 less | 256, 4, 2 | 6.8 | 1,400 |" in text
    assert (
        "- offset, 2 bits less: +75% GOPS/W, -2.0 points (none), -10.0 points (5 %). Its arrays"
        " lose nothing with 13 bits, 60 pJ in place of 6.8: 3.62 W for one copy of the weights,"
        " more than there are."
    ) in text
    enough = replace(REPORT, chips=[CHIP, CLIPPED])
    assert "1.5 W for one copy of the weights." in page(enough)
    without = replace(CLIPPED, lossless_bits=15, lossless_pj=None, lossless_least_w=None)
    none = page(replace(REPORT, chips=[CHIP, without]))
    assert "nothing with 15 bits, which no ADC of the table has." in none
    once = page(replace(REPORT, chips=[CHIP, replace(CLIPPED, bits_less=1)]))
    assert "1 bits less" not in once


def test_a_picture_has_a_series_for_each_device() -> None:
    drawn = picture(REPORT, "svg").decode()
    assert all(f"{device}, offset" in drawn for device in REPORT.devices)
    assert "differential" not in drawn


def test_devices_are_measured_on_chips_that_are_searched() -> None:
    for device in DEVICES:
        assert set(device.chips) <= set(range(len(CHIPS)))
        assert device.effects.name in device.file
