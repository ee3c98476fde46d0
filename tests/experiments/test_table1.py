import csv
import dataclasses
import io

import numpy as np
import pytest

import emojax
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.partitions import make_partition
from emojax.data.prepared import open_corpus
from emojax.experiments import table1 as experiment
from emojax.experiments.reports.report import write_report


@pytest.fixture(scope="module")
def corpora(tiny_paths):
    return {name: open_corpus(path) for name, path in tiny_paths.items()}


@pytest.fixture(scope="module")
def report(corpora):
    hostile = dataclasses.replace(corpora["tones"], spec=_noted(corpora["tones"].spec))
    return experiment.corpus_report({**corpora, "tones": hostile})


def _noted(spec):
    return dataclasses.replace(spec, notes="<b>50 % & more</b>")


def rows_of(table):
    return {next(iter(row.values())): row for row in csv.DictReader(io.StringIO(table.csv()))}


def test_table_1_counts_what_is_there(report, tiny_paths):
    rows = rows_of(report.pieces[0])
    total_s = 0.0
    for name, labels in {"tones": 3, "levels": 2}.items():
        with open(tiny_paths[name] / "clips.csv", newline="") as file:
            durations_s = [float(row["duration_s"]) for row in csv.DictReader(file)]
        total_s += sum(durations_s)
        assert int(rows[name]["clips"]) == len(durations_s) == 5 * 3 * labels
        assert (rows[name]["labels"], rows[name]["speakers"]) == (str(labels), "5")
        assert float(rows[name]["mean s"]) == pytest.approx(sum(durations_s) / len(durations_s))
        assert float(rows[name]["hours"]) == pytest.approx(sum(durations_s) / 3600)
        assert rows[name]["paper: clips"] == ""
    assert rows["all"]["clips"] == "75"
    assert float(rows["all"]["hours"]) == pytest.approx(total_s / 3600)


def test_the_papers_row_stands_beside_a_corpus_of_that_name(corpora):
    row = rows_of(experiment._table_1({"emodb": corpora["tones"]}))["emodb"]
    paper = CATALOGUE["emodb"].table_1
    assert float(row["paper: hours"]) == paper["hours"] > 0
    assert int(row["paper: clips"]) == paper["clips"]


def test_unknown_speakers_are_not_counted(corpora):
    clips = [dataclasses.replace(clip, speaker="") for clip in corpora["tones"].clips]
    row = rows_of(experiment._table_1({"x": dataclasses.replace(corpora["tones"], clips=clips)}))[
        "x"
    ]
    assert row["speakers"] == ""


def test_a_corpus_without_labels_has_a_row_and_no_examples(corpora):
    clips = [dataclasses.replace(clip, label="") for clip in corpora["tones"].clips]
    spec = dataclasses.replace(corpora["tones"].spec, labels=())
    numbers = dataclasses.replace(corpora["tones"], spec=spec, clips=clips)
    pieces = experiment.corpus_report({"numbers": numbers}).pieces
    assert rows_of(pieces[0])["numbers"]["labels"] == "0"
    assert [piece.name for piece in pieces] == ["table_1", "figure_2", "figure_3"]


def test_all_files_are_written_and_a_note_is_escaped(report, tmp_path):
    files = {path.name: path for path in write_report(report, tmp_path, "")}
    pictures = {"figure_2.png", "figure_3.png", "figure_4_tones.png", "figure_4_levels.png"}
    assert set(files) == {"table_1.csv", "table_1.tex", "statistics.html"} | pictures
    assert "tones: &lt;b&gt;50 % &amp; more&lt;/b&gt;" in files["statistics.html"].read_text(
        "utf-8"
    )
    assert r"\textless{}b\textgreater{}50 \% \& more" in files["table_1.tex"].read_text("utf-8")


def test_an_example_is_a_train_clip_of_its_label_and_of_median_length(corpora):
    corpus = corpora["tones"]
    train = set(make_partition(corpus.spec, corpus.clips).parts["train"])
    for label, index in experiment._examples(corpus).items():
        assert index in train
        lengths_s = [corpus.clips[i].duration_s for i in train if corpus.clips[i].label == label]
        assert corpus.clips[index].label == label
        shorter = np.sum(np.array(lengths_s) < corpus.clips[index].duration_s)
        assert abs(shorter - len(lengths_s) / 2) <= 1


def test_a_corpus_of_one_speaker_has_examples_too(corpora):
    clips = [dataclasses.replace(clip, speaker="1") for clip in corpora["tones"].clips]
    alone = dataclasses.replace(corpora["tones"], clips=clips)
    with pytest.raises(ValueError, match="a partition needs three speakers"):
        make_partition(alone.spec, alone.clips)
    assert set(experiment._examples(alone)) == set(alone.spec.labels)


def test_the_spectrogram_is_that_of_the_clip_itself():
    samples = np.random.default_rng(0).integers(-9000, 9000, 20_000).astype(np.int16)
    np.testing.assert_allclose(experiment._log_mel(samples), emojax.log_mel(samples), atol=1e-5)
