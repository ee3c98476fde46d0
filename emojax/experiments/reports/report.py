"""Reports of experiments, and their files: CSV, LaTeX, PNG and an HTML page."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from emojax.experiments.reports.table import Table, html_text
from emojax.files import replacing
from emojax.fonts import save_figure
from emojax.versions import commit, versions

_DPI = 110
_STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; color: #1b1b1b; max-width: 70rem;
  margin: auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2.5rem }
.wide { overflow-x: auto } img { max-width: 100%; height: auto }
table { border-collapse: collapse; border-block: 2px solid; font-size: .9rem }
th, td { padding: .2rem .6rem; vertical-align: top }
th { border-bottom: 1px solid; text-align: left }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.text { overflow-wrap: anywhere; min-width: 6rem }
tfoot td { border-top: 1px solid } tbody tr:nth-child(even) { background: #f3f3f3 }
p, dd { color: #555; font-size: .9rem; overflow-wrap: anywhere }
dd { margin: 0 0 .5rem } dt { font-weight: 600 }
"""


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """Figure with a caption, which may be untrusted text.

    Attributes:
      name: name of its file.
      caption: one line.
      figure: the drawn figure.
    """

    name: str
    caption: str
    figure: Figure

    def png(self) -> bytes:
        """Return the content of a PNG file."""
        content = io.BytesIO()
        save_figure(self.figure, content, dpi=_DPI)
        return content.getvalue()


@dataclasses.dataclass(frozen=True)
class Report:
    """Results of an experiment, with the facts that a reader needs to judge them.

    Attributes:
      name: name of the experiment and of the page.
      title: one line.
      protocol: which speakers were trained on, and which were tested.
      seeds: seeds, and what they decide.
      normalisation: normalisation of the input.
      selection: rule by which a state or an example was chosen.
      pieces: tables and pictures in the order of the page.
      missing: missing results and the reasons.
      run_versions: software versions of finished runs; empty where the page's own computation
        made the results.
      caution: line for the terminal on what the results do not say; the pieces say it by marks.
      scores: setting → corpus → scores, plain JSON types, for programs; written if there are any.
    """

    name: str
    title: str
    protocol: str
    seeds: str
    normalisation: str
    selection: str
    pieces: Sequence[Table | Picture]
    missing: str = ""
    run_versions: str = ""
    caution: str = ""
    scores: Mapping[str, Mapping[str, Mapping]] = dataclasses.field(default_factory=dict)


def write_report(report: Report, out: str | Path, command: str) -> list[Path]:
    """Write ``NAME.html``, a ``.csv`` and a ``.tex`` per table, and a ``.png`` per picture.

    Scores are written to ``NAME.json`` with the command. Each file is written atomically. The page
    embeds its pictures and needs no network.

    Args:
      report: report to write.
      out: folder of the files; made if missing.
      command: command line, shown on the page.

    Returns:
      Paths of the files, the page last.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {}
    sections = []
    for piece in report.pieces:
        if isinstance(piece, Table):
            files |= {
                f"{piece.name}.csv": piece.csv().encode(),
                f"{piece.name}.tex": piece.latex().encode(),
            }
            sections.append(piece.html())
        else:
            files[f"{piece.name}.png"] = png = piece.png()
            sections.append(_picture_html(piece.caption, png))
    if report.scores:
        scored = {"command": command, "settings": report.scores}
        text = json.dumps(scored, indent=1, ensure_ascii=False, allow_nan=False)
        files[f"{report.name}.json"] = f"{text}\n".encode()
    files[f"{report.name}.html"] = _page(report, sections, command).encode()
    for name, content in files.items():
        with replacing(out / name) as draft:
            draft.write_bytes(content)
    return [out / name for name in files]


def _picture_html(caption: str, png: bytes) -> str:
    data = base64.b64encode(png).decode()
    caption = html_text(caption)
    return (
        f"<section><h2>{caption}</h2>"
        f'<img alt="{caption}" src="data:image/png;base64,{data}"></section>'
    )


def _page(report: Report, sections: Sequence[str], command: str) -> str:
    facts = {
        "Protocol": report.protocol,
        "Seeds": report.seeds,
        "Normalisation": report.normalisation,
        "Selection": report.selection,
        "Versions of the runs": report.run_versions,
        "Versions of this page": _versions(),
        "Command": command,
    }
    listed = "".join(
        f"<dt>{key}</dt><dd>{html_text(value)}</dd>\n" for key, value in facts.items() if value
    )
    title = html_text(report.title)
    missing = f"<p><b>Missing</b> {html_text(report.missing)}</p>" if report.missing else ""
    # A second protection: even text that was not escaped cannot run or load anything.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><h1>{title}</h1>
{missing}
{"".join(sections)}
<section><h2>How this came about</h2><dl>
{listed}</dl></section></body></html>
"""


def _versions() -> str:
    found = versions("jax", "flax", "numpy", "scikit-learn", "matplotlib")
    own = " at ".join(filter(None, (found.pop("emojax"), commit())))
    return ", ".join(f"{name} {number}" for name, number in {"emojax": own, **found}.items())
