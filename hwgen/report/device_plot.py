"""The picture of a fitted device: each level over time, as it was read and as the table has it.

Tests: `tests/commands/test_device.py`.
"""

import numpy as np
from matplotlib.figure import Figure

from hwgen.report.device import DeviceReport
from hwgen.report.svg import MUTED, SERIES, report_picture

SIZE = (5.2, 3.6)
"""Inches."""
PLACES = 40
"""Of the line of a fit."""


def device_picture(report: DeviceReport, kind: str) -> bytes:
    """Return the picture, the same bytes every time; kind: `svg` or `png`."""

    def draw_all(figure: Figure) -> None:
        axes = figure.subplots()
        times = np.array(report.times)
        places = np.geomspace(times[0], times[-1], PLACES)
        for number, one in enumerate(report.levels):
            color = SERIES[number % len(SERIES)]
            axes.errorbar(
                times,
                100 * np.array(one.means),
                yerr=100 * np.array(one.deviations),
                color=color,
                marker="o",
                linestyle="none",
                capsize=3,
            )
            axes.plot(places, 100 * one.means[0] * (places / times[0]) ** -one.drift, color=color)
        axes.plot([], [], color=MUTED, label="fitted mean")
        axes.errorbar([], [], yerr=[], color=MUTED, marker="o", linestyle="none", label="read")
        axes.set_xscale("log")
        axes.set_xlabel("seconds since writing")
        axes.set_ylabel("conductance, % of the highest level")
        axes.grid()
        axes.legend(fontsize=7)

    return report_picture(kind, *SIZE, draw_all)
