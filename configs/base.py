"""The EmoNet paper's multi-corpus training (sections 4.3, 5.2, 6.1); the other configs change a few of these.

python train.py --config=configs/base.py --config.corpora=emodb,casia --config.source_dir=CORPORA
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
    """The settings; any of them can be given as ``--config.NAME=VALUE``."""
    config = ml_collections.ConfigDict()

    # Corpora, comma separated: NAME (in source_dir/NAME) or NAME=PATH of a folder or a CSV.
    config.corpora = "emodb,emovo,casia,ravdess,baved,ased,nemo"
    config.source_dir = "corpora"  # folder of the publishers' folders
    config.data_dir = "data"  # folder of the prepared corpora
    config.allow_bad = False  # prepare although more than 5 % of a corpus cannot be read
    config.partition = "default"  # default | fold:I/K | loso:SPEAKER
    config.aggregate = (
        ""  # or arousal, valence, a+v (two domains): train on their levels, all corpora as one
    )
    config.label_words = (
        ""  # for that: what other labels mean: calm=rest, or of one corpus diary/high=anger
    )
    config.seed = 0  # of the partition, the parameters and the order of the clips

    # Network.
    config.width = 32  # channels of the first convolution; the stacks have 2, 4, 8 times as many
    config.depth = 2  # residual blocks a stack
    config.adapters = True  # 1x1 adapters per corpus; off for the plain ResNet of one corpus
    config.attention_units = 256  # hidden units of the attention
    config.attention_smoothing = 0.3  # lambda of equation 3
    config.shared_attention = True  # one attention for all corpora
    config.head_units = 128  # hidden units of a corpus's head
    config.dropout = 0.5  # rate, in the head

    # Transfer: begin at a trained run, whose network settings then replace those above.
    config.transfer = (
        "scratch"  # scratch | finetune (all) | adapters (and norms, head) | last_layer (head)
    )
    config.base = ""  # work directory of that run
    config.base_corpus = (
        ""  # whose adapters and norms a corpus new to it begins with; empty: fresh ones
    )

    # Training.
    # round_robin: the corpora in turn (the paper); synchronous: side by side, with one update of
    # the shared network a round; or how often each has its turn: size, size^0.5, emodb=2,casia=1.
    config.sampling = "round_robin"
    config.batch_size = 64  # clips of one corpus in a step
    # Crop length in seconds. Short-clip corpora use two thirds or one third, to limit padding to
    # about 25 %.
    config.window_s = 5.0
    config.learning_rates = (
        0.1,
        0.01,
        0.001,
    )  # one a phase; a phase begins at the best state so far
    config.rounds_per_phase = 2500  # at most; a round has as many steps as there are corpora
    # A phase also ends after so many epochs (of the largest corpus) without a better devel UAR; 0:
    # never.
    config.patience_epochs = 0
    config.tuned_at_once = 1  # corpora in one vectorised step, where the trunk is frozen
    config.learning_rate_decay = 1e-6  # a round
    config.momentum = 0.9  # of SGD
    config.l2 = 1e-6  # factor of the squared kernels in the loss
    config.masked_mels = (
        0.0  # two bands of up to so many mel channels are hidden in each training clip
    )
    config.masked_share = 0.0  # and two stretches of up to this share of its frames
    config.eval_every_rounds = 25  # rounds between two evaluations on devel

    # Speed; what is computed stays the same, up to rounding.
    config.fold_adapters = True  # an adapter is its convolution's centre tap
    config.fast_conv = "auto"  # auto (on CPU) | on | off
    config.precision = (
        "auto"  # of the convolutions: auto (bf16 on GPU and TPU, f32 on CPU) | f32 | bf16
    )
    return config
