import sys

import pytest

from emojax.commands.__main__ import main


@pytest.mark.parametrize(("format", "file"), [("onnx", "model.onnx"), ("hub", "config.json")])
def test_each_format_makes_a_folder_and_prints_it(format, file, tiny_run, tmp_path, capsys):
    corpus = [] if format == "hub" else ["--corpus=tones"]
    folder = tmp_path / "new" / "net"
    assert main(["export", str(tiny_run), str(folder), f"--format={format}", *corpus]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert (folder / file).is_file()
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format=hub", "--corpus=tones"], "--corpus is not for --format=hub; leave it out"),
        (["--format=onnx", "--name=mine"], "--name is not for --format=onnx; leave it out"),
        (["--format=onnx"], "has several corpora; give corpus=, one of tones, levels"),
        (["--format=stablehlo", "--corpus=none"], "unknown corpus 'none'"),
        (["--format=onnx", "--corpus=tones", "--license=My own"], "give it as the hub names it"),
    ],
)
def test_a_fault_is_one_line_and_writes_nothing(arguments, message, tiny_run, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["export", str(tiny_run), str(tmp_path / "net"), *arguments])
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", ["onnx", "stablehlo", "hub"])
def test_a_folder_that_is_not_empty_is_left_as_it_is(format, tiny_run, tmp_path, capsys):
    (tmp_path / "mine").touch()
    corpus = [] if format == "hub" else ["--corpus=tones"]
    with pytest.raises(SystemExit):
        main(["export", str(tiny_run), str(tmp_path), f"--format={format}", *corpus])
    assert "is not an empty folder; give a new one" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_without_onnx_the_extra_is_named(tiny_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(SystemExit):
        main(["export", str(tiny_run), str(tmp_path / "net"), "--format=onnx", "--corpus=tones"])
    assert 'pip install "emojax[onnx]"' in capsys.readouterr().err
