import os
import shutil

import numpy as np
import pandas as pd
import pytest

import emojax
from emojax.commands.__main__ import main


def test_embeddings_of_a_folder_are_those_of_the_model(tiny_run, tiny_sources, tmp_path, capsys):
    clips = sorted((tiny_sources / "tones").glob("*_low_*.wav"))[:3]
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    model = emojax.load(tiny_run, corpus="tones")
    arguments = [f"--model={tiny_run}", "--corpus=tones", *map(str, clips)]
    out = tmp_path / "embeddings.npz"
    assert main(["embed", f"--out={out}", *arguments, str(tmp_path)]) == 1
    assert "broken.wav" in capsys.readouterr().err
    with np.load(out) as arrays:  # refuses pickles
        assert arrays["files"].tolist() == list(map(str, clips))
        assert arrays["embeddings"].dtype == np.float32
        np.testing.assert_allclose(arrays["embeddings"][0], model.embed(clips[0]), atol=1e-5)
        table = tmp_path / "embeddings.parquet"
        assert main(["embed", f"--out={table}", *arguments]) == 0
        frame = pd.read_parquet(table).set_index("file")
        np.testing.assert_array_equal(frame.to_numpy(), arrays["embeddings"])


def test_a_file_in_the_home_folder_lies_there(tiny_run, tiny_sources, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    clip = next((tiny_sources / "tones").glob("*.wav"))
    monkeypatch.chdir(tmp_path)
    main(["embed", f"--model={tiny_run}", "--corpus=tones", "--out=~/a.npz", str(clip)])
    assert (tmp_path / "home" / "a.npz").is_file()


def test_a_name_that_is_no_unicode_is_escaped_in_parquet(tiny_run, tiny_sources, tmp_path):
    clip = shutil.copy(
        next((tiny_sources / "tones").glob("*.wav")),
        os.fsdecode(b"%b/\xff.wav" % os.fsencode(tmp_path)),
    )
    out = tmp_path / "a.parquet"
    assert main(["embed", f"--model={tiny_run}", "--corpus=tones", f"--out={out}", clip]) == 0
    assert pd.read_parquet(out)["file"].tolist() == [f"{tmp_path}/\\udcff.wav"]


def test_another_format_is_refused_before_the_work(tiny_run, tiny_sources, capsys):
    with pytest.raises(SystemExit):
        main(["embed", f"--model={tiny_run}", str(tiny_sources), "--out=embeddings.pkl"])
    assert "give FILE.npz or FILE.parquet" in capsys.readouterr().err
