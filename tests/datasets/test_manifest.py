"""Any folder with a CSV: what is understood, and one clear error for what is not."""

import dataclasses
import shutil
import unicodedata

import pytest

from datasets import CorpusError, prepare
from datasets.base import read_skipped
from datasets.manifest.manifest_dataset_builder import _spec
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import CorpusSpec, read_clips
from emojax.data.prepared import open_corpus

HEADER = ("file", "label", "speaker", "split")
ROWS = [
    ("a/1.wav", "happy", "ann", "train"),
    ("a/2.wav", "sad", "ann", "train"),
    ("b/1.wav", "happy", "bob", "dev"),
    ("b/2.wav", "sad", "bob", "validation"),
    ("c/1.wav", "happy", "cat", "test"),
    ("c/2.wav", "angry", "cat", "TEST"),
]


@pytest.fixture
def root(tmp_path, write_tones):
    """A folder with the audio of the rows."""
    return write_tones(tmp_path / "mine", *(row[0] for row in ROWS))


def clips_of(source, tmp_path, **kwargs):
    return read_clips(
        prepare(f"mine={source}", "", tmp_path / "data", **kwargs)["mine"] / "clips.csv"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns(root, tmp_path, write_csv, delimiter, encoding):
    path = write_csv(root / "labels.csv", HEADER, *ROWS, delimiter=delimiter, encoding=encoding)
    clips = clips_of(path, tmp_path)
    assert [(clip.file, clip.label, clip.speaker) for clip in clips] == [row[:3] for row in ROWS]
    assert [clip.split for clip in clips] == ["train", "train", "devel", "devel", "test", "test"]


def test_numbers_need_no_label_and_words_alone_do(root, tmp_path, write_csv):
    rows = [(row[0], f"{number}.5" * (number != 2)) for number, row in enumerate(ROWS)]
    path = write_csv(root / "labels.csv", ("file", "level"), *rows)
    corpus = open_corpus(prepare(f"mine={path}", "", tmp_path / "data")["mine"])
    assert corpus.spec.labels == ()
    assert {file: row["level"] for file, row in corpus.columns.items()} == dict(rows)
    assert [record["file"].decode() for record in corpus.records([0, 5])] == ["a/1.wav", "c/2.wav"]
    write_csv(root / "labels.csv", ("file", "mood"), *((row[0], row[1]) for row in ROWS))
    with pytest.raises(CorpusError, match="give a header with the columns file,label"):
        prepare(f"mine={path}", "", tmp_path / "data")


def test_cells_may_be_quoted_and_lines_be_empty(root, tmp_path):
    (root / "labels.csv").write_text(
        '"File", "Label"\r\n\r\n"a/1.wav","happy, very"\r\n"a/2.wav","sad"\r\n,\r\n'
    )
    assert [clip.label for clip in clips_of(root, tmp_path)] == ["happy, very", "sad"]


def test_file_and_label_are_enough(root, tmp_path, write_csv):
    write_csv(root / "labels.csv", ("label", "file"), *((row[1], row[0]) for row in ROWS))
    clips = clips_of(root, tmp_path)
    assert {(clip.speaker, clip.split, clip.language) for clip in clips} == {("", "", "")}


def test_labels_are_in_alphabetical_order(root, tmp_path, write_csv, capsys):
    clips_of(write_csv(root / "labels.csv", HEADER, *ROWS), tmp_path)
    table = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert table == ["angry", "happy", "sad", "speakers"]


@pytest.mark.parametrize("devel", ["devel", "dev", "val", "valid", "validation"])
def test_one_csv_per_part(root, tmp_path, write_csv, devel):
    for part, rows in {"train": ROWS[:2], devel: ROWS[2:4], "test": ROWS[4:]}.items():
        write_csv(root / f"{part}.csv", ("file", "label"), *(row[:2] for row in rows))
    write_csv(root / "speakers.csv", ("speaker", "sex"))
    splits = {clip.file: clip.split for clip in clips_of(root, tmp_path)}
    assert splits == dict(
        zip(
            (row[0] for row in ROWS),
            ["train", "train", "devel", "devel", "test", "test"],
            strict=True,
        )
    )


def test_a_table_that_is_renamed_to_another_part_is_prepared_again(root, tmp_path, write_csv):
    for part, rows in {"devel": ROWS[:2], "train": ROWS[2:4]}.items():
        write_csv(root / f"{part}.csv", ("file", "label"), *(row[:2] for row in rows))
    assert {clip.split for clip in clips_of(root, tmp_path)} == {"devel", "train"}
    (root / "devel.csv").rename(root / "test.csv")
    assert {clip.split for clip in clips_of(root, tmp_path)} == {"test", "train"}


def test_tables_with_and_without_labels_do_not_go_together(root, tmp_path, write_csv):
    write_csv(root / "train.csv", ("file", "label"), *(row[:2] for row in ROWS[:4]))
    write_csv(root / "test.csv", ("file", "level"), *((row[0], "1.5") for row in ROWS[4:]))
    with pytest.raises(CorpusError, match=r"test\.csv: no column of labels"):
        clips_of(root, tmp_path)


def test_it_is_found_again_by_name_and_prepared_again_when_the_csv_changes(
    root, tmp_path, write_csv
):
    path = write_csv(root / "labels.csv", HEADER, *ROWS)
    folder = prepare(f"mine={path}", "", tmp_path / "data")["mine"]
    made = (folder / "clips.csv").stat().st_mtime_ns
    assert prepare(f"mine={path}", "", tmp_path / "data") == {"mine": folder}
    assert prepare("mine", tmp_path / "elsewhere", tmp_path / "data") == {"mine": folder}
    assert (folder / "clips.csv").stat().st_mtime_ns == made
    write_csv(path, HEADER, *(ROWS[:4]))
    assert len(clips_of(path, tmp_path)) == 4


def test_a_csv_that_became_wrong_leaves_what_was_prepared(root, tmp_path, write_csv):
    path = write_csv(root / "labels.csv", HEADER, *ROWS)
    folder = prepare(f"mine={path}", "", tmp_path / "data")["mine"]
    write_csv(path, HEADER, *(row for row in ROWS if row[1] == "happy"))
    with pytest.raises(CorpusError, match="at least two labels"):
        clips_of(path, tmp_path)
    assert len(read_clips(folder / "clips.csv")) == len(ROWS)


def test_a_csv_may_describe_a_corpus_whose_layout_is_known(root, tmp_path, write_csv):
    rows = [
        (file, label, "03")
        for (file, *_), label in zip(ROWS, ["neutral", "anger"] * 3, strict=True)
    ]
    path = write_csv(root / "labels.csv", HEADER[:3], *rows)
    folder = prepare(f"emodb={path}", "", tmp_path / "data")["emodb"]
    assert folder.parent.parent.name == "manifest"
    assert {clip.language for clip in read_clips(folder / "clips.csv")} == {"German"}
    known = {"labels": ("anger", "neutral"), "parts": {}, "sexes": {}}
    assert open_corpus(folder).spec == dataclasses.replace(CATALOGUE["emodb"], **known)


def test_missing_files_count_as_bad(root, tmp_path, write_csv):
    path = write_csv(root / "labels.csv", HEADER, *ROWS, ("d/1.wav", "sad", "dan", "train"))
    with pytest.raises(CorpusError, match=r"(?s)more than 5%.*d/1.wav: no such file"):
        clips_of(path, tmp_path)
    assert len(clips_of(path, tmp_path, allow_bad=True)) == len(ROWS)
    skipped = read_skipped(tmp_path / "data" / "manifest" / "mine" / "1.0.0" / "skipped.csv")
    assert [item.file for item in skipped] == ["d/1.wav"]


@pytest.mark.parametrize(
    "way_out", ["../secret/a.wav", "a/../../secret/a.wav", "{secret}/a.wav", "..\\secret\\a.wav"]
)
def test_a_path_that_leaves_the_folder_is_refused(root, tmp_path, write_tones, write_csv, way_out):
    secret = write_tones(tmp_path / "secret", "a.wav")
    path = write_csv(
        root / "labels.csv", HEADER, *ROWS, (way_out.format(secret=secret), "sad", "x", "train")
    )
    with pytest.raises(CorpusError, match=r"labels.csv, line 8: .* lies outside"):
        clips_of(path, tmp_path)


@pytest.mark.parametrize("linked", ["files", "folder", "root"])
def test_links_are_followed_and_a_clip_keeps_the_name_its_table_gave_it(
    root, tmp_path, write_csv, linked
):
    write_csv(root / "labels.csv", HEADER, *ROWS)
    snapshot = tmp_path / "hub" / "snapshot"
    snapshot.parent.mkdir()
    if linked == "root":
        snapshot.symlink_to(root)
    else:
        shutil.copytree(root, snapshot)
    for path in [*snapshot.rglob("*.wav")] if linked == "files" else []:
        blob = tmp_path / f"{path.parent.name}{path.stem}"
        path.rename(blob)
        path.symlink_to(f"../../../{blob.name}")
    if linked == "folder":
        (snapshot / "a").rename(tmp_path / "elsewhere")
        (snapshot / "a").symlink_to("../../elsewhere")
    assert [clip.file for clip in clips_of(snapshot, tmp_path)] == [row[0] for row in ROWS]


def test_a_parent_is_judged_before_links_are_followed(root, tmp_path, write_csv, write_tones):
    write_tones(tmp_path / "far" / "away", "x.wav")
    (root / "linked").symlink_to(tmp_path / "far" / "away")
    clips = clips_of(
        write_csv(root / "labels.csv", HEADER, *ROWS[1:], ("linked/../a/1.wav", *ROWS[0][1:])),
        tmp_path,
    )
    assert clips[-1].file == "a/1.wav"


def test_a_name_that_no_file_can_have_is_a_missing_file(root, tmp_path, write_csv):
    path = write_csv(root / "labels.csv", HEADER, *ROWS, ("x" * 5000, "sad", "dan", "train"))
    assert len(clips_of(path, tmp_path, allow_bad=True)) == len(ROWS)


@pytest.mark.parametrize("what", ["folder", "nowhere", "itself"])
def test_a_csv_that_is_no_file_is_named(root, tmp_path, what):
    if what == "folder":
        (root / "labels.csv").mkdir()
    else:
        (root / "labels.csv").symlink_to("labels.csv" if what == "itself" else "nowhere")
    with pytest.raises(CorpusError, match=r"labels\.csv is no file, or a link to none"):
        clips_of(root, tmp_path)


def test_a_link_that_leads_to_itself_is_a_missing_file(root, tmp_path, write_csv):
    (root / "loop.wav").symlink_to("loop.wav")
    path = write_csv(root / "labels.csv", HEADER, *ROWS, ("loop.wav", "sad", "dan", "train"))
    with pytest.raises(CorpusError, match=r"loop\.wav: not a file"):
        clips_of(path, tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        ("path", "emotion", "speaker_id", "subset"),
        ("Filename", "Class", "Actor", "Partition"),
        ("audio_filepath", "category", "client id", "set"),
        ("wav", "target", "Participant", "part"),
        ("clip", "label", "SubjectID", "Split"),
    ],
)
def test_usual_names_of_columns_are_understood_and_said(root, tmp_path, write_csv, capsys, header):
    path = write_csv(
        root / "labels.csv", (*header, "age", "note"), *((*row, "31", "") for row in ROWS)
    )
    clips = clips_of(path, tmp_path)
    assert [(clip.file, clip.label, clip.speaker) for clip in clips] == [row[:3] for row in ROWS]
    assert [clip.split for clip in clips] == ["train", "train", "devel", "devel", "test", "test"]
    [line] = [line for line in capsys.readouterr().out.splitlines() if "columns: " in line]
    assert f"read {header[0]} as file" in line
    assert line.endswith("; further: age, note")


