import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emojax.baselines import features
from emojax.baselines.features import functionals
from emojax.data.prepared import load_recordings, open_corpus

opensmile = pytest.importorskip(
    "opensmile", reason='needs openSMILE: pip install "emojax[baselines]"'
)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def corpus(tiny_paths):
    return open_corpus(tiny_paths["levels"])


@pytest.fixture(scope="session")
def cache(corpus, tmp_path_factory):
    """A cache that holds the corpus's eGeMAPS; tests only read it."""
    folder = tmp_path_factory.mktemp("features")
    functionals(corpus, "egemaps", folder)
    return folder


def test_features_are_opensmile_s_of_the_prepared_samples_in_the_order_of_the_table(corpus, cache):
    found = functionals(corpus, "egemaps", cache)
    assert (found.shape, found.dtype) == ((len(corpus.clips), 88), np.float32)
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    for index in (0, len(corpus.clips) - 1):
        (samples,) = load_recordings(corpus, np.array([index])).samples
        expected = smile.process_signal(samples / np.float32(32768), 16_000).to_numpy()[0]
        np.testing.assert_array_equal(found[index], expected)


@pytest.mark.parametrize(("name", "size"), [("egemaps", 88), ("compare", 6373), ("is10", 1582)])
def test_each_set_has_as_many_features_as_published(name, size):
    assert len(features._smile(features.FEATURE_SETS[name]).feature_names) == size


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a group of processes")
def test_ctrl_c_ends_the_script_with_one_line(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, (40, 80_000))  # enough to be far from done
    rows = [
        (f"{number}.wav", ("calm", "loud")[number % 2], number // 8) for number in range(len(noise))
    ]
    for (file, *_), samples in zip(rows, noise, strict=True):
        soundfile.write(tmp_path / file, samples, 16_000)
    table = "".join(f"{file},{label},{speaker}\n" for file, label, speaker in rows)
    (tmp_path / "labels.csv").write_text("file,label,speaker\n" + table)
    command = [sys.executable, "baseline.py", f"--corpora=noise={tmp_path}/labels.csv"]
    command += [f"--data_dir={tmp_path}", f"--out={tmp_path}/out", "--features=compare"]
    # Where the tests run in the background, SIGINT is ignored, which a child would inherit.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    script = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    signal.signal(signal.SIGINT, before)
    assert script.stderr is not None
    seen = ""
    while "noise compare" not in seen:
        seen += script.stderr.read(1)
        assert script.poll() is None or "noise compare" in seen, seen
    os.killpg(script.pid, signal.SIGINT)
    _, rest = script.communicate(timeout=60)
    assert script.returncode != 0
    assert "the same command goes on" in rest
    assert "Traceback" not in rest
    assert not (tmp_path / "out").exists()


def test_features_and_results_in_the_home_folder_lie_there(tmp_path, tiny_sources):
    flags = [f"--corpora=tones={tiny_sources / 'tones'}", "--data_dir=~/data", "--out=~/out"]
    command = [sys.executable, ROOT / "baseline.py", *flags]
    here = {"HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=tmp_path, env={**os.environ, **here}, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert {path.name for path in (tmp_path / "home").iterdir()} >= {"data", "out"}


def test_clips_too_short_for_opensmile_are_nan():
    assert np.isnan(features._extract("eGeMAPSv02", np.ones(100, np.int16))).all()


def test_an_unknown_feature_set_is_one_clear_error(corpus, tmp_path):
    with pytest.raises(ValueError, match="'mfcc'; choose one of egemaps, compare"):
        functionals(corpus, "mfcc", tmp_path)
