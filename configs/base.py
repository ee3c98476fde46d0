"""The EmoNet paper's multi-corpus training (4.3, 5.2, 6.1); base of all other configs.

python train.py --config=configs/base.py --config.corpora=emodb,casia --config.source_dir=CORPORA
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
    """Return the settings; each can be given as ``--config.NAME=VALUE``."""
    config = ml_collections.ConfigDict()

    # Corpora, comma separated: NAME (in source_dir/NAME) or NAME=PATH of a folder or a CSV.
    config.corpora = "emodb,emovo,casia,ravdess,baved,ased,nemo"
    config.source_dir = "corpora"  # folder with a folder for each corpus
    config.data_dir = "data"  # folder of the prepared corpora
    config.allow_bad = False  # prepare even if more than 5 % of a corpus cannot be read
    # Work directory of a run of the same network whose devel parts calibrate this run's answers.
    config.calibrated_by = ""
    config.partition = "default"  # default | fold:I/K | random:I/K | loso:SPEAKER | all
    # Train on the devel part too; the last state is used, because nothing is left to choose by.
    config.refit = False
    # Domains; each has a head. corpora: each corpus is one. arousal, valence, or a+v for two: all
    # corpora together, with levels as labels. emotion: all corpora together, with the emotions that
    # they share, or with some of them (emotion:anger,fear). corpora+emotion: both.
    config.domains = "corpora"
    # Columns of a corpus's table to learn instead of its labels; each item is a domain.
    # calls:emotion: a column of words. calls:arousal+valence: columns of numbers; their concordance
    # (CCC) replaces cross entropy and UAR. calls:label: the labels too.
    config.columns = ""
    # Meaning of unknown labels, for domains: calm=rest, or for one corpus diary/high=anger.
    config.label_words = ""
    config.seed = 0  # for the partition, the parameters and the order of the clips

    # Network: adapter_resnet (the EmoNet paper) | cnn_lstm (the transferable-features paper) |
    # fusion (both, their embeddings joined before each head; it has the settings of both).
    config.network = "adapter_resnet"
    config.dropout = 0.5  # dropout rate; adapter_resnet has dropout in the head only
    config.width = 32  # channels of the first convolution; the stacks have 2, 4, 8 times as many
    config.depth = 2  # residual blocks per stack
    config.adapters = True  # 1x1 adapters per corpus; off for the plain ResNet of one corpus
    config.attention_units = 256  # hidden units of the attention
    config.attention_smoothing = 0.3  # lambda of equation 3
    config.shared_attention = True  # one attention for all corpora
    # The embedding is the attended mean and the attended standard deviation: twice as long.
    config.attention_deviation = False
    # Pitch, relative to its median over the utterance, and voicing as two more input channels.
    config.pitch_channels = False
    # Silence at both ends of a clip is cut off: frames that are this far below its mean power. 0
    # keeps it. Only adapter_resnet has this.
    config.trim_db = 0.0
    config.head_units = 128  # hidden units of a corpus's head
    # Settings of cnn_lstm.
    config.conv_features = 128  # kernels of each convolution
    config.conv_samples = 64  # length of the first one's kernels
    config.conv_stride = 16  # its stride in samples
    config.conv_steps = 8  # length of the second one's kernels, in steps of its input
    config.pool = 4  # size of the max pooling after each convolution, in steps
    config.recurrence = "halves"  # halves | directions | none
    config.lstm_units = 500  # size of the LSTM's state
    config.dense_units = 1000  # units of the two dense layers
    config.adapter_rank = 8  # rank of the adapters of the LSTM

    # Transfer: start from a trained model, whose network settings replace those above.
    # scratch | finetune (all) | adapters (and norms, head) | norms (and head) | last_layer (head)
    config.transfer = "scratch"
    config.base = ""  # folder of a run or a published model, emojax-small, or hf:OWNER/NAME
    # A corpus that the base does not know starts with the adapters and norms of this corpus of the
    # base. Empty: with those, and the head, of the base's domain emotion; if there is none, with
    # new ones.
    config.base_corpus = ""
    # Only with finetune: layers that are not trained, and layers that start at random parameters.
    # Give the beginnings of their names: conv,lstm.
    config.frozen_layers = ""
    config.new_layers = ""

    # Training.
    # round_robin: the corpora in turn (the paper); synchronous: side by side, with one update of
    # the shared network per round; or sampling weights: size, size^0.5, emodb=2,casia=1.
    config.sampling = "round_robin"
    # Batches have each label, and of it each speaker, equally often.
    config.balance_speakers = False
    config.batch_size = 64  # clips of one corpus in a step
    # Crop length in seconds. Short-clip corpora use two thirds or one third, to limit padding to
    # about 25 %.
    config.window_s = 5.0
    # One rate per phase; a phase begins at the best state so far.
    config.learning_rates = (0.1, 0.01, 0.001)
    config.rounds_per_phase = 2500  # at most; a round has one step of each corpus
    # A phase also ends after this many epochs (of the largest corpus) without a better devel UAR;
    # 0 for no such limit.
    config.patience_epochs = 0
    config.cosine = False  # the rate of each phase falls to 0 along half a cosine
    config.warmup_rounds = 0  # rounds at the start in which the rate rises linearly
    config.learning_rate_decay = 1e-6  # per round
    config.optimizer = "momentum"  # momentum (SGD) | adadelta
    config.momentum = 0.9  # of SGD
    config.l2 = 1e-6  # factor of the squared kernels in the loss
    config.label_smoothing = 0.0  # share of each target that is spread over the corpus's classes
    # Clips are mixed in pairs, each with a share drawn from Beta(mixup, mixup); 0 for none.
    config.mixup = 0.0
    # Decay of an exponential moving average of the weights, such as 0.999; 0 for none. The average
    # is evaluated, saved as the best state and used for prediction.
    config.average_decay = 0.0
    # Augmentation of the training clips, at random for each clip; 0 for none. cnn_lstm has no
    # augmentation. fusion has all but tempo, and only for its log-mel.
    config.frequency_warp = 0.0  # frequencies are scaled by 1 +- up to this share (vocal tract)
    config.tempo = 0.0  # the duration is scaled by 1 +- up to this share
    config.colour_db = 0.0  # gain or loss of up to so many dB, smooth over frequency (microphone)
    config.noise_share = 0.0  # noise of up to this share of the clip's power; 0.1 is 10 dB below it
    config.telephone = 0.0  # share of the clips that are heard through a telephone, 300 to 3,400 Hz
    config.masked_mels = 0.0  # two bands of up to so many mel channels are masked per training clip
    config.masked_share = 0.0  # two stretches of up to this share of its frames are masked too
    config.eval_every_rounds = 25  # rounds between two evaluations on devel

    # Speed; the results stay the same up to rounding, except for precision.
    config.fold_adapters = True  # add each adapter to its convolution's centre tap
    config.fast_conv = "auto"  # auto (on CPU) | on | off
    # Of the convolutions: auto (bf16 on GPU and TPU, f16 on GPUs before bf16 such as the T4, f32 on
    # CPU) | f32 | bf16 | f16.
    config.precision = "auto"
    return config
