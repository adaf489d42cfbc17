"""Pictures of the book that several pages draw. Colours that read on white and on black are set in docs/matplotlibrc."""

from typing import Any

import matplotlib.pyplot as plt

GREY = "#7f8790"  # of lines and letters, as there


def canvas(columns: int = 1, width: float = 7.0, height: float = 2.8) -> tuple[Any, Any]:
    """A figure, and its axes: one, or an array of ``columns``. A cell that ends with the figure shows it."""
    fig, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained")
    plt.close(fig)  # taken off pyplot's list, which would show it a second time
    return fig, axes


def show_numbers(ax: Any, values: Any, title: str = "", marked: Any = ()) -> None:
    """A table of numbers as squares; those at the places of ``marked`` (row, column) in orange."""
    rows, columns = len(values), len(values[0])
    for i in range(rows):
        for j in range(columns):
            colour = "tab:orange" if (i, j) in marked else GREY
            ax.add_patch(plt.Rectangle((j, i), 1, 1, fill=(i, j) in marked, alpha=0.35, color="tab:orange"))
            ax.add_patch(plt.Rectangle((j, i), 1, 1, fill=False, color=GREY))
            ax.text(j + 0.5, i + 0.5, f"{values[i][j]:g}", ha="center", va="center", color=colour, fontsize=11)
    ax.set(xlim=(-0.05, columns + 0.05), ylim=(rows + 0.05, -0.05), aspect="equal", title=title)
    ax.axis("off")


def show_cells(ax: Any, rows: int, columns: int, filled: Any = None, letters: Any = None, at: Any = (0, 0)) -> None:
    """A grid of squares whose first corner lies at ``at`` (column, row): ``filled`` and ``letters`` are given by place.

    ``filled`` has the colour of a square (row, column), or several, which lie over one another.
    """
    left, top = at
    for i in range(rows):
        for j in range(columns):
            colours = (filled or {}).get((i, j), ())
            for colour in (colours,) if isinstance(colours, str) else colours:
                ax.add_patch(plt.Rectangle((left + j, top + i), 1, 1, linewidth=0, color=colour, alpha=0.35))
            ax.add_patch(plt.Rectangle((left + j, top + i), 1, 1, fill=False, color=GREY, linewidth=0.8))
            text = (letters or {}).get((i, j), "")
            ax.text(left + j + 0.5, top + i + 0.5, text, ha="center", va="center", fontsize=8)


def frame(ax: Any, width: float, height: float, title: str = "") -> None:
    """Axes of a drawing, counted in squares, rows downwards."""
    ax.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1), aspect="equal")
    ax.set_title(title, fontsize=9)
    ax.axis("off")
