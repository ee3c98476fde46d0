"""Work of a training step, the machine's peak speed, and the time of the step."""

from __future__ import annotations

import functools
import sys

from interleaved import Worker, measure

PAPER_WINDOW_S = 5.0
PARTS = 3  # shares of the window, as in emojax.data.windows, which is not imported here


def measure_budget(settings: dict) -> dict:
    """Measure the budget of each window length, and print it as a table."""
    makers = {
        "ceilings": functools.partial(Worker, "emojax_worker.py", {**settings, "job": "ceilings"})
    }
    for window_s in (PAPER_WINDOW_S * part / PARTS for part in range(1, PARTS + 1)):
        own = {**settings, "job": "training", "window_s": window_s}
        makers[f"{window_s:.3g} s"] = functools.partial(Worker, "emojax_worker.py", own)
    rows = measure(makers, settings["rounds"])
    ceilings = rows.pop("ceilings")
    devices = (
        1 if ceilings["platform"] == "cpu" else ceilings["devices"]
    )  # simulated devices share the cores
    flops_per_s = devices * ceilings["flops_per_s"]
    bytes_per_s = devices * ceilings["copied_bytes"] / ceilings["step_s"]
    for row in rows.values():
        # Arithmetic and copies can overlap.
        row["floor_s"] = max(row["flops"] / flops_per_s, row["bytes"] / bytes_per_s)
        row["peak_share"] = row["floor_s"] / row["step_s"]
    print(_table(rows, flops_per_s, bytes_per_s), file=sys.stderr)
    return {"flops_per_s": flops_per_s, "bytes_per_s": bytes_per_s, "windows": rows}


def _table(rows: dict, flops_per_s: float, bytes_per_s: float) -> str:
    """Format the budget as Markdown."""
    lines = [
        "| window | 10⁹ operations | take | 10⁹ bytes | take | step takes | floor / step |",
        "|---|---|---|---|---|---|---|",
    ]
    for window, row in rows.items():
        flops, moved = row["flops"], row["bytes"]
        lines.append(
            f"| {window} | {flops / 1e9:.0f} | {flops / flops_per_s:.2g} s | {moved / 1e9:.2f} | "
            f"{moved / bytes_per_s:.2g} s | {row['step_s']:.2g} s | {row['peak_share']:.2f} |"
        )
    ceilings = (
        f"Ceilings: {flops_per_s / 1e9:.0f}·10⁹ operations/s, {bytes_per_s / 1e9:.1f}·10⁹ bytes/s."
    )
    return "\n".join([*lines, "", ceilings])
