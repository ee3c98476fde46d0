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
# # Train one network on several corpora
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/)
#
# One network learns from all corpora at once, on a TPU, a GPU or a CPU, and is scored on each.
#
# The badge opens Colab's list of notebooks on GitHub: give it the address of the repository that
# this notebook is in. Choose the device under *Runtime → Change runtime type*.

# %%
import tempfile

REPOSITORY = ""  # in Colab, the address again: it is cloned
# Corpora of docs/guide/own_data.md; these two are spoken by a synthesiser, and need no download.
CORPORA = "synthetic-german,synthetic-polish"  # or "calls=recordings/labels.csv,emodb"
SOURCES = "corpora"  # folder of the publishers' folders, such as corpora/emodb
CONFIG = "configs/quickstart.py"  # "configs/multi_corpus.py" for people's speech
ROUNDS = 2  # for each of three learning rates; 24 are a quickstart, 300 a training
WIDTH = 8  # channels of the first convolution; 32 are the paper's
FOLDER = tempfile.mkdtemp()  # "/content/drive/MyDrive/emojax" keeps it, and goes on after a stop

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

# %% [markdown]
# ## The device
# Another process looks, because a TPU belongs to one process at a time: the training.

# %%
# !{sys.executable} -c "import jax; print(*jax.devices(), 'with jax', jax.__version__)"

# %% [markdown]
# If this lists a CPU though you chose a TPU or GPU, the plugin of jax is missing: restart the
# session and run all cells again.
#
# ## Train and evaluate
# The devel part chooses the best state. The test part is read once, by `evaluate.py`.

# %%
# !{sys.executable} train.py --config={CONFIG} --config.corpora={CORPORA} \
#     --config.source_dir={SOURCES} --config.data_dir={FOLDER}/data --workdir={FOLDER}/run \
#     --config.rounds_per_phase={ROUNDS} --config.eval_every_rounds={ROUNDS} \
#     --config.width={WIDTH}

# %%
# !{sys.executable} evaluate.py --workdir={FOLDER}/run

# %% [markdown]
# ## Look at it

# %%
import pandas as pd

metrics = pd.read_json(f"{FOLDER}/run/metrics.jsonl", lines=True)
axes = metrics.plot(x="step", y=["loss/mean", "devel_uar/mean"], subplots=True, marker="o")

# %%
from IPython.display import Image

Image(f"{FOLDER}/run/confusion.png")

# %% [markdown]
# `emojax.load(f"{FOLDER}/run", corpus="synthetic-german")` is the model of one corpus: see
# [docs/api.md](../docs/api.md).
