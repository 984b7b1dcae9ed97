"""Draws the age of data on a summer and on a winter day, for docs/budget.md."""

from datetime import timedelta
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
import numpy as np

from .measure import simulate
from .scenarios import SCENARIOS
from .world import DAY, END, YEAR, Kind, Moments

_IMAGES = Path(__file__).parents[3] / "docs" / "images"
_SCENARIO = "watt-battery"
_DAYS = {"summer": 171, "winter": 354}
_HOUR = 3600.0
_OURS, _FIXED, _SUN = "#e4572e", "#8d99ae", "#ffe8a3"


def draw() -> None:
    """Draw the age of each document on a long and on a short day."""
    (system,), _, record = simulate(SCENARIOS[_SCENARIO])
    interval = END * len(record.polls) / len(record.calls)
    at_intervals = np.arange(interval / 2, END, interval, dtype=np.float64)
    plt.rcParams |= {"svg.hashsalt": _SCENARIO, "font.family": "sans-serif"}
    for season, day in _DAYS.items():
        begin = day * DAY
        figure, rows = plt.subplots(
            len(record.polls), sharex=True, figsize=(9, 4.2), layout="constrained"
        )
        for axes, (feed, known) in zip(rows, record.polls.items(), strict=True):
            published = system.published[Kind(feed.document)]
            newest = published.at.searchsorted(at_intervals, side="right") - 1
            for sunrise, sunset in system.days:
                if begin <= sunrise < begin + DAY:
                    sunlit = ((moment - begin) / _HOUR for moment in (sunrise, sunset))
                    axes.axvspan(*sunlit, color=_SUN)
            _line(axes, begin, at_intervals, published.data_at[newest], _FIXED)
            at, data_at = np.array(known).T
            _line(axes, begin, at, data_at, _OURS)
            axes.set(xlim=(0, 24), ylim=(0, 180), ylabel=f"{feed.document}\nminutes")
            axes.set_xticks(range(0, 25, 3))
            axes.spines[["top", "right"]].set_visible(False)
        rows[-1].set_xlabel("hour of the day (UTC)")
        labels = ["at fixed intervals", "as planned"]
        figure.legend(
            rows[0].lines, labels, loc="outside lower center", ncols=2, frameon=False
        )
        date = YEAR + timedelta(days=day)
        figure.suptitle(f"Age of what is known on {date:%-d %B}; 1,000 calls a month")
        figure.savefig(_IMAGES / f"budget-{season}-day.svg", metadata={"Date": None})
        plt.close(figure)


def _line(axes: Axes, begin: float, at: Moments, data_at: Moments, colour: str) -> None:
    """Draw the age of a document over a day with some polls."""
    moments = np.arange(begin, begin + DAY, 30.0)
    newest = at.searchsorted(moments, side="right") - 1
    age = (moments - np.maximum.accumulate(data_at)[newest]) / 60
    axes.plot((moments - begin) / _HOUR, age, color=colour, lw=1.3)
