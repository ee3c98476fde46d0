r"""The model of the package, ``emojax-small``: every clip of eleven corpora, in one network.

python train.py --config=configs/release.py --workdir=runs/fold --config.source_dir=CORPORA \
        --config.partition=fold:1/6 --config.rounds_per_phase=300
python train.py --config=configs/release.py --workdir=runs/emojax-small \
        --config.source_dir=CORPORA --config.calibrated_by=runs/fold
emojax export runs/emojax-small emojax/pretrained/emojax-small --format=hub \
        "--unseen=OUT/runs/zero_shot/*/*/trained" --pooled=OUT/pooled.json \
        --license=cc-by-nc-sa-4.0
"""

import ml_collections

from configs import multi_corpus


def get_config() -> ml_collections.ConfigDict:
    """Return the settings; they differ from configs/multi_corpus.py in a few values."""
    config = multi_corpus.get_config()
    config.corpora = "emodb,emovo,casia,ravdess,baved,ased,nemo,tess,emotiontts,indowave,emotale"
    config.partition = "all"
    config.refit = False  # nothing is left for devel
    config.domains = "corpora+emotion"
    config.trim_db = 0.0  # the weights in the package were trained with silence
    config.rounds_per_phase = 900
    config.eval_every_rounds = 300
    # New recordings have other voices, microphones and rooms.
    config.frequency_warp = 0.1
    config.tempo = 0.1
    config.colour_db = 6.0
    config.noise_share = 0.05
    config.masked_mels = 6.0
    config.masked_share = 0.05
    config.label_smoothing = 0.1
    return config
