"""The figure of lesson 09: bars, for how much smaller messages become and for what that takes."""

from collections.abc import Mapping

from wslab.lab.views.figure import Figure, canvas, style
from wslab.lab.views.palette import CLIENT, INK, SERVER

__all__ = ["bars"]


def bars(title: str, unit: str, given: Mapping[str, float | Mapping[str, float]], end: float = 0) -> Figure:
    """Draw horizontal bars: a group for each name, in it a bar for each setting with its number.

    Args:
        title: the claim that the figure shows.
        unit: what the numbers are.
        given: name of a group to its number, or to setting to number.
        end: where a dashed line stands, such as at "no gain"; 0 for none.
    """
    groups = {name: each if isinstance(each, Mapping) else {"": each} for name, each in given.items()}
    most = max(max(group.values()) for group in groups.values())
    with style():
        drawing = canvas(7.2, 0.9 + 0.3 * sum(map(len, groups.values())))
        axes = drawing.add_subplot(title=title, xlabel=unit, xlim=(0, 1.3 * most))
        row, places, words = 0.0, [], []
        for name, group in groups.items():
            places.append(row + (len(group) - 1) / 2)
            for (setting, number), colour in zip(group.items(), (SERVER, CLIENT), strict=False):
                axes.barh(row, number, 0.9, color=colour.background, edgecolor=INK, linewidth=0.8)
                text = f" {_exact(number, most)} {setting}".rstrip()
                axes.text(max(number, end), row, text, va="center")  # never on the dashed line
                words.append(f"{name}, {setting}".rstrip(", ") + f": {_about(number)}")
                row += 1
            row += 0.4
        if end:
            axes.axvline(end, color=INK, linewidth=1, linestyle="--")
        axes.set_yticks(places, list(groups))
        axes.invert_yaxis()
    return Figure(drawing, f"{title}. {unit}, about: {'; '.join(words)}.")


def _exact(number: float, most: float) -> str:
    """Return the number beside a bar; one that rounds to 0 is there, too."""
    return f"{number:.2f}" if most < 10 else f"{number:.0f}" if number >= 1 else "under 1"


def _about(number: float) -> str:
    """Round to one digit: a measurement is not the same in every run, and the words of a figure are."""
    return "under 1" if number < 1 else f"{float(f'{number:.1g}'):g}"
