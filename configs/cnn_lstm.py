r"""CNN and LSTM on raw audio, as in the transferable-features paper (section 3.1).

python train.py --config=configs/cnn_lstm.py --workdir=runs/cnn_lstm \
        --config.corpora=emodb --config.source_dir=CORPORA
"""

import ml_collections

from configs import multi_corpus


def get_config() -> ml_collections.ConfigDict:
    """Return the settings; they differ from configs/multi_corpus.py in a few values."""
    config = multi_corpus.get_config()
    config.network = "cnn_lstm"
    config.trim_db = 0.0  # it has no log-mel
    config.dropout = 0.3
    config.window_s = 3.375  # 54,000 samples
    config.optimizer = "adadelta"
    config.learning_rates = (1.0,)
    return config