def test_the_sex_of_speakers_is_kept_and_two_of_one_are_refused(root, tmp_path, write_csv):
    header = ("file", "label", "speaker", "Gender")
    said = dict(zip("abc", ("F", "male", "n/a"), strict=True))
    rows = [(*row[:3], said[row[2][0]]) for row in ROWS]
    path = write_csv(root / "labels.csv", header, *rows)
    folder = prepare(f"mine={path}", "", tmp_path / "data")["mine"]
    assert open_corpus(folder).spec.sexes == {"female": ("ann",), "male": ("bob",)}
    write_csv(path, header, *rows[1:], (*rows[0][:3], "m"))
    with pytest.raises(CorpusError, match=r"speakers ann are female in some rows and male"):
        prepare(f"mine={path}", "", tmp_path / "data")


def test_a_column_called_like_its_content_goes_before_others(root, tmp_path, write_csv, capsys):
    header = ("path", "file", "label", "emotion")
    path = write_csv(root / "labels.csv", header, *(("x", *row[:2], "y") for row in ROWS))
    assert [clip.file for clip in clips_of(path, tmp_path)] == [row[0] for row in ROWS]
    assert "columns: further: path, emotion" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            ("path", "filename", "label"),
            "columns path, filename may each be the file; name one of them file",
        ),
        (("file", "emotion", "Class"), "columns emotion, Class may each be the label"),
        (("file", "label", "Label"), "the header names label twice"),
        (("file", "label", "x", "x"), "the header names x twice"),
    ],
)
def test_columns_that_compete_are_refused_by_name(root, tmp_path, write_csv, header, message):
    with pytest.raises(CorpusError, match=message):
        clips_of(
            write_csv(root / "labels.csv", header, *(row[: len(header)] for row in ROWS)), tmp_path
        )


