"""Systems that learn from a few labelled clips, and their answers for the test clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from emojax.baselines.feature_sets import FeatureSet
from emojax.baselines.svm import rbf
from emojax.config import Config
from emojax.corpora.affect import emotion, of_corpus, parse_mapping
from emojax.corpora.aggregate import EMOTION
from emojax.corpora.partitions import Partition
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.data.prepared import PreparedCorpus, load_recordings
from emojax.inference.adaptation import adapt_norms, shuffled_windows
from emojax.inference.network import Network, load_networks, make_forward, make_model
from emojax.inference.predict import predict_clips
from emojax.training.adapting import CLIPS, in_memory, learn

# What a trained model says before it learns from any label: with its own norms, and with those of
# the training speakers' recordings.
ZERO, NORMS = "0", "0, norms"
# Numbers of clips a label → probability of each label of the corpus, float [N, K].
Answers = Iterator[tuple[str, np.ndarray]]
# Number of clips a label → the fold with such a training part.
Folds = Mapping[str, Partition]


def svm_answers(
    corpus: PreparedCorpus, folds: Folds, features: FeatureSet, cache_dir: Path
) -> Answers:
    """Yield the answers of an SVM with C = 1 and an RBF kernel; nothing is chosen.

    Args:
      corpus: the corpus.
      folds: those that are wanted.
      features: features of the SVM.
      cache_dir: folder of cached features.
    """
    known = features.read(corpus, cache_dir)
    labels = np.array([corpus.spec.labels.index(clip.label) for clip in corpus.clips])
    for shots, fold in folds.items():
        answer = rbf(known, labels, fold.parts)
        probabilities = np.zeros((len(answer.predicted), len(corpus.spec.labels)))
        probabilities[:, : answer.probabilities.shape[1]] = answer.probabilities
        yield shots, probabilities


def network_answers(corpus: PreparedCorpus, folds: Folds, config: Config) -> Answers:
    """Yield the answers of a network, from random parameters or from the base of its settings.

    Args:
      corpus: the corpus.
      folds: those that are wanted.
      config: settings as of ``train.py``; the last state answers.
    """
    config, labels = in_memory(config), corpus.spec.labels
    balanced = config.data.balance_speakers
    forward = make_forward(make_model(config.network, len(labels)))
    test = load_recordings(corpus, next(iter(folds.values())).parts["test"]).samples
    for shots, fold in folds.items():
        divided = PartitionedCorpus(labels, corpus.clips, fold, [corpus], balanced, balanced)
        state = learn(config, labels, divided.load("train"))
        own = state.corpora[CLIPS]
        network = Network(state.shared.params, own.params, own.stats, own.class_mask)
        yield shots, predict_clips(forward, network, test)[0]


def zero_shot_answers(
    corpus: PreparedCorpus,
    name: str,
    folds: Folds,
    model: Path,
    label_words: str,
) -> Answers:
    """Yield what the head of common emotions of a trained model says.

    A label gets the probability of its common word; one without a word is never the answer.

    Args:
      corpus: the corpus.
      name: its name, for its words.
      folds: of ``ZERO``, ``NORMS`` or both, with every recording of the training speakers; with
        ``NORMS`` the network has their norms, which need no labels.
      model: folder of the model.
      label_words: text for :func:`emojax.corpora.affect.parse_mapping`.
    """
    loaded = load_networks(model, [EMOTION])
    forward, network = make_forward(loaded.model), loaded.networks[EMOTION]
    words = loaded.manifest["corpora"][EMOTION]
    mapping = of_corpus(parse_mapping(label_words), name)
    meant = [emotion(label, mapping) for label in corpus.spec.labels]
    (fold, *_) = folds.values()
    test = load_recordings(corpus, fold.parts["test"]).samples

    def restricted(own: Network) -> np.ndarray:
        said = np.pad(predict_clips(forward, own, test)[0], ((0, 0), (0, 1)))  # last: no word
        columns = [words.index(word) if word in words else -1 for word in meant]
        shares = said[:, columns]
        return shares / shares.sum(axis=1, keepdims=True)

    if ZERO in folds:
        yield ZERO, restricted(network)
    if NORMS in folds:
        heard = load_recordings(corpus, fold.parts["train"]).samples
        adapted = adapt_norms(loaded.model, network, shuffled_windows(heard))
        yield NORMS, restricted(adapted)
