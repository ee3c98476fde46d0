import json

import pytest

from emojax.corpora.spec import Clip, CorpusSpec, Download, check_name, read_clips, write_clips


def test_a_spec_survives_json():
    spec = CorpusSpec(
        "demo",
        ("anger", "ruhe"),
        language="German",
        counts={"anger": 3},
        speakers=4,
        parts={"train": ("a", "b"), "test": ("c", "d")},
        folds=(("a",), ("b", "c"), ("d",)),
        sexes={"female": ("a", "b")},
        downloads=(Download("https://example.org/demo.zip", 7, "md5:00", inside="demo"),),
    )
    assert CorpusSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_spec_written_before_fields_were_added_is_read():
    old = {"name": "demo", "labels": ["anger", "ruhe"], "parts": {}, "folds": [["a"]], "notes": ""}
    assert CorpusSpec.from_json(old) == CorpusSpec("demo", ("anger", "ruhe"), folds=(("a",),))


def test_clips_survive_csv(tmp_path):
    clips = [
        Clip('a "quoted", file.wav', "Freude\nlaut", "ü", "German", 1.25, "train", "00ff"),
        Clip("sub/b.wav", "=1+1", "", "", 0.1, "", "01"),
    ]
    write_clips(tmp_path / "clips.csv", clips)
    assert read_clips(tmp_path / "clips.csv") == clips


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "/a", "-a", "a b", "a\n", "ä", "a.b"]
)
def test_a_name_that_could_leave_its_folder_is_refused(name):
    with pytest.raises(ValueError, match="use letters, digits"):
        check_name(name)


@pytest.mark.parametrize("labels", [("anger",), ("anger", "calm", "anger")])
def test_labels_are_two_or_more_and_each_once(labels):
    with pytest.raises(ValueError, match="at least two, each of them once"):
        CorpusSpec("demo", labels)


@pytest.mark.parametrize("text", ["x,y\n1,2\n", "file,label\na.wav,joy\n"])
def test_another_table_is_one_clear_error(tmp_path, text):
    path = tmp_path / "clips.csv"
    write_clips(path, [Clip("a.wav", "joy", "", "", 1.0, "", "")])
    damaged = path.read_text().replace("1.0", "long")
    for content in (text + "1\n", damaged):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"clips\.csv is not the table of a prepared corpus"):
            read_clips(path)