@pytest.mark.parametrize(("table", "disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_file_is_found_in_either_form_of_unicode(root, tmp_path, write_csv, table, disk):
    (root / "a" / "1.wav").rename(root / "a" / f"{unicodedata.normalize(disk, 'müde')}.wav")
    name = f"a/{unicodedata.normalize(table, 'müde')}.wav"
    path = write_csv(root / "labels.csv", HEADER, (name, *ROWS[0][1:]), *ROWS[1:])
    assert clips_of(path, tmp_path)[0].file == name


def test_one_word_in_several_forms_is_one_label_and_one_speaker(root, tmp_path, write_csv):
    forms = ["m\u00fcde", "mu\u0308de", " m\u00fcde ", "sehr  wach", "sehr\u00a0wach", "sehr wach"]
    speakers = ["Zo\u00eb", "Zoe\u0308", "Zo\u00eb ", "B  C", "B C", "B C"]
    rows = [(row[0], *words) for row, *words in zip(ROWS, forms, speakers, strict=True)]
    clips = clips_of(write_csv(root / "labels.csv", HEADER[:3], *rows), tmp_path)
    assert {(clip.label, clip.speaker) for clip in clips} == {
        ("m\u00fcde", "Zo\u00eb"),
        ("sehr wach", "B C"),
    }


@pytest.mark.parametrize("column", [1, 2])
def test_words_that_differ_by_case_are_refused_with_their_numbers(
    root, tmp_path, write_csv, column
):
    word = ROWS[0][column]
    rows = [[*ROWS[0]], *ROWS[1:]]
    rows[0][column] = word.upper()
    number = sum(row[column] == word for row in ROWS) - 1
    message = (
        rf"{HEADER[column]}s {word.upper()} \(1 rows\), {word} \({number} rows\) differ by upper"
    )
    with pytest.raises(CorpusError, match=message):
        clips_of(write_csv(root / "labels.csv", HEADER, *rows), tmp_path)


@pytest.mark.parametrize(
    "missing", ["", "nan", "NaN", "None", "NULL", "n/a", "NA", "<NA>", "-", "?", " "]
)
@pytest.mark.parametrize("column", [0, 1, 2])
def test_values_that_are_missing_are_refused_with_their_rows(
    root, tmp_path, write_csv, column, missing
):
    rows = [[*row] for row in ROWS]
    for number in (1, 3, 4):
        rows[number][column] = missing
    message = rf"line 3: the {HEADER[column]} is .*line 5, 6; .*give it or remove the row"
    with pytest.raises(CorpusError, match=message):
        clips_of(write_csv(root / "labels.csv", HEADER, *rows), tmp_path)


def test_a_quote_that_never_ends_is_no_cell_with_the_rest_of_the_file(root, tmp_path):
    rows = "".join(f"{file},{label},note\n" for file, label, *_ in ROWS[1:])
    (root / "labels.csv").write_text(f'file,label,note\n{ROWS[0][0]},happy,"open\n{rows}')
    with pytest.raises(CorpusError, match="not a CSV in UTF-8"):
        clips_of(root, tmp_path)


def test_what_is_larger_than_a_table_is_refused_unread(root, tmp_path):
    with open(root / "labels.csv", "wb") as file:
        file.truncate(2**40)
    with pytest.raises(CorpusError, match="larger than"):
        clips_of(root, tmp_path)


def test_a_message_has_no_control_characters(root, tmp_path, write_csv):
    path = write_csv(root / "labels.csv", HEADER, *ROWS, ("../\x1b[2Jx.wav", "sad", "x", "train"))
    with pytest.raises(CorpusError) as error:
        clips_of(path, tmp_path)
    assert "\x1b" not in str(error.value)


def test_paths_inside_the_folder_may_be_written_in_any_way(root, tmp_path, write_csv):
    odd = [
        (str(root / ROWS[0][0]), *ROWS[0][1:]),
        ("b/../a/2.wav", *ROWS[1][1:]),
        ("b\\1.wav", *ROWS[2][1:]),
    ]
    clips = clips_of(write_csv(root / "labels.csv", HEADER, *odd), tmp_path)
    assert [clip.file for clip in clips] == [row[0] for row in ROWS[:3]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "the header is ''; give a header with the columns file,label"),
        ([("title", "label"), ("a/1.wav", "sad")], "the header is 'title,label'; give a header"),
        ([HEADER], "0 rows with labels"),
        ([HEADER, *ROWS[:1]], r"1 rows with labels \['happy'\]; give at least two"),
        (
            [HEADER, *ROWS, ("a/1.wav", "sad", "ann", "eval")],
            "line 8: unknown split 'eval'; there are train",
        ),
        ([HEADER, *ROWS, ("a/1.wav", "sad", "ann", "")], "line 8: unknown split ''"),
        ([HEADER, *ROWS, ROWS[0]], "line 8: a/1.wav is listed twice, first in .*line 2"),
        ([HEADER, *ROWS, ("./a/1.wav", "sad", "ann", "train")], "listed twice"),
        ([HEADER, *ROWS, ("a/3.wav", "", "ann", "train")], "line 8: the label is ''"),
        ([HEADER, *ROWS, ("a/3.wav", "very\nsad", "ann", "train")], "the label is 'very.nsad'"),
        ([HEADER, *ROWS, ("a/3.wav", "sad")], "line 8: 2 cells under a header of 4; quote"),
        (
            [HEADER, *ROWS, ("a/3", "4.wav", "sad", "ann", "train")],
            "line 8: 5 cells under a header of 4",
        ),
        ([HEADER, *ROWS, ("a/3.wav", "sad", "", "train")], "line 8: the speaker is ''"),
    ],
)
def test_wrong_csvs_say_where_and_what_is_allowed(root, tmp_path, write_csv, rows, message):
    path = write_csv(root / "labels.csv", *rows)
    with pytest.raises(CorpusError, match=message):
        clips_of(path, tmp_path)
    assert list((tmp_path / "data").rglob("*")) == []


