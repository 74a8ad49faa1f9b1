"""The charts of the draft report: bars that stay apart in black and white, each with its figure."""

from __future__ import annotations

import io
import os
import textwrap
from functools import lru_cache
from typing import TYPE_CHECKING

from cchc.settings import get_settings
from publish.text_sentences import STALE_MARK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from publish.text_sentences import Chart, Shown

_WIDTH_INCHES = 6.4
_BAR_INCHES = 0.25
_DOTS_PER_INCH = 200
# grey and hatching, because most copies of a report are black and white
_LOOKS = (("#404040", ""), ("#d9d9d9", "////"), ("#a6a6a6", "...."))
# comes with the library, so a chart looks the same on every machine; it has all Vietnamese letters
_FONT = "DejaVu Serif"


@lru_cache(maxsize=16)
def png(chart: Chart) -> bytes:
    """The chart as PNG bytes, the same for the same figures. A figure without a value is said to be missing."""
    # the library keeps a list of fonts; nothing is written outside the state folder
    os.environ.setdefault("MPLCONFIGDIR", str(get_settings().var / "matplotlib"))
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count, height = len(chart.series), 0.8 / len(chart.series)
    with rc_context({"font.family": _FONT, "font.size": 10, "hatch.linewidth": 0.6}):
        figure = Figure(figsize=(_WIDTH_INCHES, 0.75 + _BAR_INCHES * len(chart.groups) * (count + 0.6)))
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        for number, name in enumerate(chart.series):
            colour, hatch = _LOOKS[number % len(_LOOKS)]
            figures = [values[number] for _, values in chart.groups]
            places = [place + (number - (count - 1) / 2) * height for place in range(len(figures))]
            bars = axes.barh(
                places,
                [float(max(item.value or 0, 0)) for item in figures],
                height * 0.9,
                label=name,
                color=colour,
                hatch=hatch,
                edgecolor="black",
                linewidth=0.6,
            )
            axes.bar_label(bars, [label(item) for item in figures], padding=3, fontsize=9)
        _dress(axes, chart)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=_DOTS_PER_INCH, bbox_inches="tight", metadata={"Software": None})
    return file.getvalue()


def label(figure: Shown) -> str:
    """What stands at the end of a bar."""
    if figure.status == "missing":
        return "chưa có số liệu"
    return f"{figure.text} {STALE_MARK}" if figure.status == "stale" else figure.text


def description(chart: Chart) -> str:
    """The chart in words, for those who do not see it."""
    groups = (
        f"{group}: " + ", ".join(f"{name} {label(item)}" for name, item in zip(chart.series, values, strict=True))
        for group, values in chart.groups
    )
    return f"Biểu đồ: {chart.title} ({chart.unit}). " + "; ".join(groups) + "."


def _dress(axes: Axes, chart: Chart) -> None:
    axes.set_yticks(range(len(chart.groups)), [textwrap.fill(name, 18) for name, _ in chart.groups])
    axes.invert_yaxis()
    axes.margins(x=0.18)
    # the figures stand at the bars; a scale would repeat them in the notation of another language
    axes.xaxis.set_visible(False)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    if len(chart.series) > 1:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=len(chart.series), frameon=False)
