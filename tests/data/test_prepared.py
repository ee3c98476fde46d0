import dataclasses
import json
import shutil

import numpy as np
import pytest

from emojax.corpora.spec import read_clips, write_clips
from emojax.data.prepared import load_recordings, open_corpus


def test_only_the_clips_asked_for_are_loaded(tiny_paths):
    corpus = open_corpus(tiny_paths["tones"])
    recordings = load_recordings(corpus, np.array([4, 1]))
    assert len(recordings) == 2
    for index, samples, label in zip([4, 1], recordings.samples, recordings.labels, strict=True):
        clip = corpus.clips[index]
        assert samples.dtype == np.int16
        assert abs(len(samples) / 16_000 - clip.duration_s) < 1e-3
        assert corpus.spec.labels[label] == clip.label


def test_no_clips_are_no_error(tiny_paths):
    assert len(load_recordings(open_corpus(tiny_paths["tones"]), np.array([], int))) == 0


def test_a_table_of_other_records_is_refused(tiny_paths, tmp_path):
    shutil.copytree(tiny_paths["tones"], tmp_path / "1.0.0")
    clips = read_clips(tmp_path / "1.0.0" / "clips.csv")
    write_clips(tmp_path / "1.0.0" / "clips.csv", clips[::-1])
    with pytest.raises(ValueError, match="prepare the corpus again"):
        load_recordings(open_corpus(tmp_path / "1.0.0"), np.array([0]))


def test_a_table_of_other_durations_is_refused(tiny_paths, tmp_path):
    shutil.copytree(tiny_paths["tones"], tmp_path / "1.0.0")
    clips = read_clips(tmp_path / "1.0.0" / "clips.csv")
    write_clips(
        tmp_path / "1.0.0" / "clips.csv",
        [dataclasses.replace(clip, duration_s=9.5) for clip in clips],
    )
    with pytest.raises(
        ValueError, match=r"samples but clips\.csv says .* of 152000; .*prepare the corpus"
    ):
        load_recordings(open_corpus(tmp_path / "1.0.0"), np.array([0]))


def test_a_folder_that_is_no_corpus_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"python -m datasets.*moved.*corpora\.json"):
        open_corpus(tmp_path)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        pytest.param("clips.csv", lambda text: text[: text.rindex("\n", 0, -1) + 1], id="a row"),
        pytest.param("clips.csv", lambda text: '"' + 200_000 * "x", id="an open quote"),
        pytest.param("dataset_info.json", lambda text: text[: len(text) // 2], id="half a file"),
    ],
)
def test_a_damaged_file_is_one_error(tiny_paths, tmp_path, file, damage):
    shutil.copytree(tiny_paths["tones"], tmp_path / "1.0.0")
    path = tmp_path / "1.0.0" / file
    path.write_text(damage(path.read_text()))
    with pytest.raises(ValueError, match=r"is not a prepared corpus"):
        open_corpus(tmp_path / "1.0.0")


@pytest.mark.parametrize("key", ["pythonClassName", "python_class_name", "type"])
def test_a_folder_that_names_a_module_of_its_own_is_refused_unread(
    key, tiny_paths, tmp_path, monkeypatch
):
    shutil.copytree(tiny_paths["tones"], tmp_path / "1.0.0")
    (tmp_path / "stranger.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    features = json.loads((tmp_path / "1.0.0" / "features.json").read_text())
    features["featuresDict"]["features"]["file"] = {key: "stranger.Feature"}
    (tmp_path / "1.0.0" / "features.json").write_text(json.dumps(features))
    with pytest.raises(ValueError, match=r"stranger\.Feature, which no prepared corpus has"):
        open_corpus(tmp_path / "1.0.0")
