import csv
import dataclasses
import io

import jax
import numpy as np
import pytest
from emojax.experiments.durations import histogram_figure

import emojax
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.partitions import make_partition
from emojax.data.prepared import open_corpus
from emojax.experiments import table1 as experiment
from emojax.experiments.parameter_count import count, parameters, read_labels
from emojax.experiments.reports.report import write_report
from emojax.models.adapter_resnet import AdapterResNet


@pytest.fixture(scope="module")
def corpora(tiny_paths):
    return {name: open_corpus(path) for name, path in tiny_paths.items()}


@pytest.fixture(scope="module")
def report(corpora):
    hostile = dataclasses.replace(corpora["tones"], spec=_noted(corpora["tones"].spec))
    return experiment.statistics({**corpora, "tones": hostile})


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
    row = rows_of(experiment._table_1({"x": dataclasses.replace(corpora["tones"], clips=clips)}))["x"]
    assert row["speakers"] == ""


def test_all_files_are_written_and_a_note_is_escaped(report, tmp_path):
    files = {path.name: path for path in write_report(report, tmp_path, "")}
    pictures = {"figure_2.png", "figure_3.png", "figure_4_tones.png", "figure_4_levels.png"}
    assert set(files) == {"table_1.csv", "table_1.tex", "statistics.html"} | pictures
    assert "tones: &lt;b&gt;50 % &amp; more&lt;/b&gt;" in files["statistics.html"].read_text("utf-8")
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


def test_the_histogram_says_what_it_leaves_out():
    figure = histogram_figure({"a": np.array([1.0, 1.1, 10.5]), "b": np.array([2.0, 99.0])})
    (ax,) = figure.axes
    assert sum(bar.get_height() for bar in ax.patches) == 3
    assert ax.get_title() == "5 clips of 2 corpora; 2 longer ones are not shown"


def test_parameters_are_those_of_the_real_network(tiny_paths):
    labels = read_labels(["tones", "levels"], tiny_paths["tones"].parents[2])
    assert labels == {"tones": 3, "levels": 2}
    first, both = parameters(labels).pieces[0].rows
    key = jax.random.key(0)
    mel, frames = np.zeros((1, 8, 64), np.float32), np.array([8])

    def size(classes, adapters):
        model = AdapterResNet(classes=classes, adapters=adapters)
        tree = jax.eval_shape(lambda: model.init(key, mel, frames, np.ones(classes, bool), train=False))
        return sum(leaf.size for leaf in jax.tree.leaves(tree["params"]))

    assert first[5:7] == (size(3, True), size(3, False))
    assert both[6] == size(3, False) + size(2, False)
    shared, own = count(AdapterResNet(classes=3))
    assert both[5] == shared + 2 * own
    assert both[7] == pytest.approx(100 * both[5] / both[6])
    assert both[0] == 2


def test_all_of_emoset_needs_no_corpus(tmp_path):
    labels = read_labels(["emoset"], tmp_path / "nothing")
    assert len(labels) == 26
    assert labels["gemep"] == 17
    table = parameters(labels).pieces[0]
    last = dict(zip(table.columns, table.rows[-1], strict=True))
    # The paper: about 3.5 times one network.
    assert 3.2 < last["times one network"] < 3.8
    assert any("ea-act, ea-bmw, ea-wsj" in note for note in table.notes)


def test_a_corpus_that_is_not_prepared_is_counted_as_the_catalogue_has_it(tiny_paths, tmp_path):
    data_dir = tiny_paths["tones"].parents[2]
    names = ["gemep", "tones", "ea-wsj"]
    assert list(read_labels(names, data_dir).items()) == [("gemep", 17), ("tones", 3), ("ea-wsj", 2)]
    assert set(read_labels([], data_dir)) == set(tiny_paths)
    assert read_labels(list(CATALOGUE), tmp_path).keys() == CATALOGUE.keys()
    with pytest.raises(ValueError, match=r"'nope', 'emoset' is neither .*of abc, .*, tones, .*or emoset"):
        read_labels(["bes", "nope", "emoset"], data_dir)
    with pytest.raises(ValueError, match="no corpus is prepared"):
        read_labels([], tmp_path)
