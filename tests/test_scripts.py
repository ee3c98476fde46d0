"""What a person types."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(script, *flags):
    return subprocess.run(
        [sys.executable, script, *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_evaluate_prints_a_table_and_writes_its_files(tiny_run):
    done = run("evaluate.py", f"--workdir={tiny_run}")
    assert done.returncode == 0, done.stderr
    assert "tones" in done.stdout
    assert "mean UAR" in done.stdout
    results = json.loads((tiny_run / "results.json").read_text())
    assert set(results["corpora"]) == {"tones", "levels"}
    keys = {"protocol", "n", "chance", "uar", "uar_ci95", "war", "macro_f1", "labels", "confusion"}
    assert keys <= set(results["corpora"]["tones"])
    assert "evaluate.py" in results["command"]
    for text in (done.stdout, results["corpora"]["tones"]["protocol"]):
        assert "; input standardised per utterance, no speaker normalisation" in text
    with open(tiny_run / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(corpus["n"] for corpus in results["corpora"].values())
    assert (tiny_run / "confusion.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("script", "flags", "message"),
    [
        ("train.py", ["--config.batch_size=0"], "batch_size"),
        ("train.py", ["--config.fast_conv=perhaps"], "auto, on, off"),
        ("train.py", ["--config.precision=f64"], "auto, f32, bf16, f16"),
        ("train.py", ["--config.learning_rates=(0.1, 0.0)"], "learning_rates"),
        ("train.py", ["--config.no_such_setting=1"], "no_such_setting"),
        ("train.py", ["--config=configs/base.py", "--config.no_such_setting=1"], "no_such_setting"),
        ("train.py", ["stray"], "unknown arguments"),
        (
            "baseline.py",
            ["--corpora=x", "--features=egemaps,mfcc"],
            "'mfcc'; choose one of egemaps, compare",
        ),
        (
            "baseline.py",
            ["--corpora=x", "--features=deepspectrum_vgg16", "--vgg16_weights=no.h5"],
            "--vgg16_weights=no.h5: no such file",
        ),
        ("compare.py", ["--workdirs=one"], "give two folders"),
    ],
)
def test_bad_flags_are_one_clear_error(script, flags, message, tmp_path):
    if script == "train.py":
        flags = [*flags, f"--workdir={tmp_path}", f"--config.data_dir={tmp_path}"]
    if script == "baseline.py":
        flags = [*flags, f"--out={tmp_path}", f"--data_dir={tmp_path}"]
    done = run(script, *flags)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
