"""What a person types."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emojax.evaluation.evaluator import evaluate

ROOT = Path(__file__).parents[1]


def run(script, *flags):
    return subprocess.run(
        [sys.executable, script, *flags], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
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
        assert "; log-mel standardised per utterance, no speaker normalisation" in text
    with open(tiny_run / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(corpus["n"] for corpus in results["corpora"].values())
    assert (tiny_run / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_devel_results_have_their_own_folder_and_agree_with_training(tiny_run):
    results = evaluate(tiny_run, "devel")
    best = json.loads((tiny_run / "devel" / "results.json").read_text())["devel_uar"]
    for result in results:
        assert result.uar == pytest.approx(best[result.corpus])


def test_the_papers_crop_differs_from_the_whole_utterance_only_where_it_is_longer(tiny_run):
    # No tiny clip is longer than 5 s.
    for whole, cropped in zip(
        evaluate(tiny_run, "devel"), evaluate(tiny_run, "devel", crop=True), strict=True
    ):
        assert whole.uar == cropped.uar
    assert json.loads((tiny_run / "devel" / "results.json").read_text())["utterance"] == "middle 5 s"


def test_the_latest_state_is_scored_beside_the_best_one(tiny_run):
    evaluate(tiny_run)
    best = (tiny_run / "results.json").read_bytes()
    results = evaluate(tiny_run, "devel", state="latest")
    evaluate(tiny_run, state="latest")
    assert (tiny_run / "results.json").read_bytes() == best
    latest = json.loads((tiny_run / "latest" / "results.json").read_text())
    last = json.loads((tiny_run / "metrics.jsonl").read_text().splitlines()[-1])
    assert (latest["state"], json.loads(best)["state"]) == ("latest", "best")
    assert latest["step"] == last["step"]
    assert latest["devel_uar"] == pytest.approx({r.corpus: last[f"devel_uar/{r.corpus}"] for r in results})
    assert latest["devel_uar"] == pytest.approx({result.corpus: result.uar for result in results})


def test_corpora_that_moved_since_training_are_found_where_a_person_says(tiny_run, tiny_paths, tmp_path):
    run_, data = tmp_path / "run", tmp_path / "data"
    shutil.copytree(tiny_run, run_)
    for path in tiny_paths.values():
        shutil.copytree(path, data / Path(*path.parts[-3:]))
    (run_ / "corpora.json").write_text(json.dumps({name: f"/gone/{name}" for name in tiny_paths}))
    with pytest.raises(ValueError, match=r"tones in /gone/tones.*--data_dir=DIR"):
        evaluate(run_, "devel")
    moved = evaluate(run_, "devel", data_dir=data)
    assert [result.uar for result in moved] == [result.uar for result in evaluate(tiny_run, "devel")]


def test_corpora_that_changed_since_training_are_refused(tiny_run, tiny_paths, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    shutil.copytree(tiny_paths["tones"], tmp_path / "1.0.0")
    table = tmp_path / "1.0.0" / "clips.csv"
    lines = table.read_text().splitlines(keepends=True)
    speakers = {line.split(",")[2] for line in lines[1:]}
    first, second = sorted(speakers)[:2]
    swapped = [line.replace(f",{first},", ",X,").replace(f",{second},", f",{first},") for line in lines[1:]]
    table.write_text(lines[0] + "".join(swapped).replace(",X,", f",{second},"))
    places = json.loads((tmp_path / "run" / "corpora.json").read_text())
    places["tones"] = str(tmp_path / "1.0.0")
    (tmp_path / "run" / "corpora.json").write_text(json.dumps(places))
    with pytest.raises(ValueError, match=r"partitions\.tones\.digest"):
        evaluate(tmp_path / "run")


@pytest.mark.parametrize(
    ("script", "flags", "message"),
    [
        ("evaluate.py", ["--workdir=no/such/run"], "holds no best checkpoint"),
        ("train.py", ["--config=configs/scratch.py", "--config.corpora=nonsense"], "nonsense"),
        ("train.py", ["--config.batch_size=0"], "batch_size"),
        ("train.py", ["--config.fast_conv=perhaps"], "auto, on, off"),
        ("train.py", ["--config.precision=f16"], "auto, f32, bf16"),
        ("train.py", ["--config.learning_rates=(0.1, 0.0)"], "learning_rates"),
        ("train.py", ["--config.no_such_setting=1"], "no_such_setting"),
        ("train.py", ["--config=configs/base.py", "--config.no_such_setting=1"], "no_such_setting"),
        ("train.py", ["stray"], "unknown arguments"),
        ("baseline.py", ["--corpora=x", "--features=egemaps,mfcc"], "'mfcc'; choose one of egemaps, compare"),
        ("baseline.py", ["--corpora=nonsense"], "nonsense"),
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