def test_other_encodings_say_so(root, tmp_path, write_csv):
    path = write_csv(
        root / "labels.csv", HEADER, *ROWS, ("d.wav", "fröhlich", "x", "test"), encoding="latin-1"
    )
    with pytest.raises(CorpusError, match="not a CSV in UTF-8"):
        clips_of(path, tmp_path)


@pytest.mark.parametrize("names", [[], ["a", "b"], ["val", "devel"]])
def test_a_folder_needs_one_csv_or_one_per_part(root, tmp_path, write_csv, names):
    for name in names:
        write_csv(root / f"{name}.csv", HEADER, *ROWS)
    with pytest.raises(
        CorpusError, match=r"it should hold one CSV, or train\.csv, devel\.csv and test\.csv"
    ):
        clips_of(root, tmp_path)


def test_a_missing_csv_says_so(tmp_path):
    with pytest.raises(CorpusError, match=r"no file or folder .*nowhere\.csv"):
        clips_of(tmp_path / "nowhere.csv", tmp_path)


def test_a_corpus_of_the_catalogue_without_a_layout_is_described_by_it(
    tmp_path, write_tones, write_csv, capsys
):
    rows = [
        ("call1/1.wav", "anger", "1"),
        ("call1/2.wav", "neutral", "1"),
        ("call2/1.wav", "anger", "2"),
    ]
    root = write_tones(tmp_path / "ad", *(row[0] for row in rows))
    write_csv(root / "labels.csv", ("file", "label", "speaker"), *rows)
    folder = prepare("ad", tmp_path, tmp_path / "data")["ad"]
    assert {clip.language for clip in read_clips(folder / "clips.csv")} == {"German"}
    table_1 = (
        "660 clips (657 missing here), 2 labels (the same here), 9 speakers (7 missing here), "
        "1.93 hours"
    )
    assert f"EmoNet's Table 1: {table_1}" in capsys.readouterr().out


