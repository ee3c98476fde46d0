import shutil

import jax
import numpy as np
import pytest

import datasets
from emojax.corpora.catalogue import CATALOGUE
from emojax.experiments.parameter_count import count, parameter_report, read_labels
from emojax.models.adapter_resnet import AdapterResNet


def test_parameters_are_those_of_the_real_network(tiny_paths):
    labels = read_labels(["tones", "levels"], tiny_paths["tones"].parents[2])
    assert labels == {"tones": 3, "levels": 2}
    first, both = parameter_report(labels).pieces[0].rows
    key = jax.random.key(0)
    mel, frames = np.zeros((1, 8, 64), np.float32), np.array([8])

    def size(classes, adapters):
        model = AdapterResNet(classes=classes, adapters=adapters)
        tree = jax.eval_shape(
            lambda: model.init(key, mel, frames, np.ones(classes, bool), train=False)
        )
        return sum(leaf.size for leaf in jax.tree.leaves(tree["params"]))

    assert first[5:7] == (size(3, True), size(3, False))
    assert both[6] == size(3, False) + size(2, False)
    shared, own = count(AdapterResNet(classes=3))
    assert both[5] == shared + 2 * own
    assert both[7] == pytest.approx(100 * both[5] / both[6])
    assert both[0] == 2


def test_a_corpus_without_labels_is_named(tiny_sources, tmp_path):
    folder = shutil.copytree(tiny_sources / "tones", tmp_path / "calls")
    files = [path.name for path in folder.glob("*.wav")]
    (folder / "labels.csv").write_text("\n".join(["file,level", *(f"{one},1.5" for one in files)]))
    datasets.prepare(f"calls={folder}", "", tmp_path)
    for names in (["calls"], []):
        with pytest.raises(ValueError, match="calls has no labels"):
            read_labels(names, tmp_path)


def test_all_of_emoset_needs_no_corpus(tmp_path):
    labels = read_labels(["emoset"], tmp_path / "nothing")
    assert len(labels) == 26
    assert labels["gemep"] == 17
    table = parameter_report(labels).pieces[0]
    last = dict(zip(table.columns, table.rows[-1], strict=True))
    # The paper: about 3.5 times one network.
    assert 3.2 < last["times one network"] < 3.8
    assert any("ea-act, ea-bmw, ea-wsj" in note for note in table.notes)


def test_a_corpus_that_is_not_prepared_is_counted_as_the_catalogue_has_it(tiny_paths, tmp_path):
    data_dir = tiny_paths["tones"].parents[2]
    names = ["gemep", "tones", "ea-wsj"]
    assert list(read_labels(names, data_dir).items()) == [
        ("gemep", 17),
        ("tones", 3),
        ("ea-wsj", 2),
    ]
    assert set(read_labels([], data_dir)) == set(tiny_paths)
    assert read_labels(list(CATALOGUE), tmp_path).keys() == CATALOGUE.keys()
    with pytest.raises(
        ValueError, match=r"'nope', 'emoset' is neither .*of abc, .*, tones, .*or emoset"
    ):
        read_labels(["bes", "nope", "emoset"], data_dir)
    with pytest.raises(ValueError, match="no corpus is prepared"):
        read_labels([], tmp_path)
