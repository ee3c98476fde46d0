import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emojax.data.prepared import find_corpora

ROOT = Path(__file__).parents[2]


def run(*arguments, **environment):
    command = [sys.executable, "-m", "emojax.experiments", *arguments]
    pipes = {"capture_output": True, "text": True, "env": os.environ | environment}
    return subprocess.run(command, cwd=ROOT, timeout=300, check=False, **pipes)


def data_dir(tiny_paths):
    return f"--data_dir={tiny_paths['tones'].parents[2]}"


def test_one_command_writes_and_names_its_files(tiny_paths, tmp_path):
    done = run("parameters", "--corpora=levels,tones", data_dir(tiny_paths), f"--out={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert {Path(line).name for line in done.stdout.split()} == {p.name for p in tmp_path.iterdir()}
    assert "levels,tones" in (tmp_path / "parameters.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["nonsense"],
            "choose one of statistics, .*, size, zero_shot, shots, transferable, cross_corpus",
        ),
        (["transfer"], "give --corpora=NAME,NAME to run, or --workdirs="),
        (
            ["baselines", "--corpora=a", "--settings=b"],
            "--settings='b'; choose of egemaps, .*, resnet",
        ),
        (["pooled"], "give --corpora=NAME,NAME to run, or --workdirs="),
        (
            ["pooled", "--corpora=a", "--folds=6", "--settings=b"],
            "--settings='b'; choose of scratch",
        ),
        (
            ["pooled", "--corpora=a", "--settings=scratch,scratch+b"],
            r"--settings=scratch\+b fuses 'b', .* there are: scratch",
        ),
        (
            ["pooled", "--corpora=a", "--settings=adapt", "--base=nowhere"],
            "nowhere holds no checkpoint",
        ),
        (["size"], "give --corpora=NAME,NAME: those that every network learns from"),
        (["size", "--corpora=a", "--widths=8,8"], "--widths=8,8; give each number once, as in"),
        (["zero_shot", "--workdirs=a=x"], "give --corpora=NAME,NAME: those to learn from"),
        (["zero_shot", "--corpora=a", "--held_out=b"], "--held_out=b; choose of the corpora a"),
        (["transferable"], "give --corpora=NAME,NAME: each is a target, and a source"),
        (["transferable", "--corpora=a,b", "--tables=6"], "--tables=6; choose of 1, 2, 3, 4, 5"),
        (["numbers"], "give --workdirs=NAME=FOLDER,NAME=FOLDER: finished runs with numbers"),
        (["cross_corpus", "--features=egemaps,mfcc"], "'mfcc'; choose one of egemaps, compare"),
        (
            ["statistics", "--corpora=tones,nope"],
            "'nope' is not prepared in .*there are levels, tones",
        ),
    ],
)
def test_bad_arguments_are_one_clear_error(arguments, message, tiny_paths, tmp_path):
    done = run(*arguments, data_dir(tiny_paths), f"--out={tmp_path / 'out'}")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("experiments: ")]
    assert re.search(message, line)
    assert not (tmp_path / "out").exists()


def test_what_is_not_installed_is_named_with_its_remedy(tmp_path):
    (tmp_path / "statsmodels.py").write_text(
        "raise ImportError('No module named statsmodels', name='statsmodels')"
    )
    runs = f"--workdirs=a={tmp_path},b={tmp_path}"
    done = run("transfer", runs, f"--out={tmp_path}", PYTHONPATH=str(tmp_path))
    assert "Traceback" not in done.stderr
    assert 'No module named statsmodels; pip install "emojax[statistics]"' in done.stderr


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no corpus is prepared in"):
        find_corpora([], tmp_path)
