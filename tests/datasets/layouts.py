"""Each publisher's layout as a few invented file names, and tones as their content."""

from pathlib import Path

import numpy as np
import soundfile

from emojax.audio.reading import SAMPLE_RATE_HZ

# corpus → file name → label and speaker
FILES = {
    "emodb": {"wav/03a01Fa.wav": ("happiness", "03"), "wav/16b10Wb.wav": ("anger", "16")},
    "emovo": {"f1/dis-f1-b1.wav": ("disgust", "f1"), "m3/tri-m3-n5.wav": ("sadness", "m3")},
    "casia": {
        "ZhaoZuoxiang/fear/250.wav": ("fear", "ZhaoZuoxiang"),
        "liuchanhg/angry/201.wav": ("angry", "liuchanhg"),
    },
    "ravdess": {
        "Actor_01/03-01-02-01-02-01-01.wav": ("calm", "01"),
        "Actor_24/03-01-08-02-02-02-24.wav": ("surprised", "24"),
    },
    "baved": {"0/55-m-16-0-1-239.wav": ("normal", "55"), "6/7-f-20-6-2-12.wav": ("high", "7")},
    "ased": {
        "04Sad/S4-04-02-01-29.wav": ("sad", "29"),
        "05Angry/a5-03-01-02-50.wav": ("angry", "50"),
    },
    "nemo": {
        "samples/EB0_anger_1.wav": ("anger", "EB0"),
        "samples/WR0_surprised_64.wav": ("surprised", "WR0"),
    },
    "emotiontts": {
        "emotional-to-emotional/nea/wav/nea00001.wav": ("neutral", "nea"),
        "emotional-to-emotional/nea/wav/nea00200.wav": ("happy", "nea"),
        "plain-to-emotional/emh/wav/emh00201.wav": ("sad", "emh"),
        "plain-to-emotional/emh/wav/emh00400.wav": ("angry", "emh"),
    },
    "indowave": {
        "Actor_01/01-03-02-01.wav": ("surprise", "01"),
        "Actor_10/10-05-01-03.wav": ("disappointed", "10"),
    },
    "emotale": {
        "wav/DK_001_A_1.wav": ("anger", "001"),
        "wav/EN_001_B_5.wav": ("boredom", "001"),
    },
    "cremad": {
        "AudioWAV/1001_DFA_ANG_XX.wav": ("anger", "1001"),
        "AudioWAV/1040_ITH_SAD_X.wav": ("sad", "1040"),
        "AudioWAV/1091_IEO_HAP_LO.wav": ("happy", "1091"),
    },
    "savee": {
        "AudioData/DC/a01.wav": ("anger", "DC"),
        "AudioData/KL/su15.wav": ("surprise", "KL"),
        "ALL/JE_sa03.wav": ("sadness", "JE"),
    },
    "tess": {
        "OAF_back_angry.wav": ("angry", "OA"),
        "TESS/OAF_neutral/OA_bite_neutral.wav": ("neutral", "OA"),
        "YAF_pleasant_surprised/YAF_youth_ps.wav": ("pleasant surprise", "YA"),
    },
    "shemo": {
        "F21N37.wav": ("neutral", "F21"),
        "female/F03S02.wav": ("sadness", "F03"),
        "male/M02F01.wav": ("fear", "M02"),
    },
    "cafe": {
        "Colère/Fort/01-C-2-1.wav": ("anger", "01"),
        "Neutre/12-N-1-6.wav": ("neutral", "12"),
    },
    "esd": {
        "0001/Neutral/0001_000001.wav": ("Neutral", "0001"),
        "0011/Angry/test/0011_000371.wav": ("Angry", "0011"),
        "English/0012/Sad/0012_001051.wav": ("Sad", "0012"),
    },
    "demos": {
        "DEMOS/NP_m_05_col01a.wav": ("guilt", "05"),
        "DEMOS/PR_f_01_rab01a.wav": ("anger", "01"),
        "NEU/PR_f_01_neu02b.wav": ("neutral", "01"),
    },
    "emofilm": {"m_dis023bes.wav": ("contempt", ""), "wav_corpus/f_ans001aen.wav": ("fear", "")},
    "enterface": {
        "subject 1/anger/sentence 1/s1_an_1.wav": ("anger", "1"),
        "subject 3/surprise/sentence 5/s_3_su_5.wav": ("surprise", "3"),
    },
    "aibo": {
        "wav/Mont_01_000_00.wav": ("rest", "Mont_01"),
        "wav/Ohm_01_000_00.wav": ("emphatic", "Ohm_01"),
    },
    "iemocap": {
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": ("neutral", "Ses01F"),
        "Session5/sentences/wav/Ses05F_script01_1/Ses05F_script01_1_M012.wav": (
            "happiness",
            "Ses05M",
        ),
    },
    "meld": {
        "dev_splits_complete/dia0_utt0.wav": ("surprise", "Phoebe"),
        "train_splits/dia0_utt0.wav": ("neutral", "Chandler"),
    },
    "susas": {
        "actual/roller/m4/medst/zero6.wav": ("medium stress", "m4"),
        "speech/actual/roller/f1/hist/break1.wav": ("high stress", "f1"),
        "speech/actual/roller/m2/scream/no3.wav": ("scream", "m2"),
    },
    "emotiw2014": {
        "Train/Angry/000046280.wav": ("Angry", ""),
        "Val/Neutral/000505720.wav": ("Neutral", ""),
    },
}
# corpus → file name → text that comes with it and says labels
TEXTS = {
    "aibo": {
        "labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt": "Mont_01_000_00 R 1.00\n"
        "Ohm_01_000_00 E 0.64\nOhm_01_000_01 N 1.00\n"
    },
    "iemocap": {
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": (
            "% [START_TIME - END_TIME] TURN_NAME EMOTION\n\n"
            "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n"
            "C-E2:\tNeutral;\t()\n"
            "[10.0100 - 11.3925]\tSes01F_impro01_F001\txxx\t[2.5000, 2.5000, 2.5000]\n"
        ),
        "Session5/dialog/EmoEvaluation/Ses05F_script01_1.txt": (
            "[1.0000 - 2.0000]\tSes05F_script01_1_M012\texc\t[4.0000, 3.5000, 3.0000]\n"
        ),
    },
    "meld": {
        "train_sent_emo.csv": (
            "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
            '1,"Well\x85\n, no.",Chandler,neutral,neutral,0,0\n'
        ),
        "dev_sent_emo.csv": (
            "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
            "1,Oh!,Phoebe,surprise,negative,0,0\n"
        ),
        "test_sent_emo.csv": (
            "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
        ),
    },
}


def write_tones(root: Path, *files: str, duration_s: float = 0.2) -> Path:
    """Write a tone of its own pitch to each of some files below a folder, and return the folder."""
    seconds = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    for number, file in enumerate(files):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(
            root / file, 0.5 * np.sin(2 * np.pi * (200 + 10 * number) * seconds), SAMPLE_RATE_HZ
        )
    return root


def write_corpus(name: str, root: Path, *files: str) -> Path:
    """Write tones, and the texts that come with a corpus, below a folder, and return the folder."""
    for file, text in TEXTS.get(name, {}).items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text, encoding="utf-8")
    return write_tones(root, *files)
