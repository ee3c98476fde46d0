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
# # A trained model as a feature extractor
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/)
#
# `EmbeddingTransformer` turns recordings into numbers for any estimator of scikit-learn.
#
# The badge opens Colab's list of notebooks on GitHub: give it the address of the repository that
# this notebook is in. 

# %%
import tempfile

REPOSITORY = ""  # in Colab, the address again: it is cloned
TABLE = ""  # a CSV with file,label,speaker, as in docs/guide/own_data.md
MODEL = "emojax-small"  # or the folder of a run
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
    # !{sys.executable} -m pip install --quiet --upgrade "{jax}" -e ".[synthetic]"
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
# ## Embeddings

# %%
from emojax.sklearn import EmbeddingTransformer

embedder = EmbeddingTransformer(MODEL).set_output(transform="pandas")
embeddings = embedder.fit_transform(paths)
embeddings.head()

# %% [markdown]
# ## A classifier
# Grid search and test leave speakers out, so that nothing is chosen or tested on a voice that was
# learnt from.

# %%
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

pipeline = make_pipeline(StandardScaler(), SVC(class_weight="balanced"))
search = GridSearchCV(
    pipeline, {"svc__C": [0.1, 1.0, 10.0]}, scoring="recall_macro", cv=GroupKFold(FOLDS)
)
is_test = table["speaker"].isin(table["speaker"].unique()[-2:])
learnt = table[~is_test]
search.fit(embeddings[~is_test], learnt["label"], groups=learnt["speaker"])
uar = search.score(embeddings[is_test], table["label"][is_test])
print(f"{search.best_params_}: UAR {100 * uar:.1f} % on two speakers, who say little about others")

# %% [markdown]
# ## A picture

# %%
import matplotlib.pyplot as plt
from sklearn.decomposition import PCA

plane = PCA(2).fit_transform(StandardScaler().fit_transform(embeddings))
for label in sorted(set(table["label"])):
    plt.scatter(*plane[table["label"] == label].T, label=label)
plt.legend()

# %% [markdown]
# ## From path to label
# The transformer in a pipeline takes paths; its pickle has the model's name, not its weights.

# %%
whole = make_pipeline(EmbeddingTransformer(MODEL), *search.best_estimator_)
whole.fit(paths, table["label"])
whole.predict(paths[:3])
