"""Draws a summer and a winter day."""

from datetime import timedelta
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
import numpy as np

from .measure import simulate
from .scenarios import SCENARIOS
from .world import DAY, END, YEAR, Kind, Publications, System

# Rows of (moment, data known from then on).
type Polls = np.ndarray[tuple[int, int], np.dtype[np.float64]]

_IMAGES = Path(__file__).parents[3] / "docs" / "images"
_SCENARIO = "watt-battery"
_DAYS = {"summer": 171, "winter": 354}
_HOUR = 3600.0
_OURS, _FIXED, _SUN = "#e4572e", "#8d99ae", "#ffe8a3"


def draw() -> None:
    """Draw what is known how late on a long and on a short day."""
    systems, _, record = simulate(SCENARIOS[_SCENARIO])
    system = systems[0]
    polls = {
        Kind(feed.document): np.array(known) for feed, known in record.polls.items()
    }
    interval = END * len(polls) / len(record.calls)
    plt.rcParams |= {"svg.hashsalt": _SCENARIO, "font.family": "sans-serif"}
    for season, day in _DAYS.items():
        figure, rows = plt.subplots(
            len(polls), sharex=True, figsize=(9, 4.2), layout="constrained"
        )
        for axes, (kind, ours) in zip(rows, polls.items(), strict=True):
            fixed = _fixed(system.published[kind], interval)
            _panel(axes, kind, system, day * DAY, {"ours": ours, "fixed": fixed})
        rows[-1].set_xlabel("hour of the day (UTC)")
        lines, labels = rows[0].get_legend_handles_labels()
        figure.legend(lines, labels, loc="outside lower center", ncols=2, frameon=False)
        date = YEAR + timedelta(days=day)
        figure.suptitle(f"Age of what is known on {date:%-d %B}; 1,000 calls a month")
        figure.savefig(_IMAGES / f"budget-{season}-day.svg", metadata={"Date": None})
        plt.close(figure)


def _fixed(published: Publications, interval: float) -> Polls:
    """Return polls at fixed intervals."""
    at = np.arange(interval / 2, END, interval)
    newest = published.at.searchsorted(at, side="right") - 1
    return np.column_stack((at, published.data_at[newest]))


def _panel(
    axes: Axes, kind: Kind, system: System, begin: float, polls: dict[str, Polls]
) -> None:
    """Draw the age of a document over a day, by who polls it."""
    for sunrise, sunset in system.days:
        if begin <= sunrise < begin + DAY:
            axes.axvspan(
                (sunrise - begin) / _HOUR, (sunset - begin) / _HOUR, color=_SUN
            )
    moments = np.arange(begin, begin + DAY, 30.0)
    for who, colour, label in (
        ("fixed", _FIXED, "at fixed intervals"),
        ("ours", _OURS, "as planned"),
    ):
        at, data_at = polls[who][:, 0], polls[who][:, 1]
        newest = at.searchsorted(moments, side="right") - 1
        age = (moments - np.maximum.accumulate(data_at)[newest]) / 60
        axes.plot((moments - begin) / _HOUR, age, color=colour, label=label, lw=1.3)
    axes.set(xlim=(0, 24), ylim=(0, 180), ylabel=f"{kind}\nminutes")
    axes.set_xticks(range(0, 25, 3))
    axes.spines[["top", "right"]].set_visible(False)
