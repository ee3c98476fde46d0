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
# # Emotions over a call
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/)
#
# A timeline of a long recording: who speaks when, with which emotion.
#
# The badge opens Colab's list of notebooks on GitHub: give it the address of the repository that
# this notebook is in. 

# %%
import tempfile

REPOSITORY = ""  # in Colab, the address again: it is cloned
RECORDING = ""  # a wav, flac, ogg, opus or mp3 file of up to a day
MODEL = "emojax-small"  # or the folder of a run
CHANNELS = "mix"  # "split" answers for each channel: a call has a speaker on each
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
    # !{sys.executable} -m pip install --quiet --upgrade "{jax}" -e ".[synthetic,vad]"
elif not os.path.exists("train.py"):
    os.chdir("..")
sys.path.insert(0, os.getcwd())
loaded = [name for name in ("jax", "jaxlib", "numpy", "scipy") if name in sys.modules]
is_stale = any(version(name) != sys.modules[name].__version__ for name in loaded)
print("EmoJAX", version("emojax"), "with jax", version("jax"))
print("Runtime → Restart session, then run all cells again" if is_stale else "ready")

# %%
import itertools

import numpy as np
import soundfile

if not RECORDING:  # a stand-in: the synthesiser espeak-ng, which says nothing about people
    from datasets.synthetic.synthetic_dataset_builder import Builder

    pause = np.zeros(16_000, np.float32)
    clips = itertools.islice(Builder(config="synthetic-english").sources(), 12)
    RECORDING = f"{FOLDER}/call.wav"
    call = np.concatenate([part for clip in clips for part in (clip.audio(), pause)])
    soundfile.write(RECORDING, call, 16_000)

soundfile.info(RECORDING)

# %% [markdown]
# ## The timeline
# Each second of speech has the mean of the windows of 3 s that cover it; seconds of one label make
# a segment.

# %%
import emojax
from emojax.timeline.timeline import make_timeline

timeline = make_timeline(emojax.load(MODEL), RECORDING, CHANNELS)

# %%
import pandas as pd

segments = pd.DataFrame(
    {
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "channel": segment.channel,
        "label": segment.answer.label,
        "arousal": segment.answer.arousal,
        "valence": segment.answer.valence,
        "warning": segment.answer.warning,
    }
    for segment in timeline.segments
)
segments

# %% [markdown]
# ## Pictures and files
# The suffix names the format: a picture, a page with the sound to click on, tables, subtitles, and
# marks for Audacity or Praat.

# %%
from IPython.display import Image

from emojax.timeline.writers import write

for suffix in ("png", "html", "csv", "vtt"):
    write(timeline, f"{FOLDER}/call.{suffix}")
Image(f"{FOLDER}/call.png")

# %%
durations_s = segments["end_s"] - segments["start_s"]
durations_s.groupby(segments["label"]).sum().sort_values().plot.barh(xlabel="seconds of speech")
