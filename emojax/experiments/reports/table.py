"""Table that is written as CSV, LaTeX and HTML."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
from collections.abc import Mapping, Sequence

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "−": r"$-$",
        "±": r"$\pm$",
        "ε": r"$\varepsilon$",
        # LaTeX would read these at the start of a row as arguments of the \\ before it.
        "[": "{[}",
        "*": "{*}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)


@dataclasses.dataclass(frozen=True)
class Marked:
    """Number with a mark behind it; a CSV has the number only."""

    value: float
    mark: str

    def __format__(self, form: str) -> str:
        return format(self.value, form) + self.mark

    def __str__(self) -> str:
        return str(self.value)


Cell = str | int | float | Marked | None


@dataclasses.dataclass(frozen=True)
class Table:
    """Table of numbers and texts, which may be untrusted.

    Attributes:
      name: name of its files.
      caption: one line.
      columns: heading → format of its numbers, such as ``".1f"``; empty for a column of texts.
      rows: a cell per column; None where a value is unknown.
      foot: last row that sums up the others, or empty.
      notes: lines below the table.

    >>> table = Table(
    ...     "demo", "Two corpora", {"corpus": "", "mean s": ".1f"}, [("a_b", 2.345), ("c", None)]
    ... )
    >>> print(table.csv(), end="")
    corpus,mean s
    a_b,2.345
    c,
    >>> table.shown()
    [('a_b', '2.3'), ('c', '')]
    """

    name: str
    caption: str
    columns: Mapping[str, str]
    rows: Sequence[Sequence[Cell]]
    foot: Sequence[Cell] = ()
    notes: Sequence[str] = ()

    def shown(self) -> list[tuple[str, ...]]:
        """Return all rows as formatted texts, the foot last."""
        rows = [*self.rows, self.foot] if self.foot else self.rows
        forms = self.columns.values()
        return [tuple(_shown(*pair) for pair in zip(row, forms, strict=True)) for row in rows]

    def csv(self) -> str:
        """Return the rows as CSV, with unrounded numbers and without caption and notes."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        writer.writerows([self.foot] if self.foot else [])
        return text.getvalue()

    def latex(self) -> str:
        """Return a floating LaTeX table; it needs the package booktabs."""
        lines = [
            " & ".join(map(latex_text, row)) + r" \\"
            for row in (tuple(self.columns), *self.shown())
        ]
        lines.insert(1, r"\midrule")
        if self.foot:
            lines.insert(-1, r"\midrule")
        sides = "".join("r" if form else "l" for form in self.columns.values())
        notes = [rf"\par\footnotesize {latex_text(note)}" for note in self.notes]
        begin = [r"\begin{table}", r"\centering", rf"\caption{{{latex_text(self.caption)}}}"]
        begin += [rf"\begin{{tabular}}{{{sides}}}", r"\toprule"]
        end = [r"\bottomrule", r"\end{tabular}", *notes, r"\end{table}"]
        return "\n".join([*begin, *lines, *end]) + "\n"

    def html(self) -> str:
        """Return a section of an HTML page."""
        sides = ["number" if form else "text" for form in self.columns.values()]
        *body, last = [_html_row("td", row, sides) for row in self.shown()] or [""]
        foot = f"<tfoot>{last}</tfoot>" if self.foot else ""
        body += [] if self.foot else [last]
        notes = "".join(f"<p>{html_text(note)}</p>" for note in self.notes)
        return (
            f"<section><h2>{html_text(self.caption)}</h2><div class=wide><table>"
            f"<thead>{_html_row('th', tuple(self.columns), sides)}</thead>"
            f"<tbody>{''.join(body)}</tbody>{foot}</table></div>{notes}</section>"
        )


def _shown(cell: Cell, form: str) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else format(cell, form).replace("-", "−")


def _html_row(tag: str, row: Sequence[str], sides: Sequence[str]) -> str:
    cells = (
        f"<{tag} class={side}>{html_text(cell)}</{tag}>"
        for cell, side in zip(row, sides, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>\n"


def one_line(text: str) -> str:
    r"""Remove line breaks and invisible characters from a text.

    >>> one_line("a\n\n b\x00")
    'a b'
    """
    return " ".join("".join(c for c in word if c.isprintable()) for word in text.split()).strip()


def html_text(text: str) -> str:
    """Escape untrusted text for an HTML page or a quoted attribute.

    >>> html_text("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    return html.escape(one_line(text))


def latex_text(text: str) -> str:
    r"""Escape untrusted text for a LaTeX document.

    >>> latex_text("50 % of a_b\\input{c}")
    '50 \\% of a\\_b\\textbackslash{}input\\{c\\}'
    """
    return one_line(text).translate(_LATEX)
