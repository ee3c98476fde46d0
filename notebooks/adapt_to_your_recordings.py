# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Adapt a trained model to your recordings
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/)
#
# `emojax-small` learns your labels, from what it knows of eleven corpora. Every clip is tested
# once, on a network that never heard its speaker, beside an SVM of openSMILE's features.
#
# The badge opens Colab's list of notebooks on GitHub: give it the address of the repository that
# this notebook is in. 

# %%
import tempfile

REPOSITORY = ""  # in Colab, the address again: it is cloned
TABLE = ""  # a CSV with file,label,speaker, as in docs/guide/own_data.md
BASE = "emojax-small"  # or the folder of a run
ROUNDS = 4  # enough to see that it works; 300 learn
FOLDS = 2  # six are better
FOLDER = tempfile.mkdtemp()

# %%
import glob
import os
import sys
from importlib.metadata import version

if "COLAB_RELEASE_TAG" in os.environ:
    is_gpu = os.path.exists("/dev/nvidia0")
    is_tpu = glob.glob("/dev/accel*") or glob.glob("/dev/vfio/[0-9]*")
    jax = "jax[cuda12]" if is_gpu else "jax[tpu]" if is_tpu else "jax"
    # !test -d /content/emojax || git clone --depth=1 {REPOSITORY} /content/emojax
    os.chdir("/content/emojax")
    # !{sys.executable} -m pip install --quiet --upgrade "{jax}" -e ".[synthetic,baselines]"
elif not os.path.exists("train.py"):
    os.chdir("..")
sys.path.insert(0, os.getcwd())
loaded = [name for name in ("jax", "jaxlib", "numpy", "scipy") if name in sys.modules]
is_stale = any(version(name) != sys.modules[name].__version__ for name in loaded)
print("EmoJAX", version("emojax"), "with jax", version("jax"))
print("Runtime → Restart session, then run all cells again" if is_stale else "ready")

# %%
import itertools
from pathlib import Path

import pandas as pd
import soundfile

if not TABLE:  # a stand-in: the synthesiser espeak-ng, which says nothing about people
    from datasets.synthetic.synthetic_dataset_builder import Builder

    rows = []
    for source in itertools.islice(Builder(config="synthetic-english").sources(), 64):
        file = Path(FOLDER, source.file)
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, source.audio(), 16_000)
        rows.append((source.file, source.label, source.speaker))
    TABLE = f"{FOLDER}/labels.csv"
    pd.DataFrame(rows, columns=["file", "label", "speaker"]).to_csv(TABLE, index=False)

table = pd.read_csv(TABLE)
paths = [str(Path(TABLE).parent / file) for file in table["file"]]
pd.crosstab(table["speaker"], table["label"])

# %% [markdown]
# ## Compare honestly
# Each fold leaves speakers out; what all folds say is scored together. A model that is tested on
# the voices that it learnt from would look better than it is. So would a base that learnt from
# these recordings, as `emojax-small` did from eleven public corpora.

# %%
import numpy as np
import opensmile
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emojax.compilation import use_compilation_cache
from emojax.sklearn import EmotionClassifier

use_compilation_cache()  # the folds share compiled programs
smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
systems = {
    "adapted": (EmotionClassifier(BASE, rounds=ROUNDS, random_state=0), paths),
    "eGeMAPS + SVM": (make_pipeline(StandardScaler(), SVC()), smile.process_files(paths)),
}
answers = {
    name: cross_val_predict(
        system, recordings, table["label"], groups=table["speaker"], cv=GroupKFold(FOLDS)
    )
    for name, (system, recordings) in systems.items()
}

# %%
from sklearn.metrics import recall_score

from emojax.evaluation.metrics import uar_difference

uar = {
    name: recall_score(table["label"], answer, average="macro") for name, answer in answers.items()
}
labels = sorted(set(table["label"]))
truth, adapted, svm = (
    np.searchsorted(labels, answer) for answer in (table["label"], *answers.values())
)
gain, (low, high), unit = uar_difference(truth, adapted, svm, table["speaker"])
print(*(f"{name}: UAR {100 * value:.1f} %" for name, value in uar.items()), sep="\n")
interval = f"{100 * low:.1f} to {100 * high:.1f}, over {unit}"
print(f"difference {100 * gain:.1f}, 95 % interval {interval}")

# %% [markdown]
# An interval with 0 inside says that these speakers cannot tell the two apart. Fewer than five
# speakers say little about others.

# %%
import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for (name, answer), ax in zip(answers.items(), axes, strict=True):
    ConfusionMatrixDisplay.from_predictions(table["label"], answer, ax=ax, colorbar=False)
    ax.set_title(name)

# %% [markdown]
# ## Use it
# Now all recordings are learnt from. A pickle has the adapters and the name of the base.

# %%
import joblib

classifier = EmotionClassifier(BASE, rounds=ROUNDS, random_state=0).fit(paths, table["label"])
joblib.dump(classifier, f"{FOLDER}/classifier.joblib")
pd.DataFrame(classifier.predict_proba(paths[:3]), paths[:3], classifier.classes_).round(2)

# %% [markdown]
# [docs/guide/adapt.md](../docs/guide/adapt.md) does the same by two commands, with a network from
# scratch and McNemar's test, and makes a run that `emojax.load` takes.