def test_labels_are_in_the_order_of_the_catalogue_and_only_those_that_occur(tmp_path):
    spec = _spec("abc", {"neutral", "cheerful", "aggressive"}, {"1"})
    assert spec.labels == ("aggressive", "cheerful", "neutral")
    assert _spec("ea-wsj", {"b", "a"}, set()).labels == ("a", "b")
    assert _spec("emodb", {"happy", "anger"}, {"03"}) == CorpusSpec("emodb", ("anger", "happy"))
    assert _spec("mine", {"b", "a"}, {"x"}) == CorpusSpec("mine", ("a", "b"))
    with pytest.raises(
        CorpusError, match=r"ad: labels rage; Anger Detection \(AD\) has anger, neutral; rename"
    ):
        _spec("ad", {"rage", "neutral"}, set())


def test_a_published_partition_is_of_its_own_speakers():
    known = CATALOGUE["iemocap"]
    labels, speakers = {"neutral", "sadness"}, {speaker for fold in known.folds for speaker in fold}
    assert _spec("iemocap", labels, speakers).folds == known.folds
    for others in ({"ann"}, {""}, {*speakers} - {min(speakers)}):
        assert _spec("iemocap", labels, others).folds == ()


@pytest.mark.parametrize(
    ("name", "said"), [("ad", "licence: unpub"), ("smartkom", "note: .*whole dialogue")]
)
def test_a_corpus_without_a_parser_needs_a_csv(tmp_path, name, said):
    with pytest.raises(
        CorpusError, match=rf"{name}: there is no parser .*; give {name}=PATH.*{said}"
    ):
        prepare(name, tmp_path, tmp_path / "data")
