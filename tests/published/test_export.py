"""What `emojax export --format=hub` writes: all of it or nothing, and what its card says."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

import emojax
from emojax.commands.__main__ import main
from emojax.corpora.catalogue import CATALOGUE
from emojax.evaluation.score_files import Prediction, write_predictions
from emojax.export.card import CODES, languages, license_text, model_card
from emojax.export.gaps import gaps
from emojax.export.hub import export_hub
from emojax.export.unseen import read_unseen
from emojax.pretrained import read_manifest

SCORES = {
    "uar": 0.5123,
    "uar_ci95": [0.4, 0.6],
    "chance": 0.25,
    "n": 40,
    "speakers": 2,
    "protocol": "test on | <b>03</b>",
}


@pytest.fixture
def run_folder(tiny_run, tmp_path):
    """A copy of the tiny run, to which a test adds files."""
    shutil.copytree(tiny_run / "checkpoints", tmp_path / "run" / "checkpoints")
    return tmp_path / "run"


def card_of(tmp_path, **changes):
    manifest = {
        "emojax": "0.1.0",
        "corpora": {
            "emodb": ["anger", "calm"],
            "calls": ["a|b", "<script>"],
            "emotion": ["x", "y"],
        },
        "devel_uar": {"emodb": 0.75},
        "config": {"partition": "default"},
        **changes,
    }
    results = {"corpora": {"emodb": SCORES}}
    return model_card("demo", "cc-by-4.0", manifest, results, tmp_path)


def test_the_card_has_the_gaps_between_sexes_and_languages(tmp_path):
    sexes = {"female": {**SCORES, "uar": 0.6}, "male": {**SCORES, "speakers": 5}}
    tested = {"emodb": {**SCORES, "by_sex": sexes}, "calls": SCORES}
    text = gaps(tested, {"nemo": SCORES}, {"emovo": {**SCORES, "by_sex": {"male": SCORES}}})
    lines = text.splitlines()
    shown = r"60.0† \[40.0, 60.0\]; 40 of 2 | 51.2 \[40.0, 60.0\]; 40 of 5 | +8.8 |"
    assert f"| emodb | test part | {shown}" in lines
    assert r"| emovo | never seen | no speaker | 51.2† \[40.0, 60.0\]; 40 of 2 |  |" in lines
    assert "| German | test part | emodb | 51.2 | 25.0 | 40 |" in lines
    assert "| Polish | pooled folds | nemo | 51.2 | 25.0 | 40 |" in lines
    assert "### By sex and by language\n\nBy sex: not measured." in card_of(tmp_path)


def test_the_command_writes_a_folder_that_loads(tiny_run, tmp_path, capsys):
    out = tmp_path / "new" / "demo"
    assert main(["export", str(tiny_run), str(out), "--format=hub", "--license=cc-by-4.0"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert {path.name for path in out.iterdir()} == {
        "README.md",
        "LICENSE",
        "config.json",
        "model.safetensors",
    }
    assert list(out.parent.iterdir()) == [out]
    assert emojax.load(out, "levels").labels == ("loud", "soft")
    assert "creativecommons.org/licenses/by/4.0/legalcode" in (out / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("run", "out", "texts", "message"),
    [
        ("gone", "new", (), "there is no such folder"),
        ("empty", "new", (), "holds no checkpoint"),
        ("run", "run", (), "is not an empty folder; give a new one"),
        ("run", "new", ("My own",), "give it as the hub names it"),
        ("run", "new", ("mit", "../x"), "give letters, digits"),
        ("run", "new folder", (), "--name=NAME"),
    ],
)
def test_a_fault_is_one_error_and_writes_nothing(tiny_run, tmp_path, run, out, texts, message):
    (tmp_path / "empty").mkdir()
    run, out = (tiny_run if name == "run" else tmp_path / name for name in (run, out))
    with pytest.raises(ValueError, match=message) as error:
        export_hub(str(run), out, *texts)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "empty"]


def test_no_path_of_this_machine_is_published(tiny_run, exported):
    texts = [path.read_bytes() for path in exported.iterdir()]
    for place in (tiny_run, tiny_run.parent, exported.parent, Path.home()):
        assert not any(str(place).encode() in text for text in texts)


def test_an_empty_folder_is_used_and_a_failed_export_leaves_it(run_folder, tmp_path):
    (tmp_path / "out").mkdir()
    (run_folder / "calibration.json").write_text('{"temperature": NaN}')
    with pytest.raises(ValueError, match="is not finite"):
        export_hub(str(run_folder), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "run"]
    (run_folder / "calibration.json").unlink()
    assert list(export_hub(str(run_folder), tmp_path / "out").iterdir())


def test_a_calibration_is_carried_over(run_folder, tmp_path):
    (run_folder / "calibration.json").write_text('{"tones": {"temperature": 1.5}}')
    out = export_hub(str(run_folder), tmp_path / "out")
    assert read_manifest(out)["calibration"] == {"tones": {"temperature": 1.5}}


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "is no JSON object"),
        ({"step": -1, "corpora": {}}, "is not of the best state; score the run again"),
        ({"corpora": {"tones": {"uar": 1}}}, "has no scores of evaluate.py"),
        ({"corpora": {"tones": {**SCORES, "n": "\x1b"}}}, "a score is no number"),
        ({"corpora": {"tones": {**SCORES, "by_sex": {"x": {}}}}}, "has no scores of evaluate.py"),
    ],
)
def test_scores_that_are_not_the_runs_are_refused(run_folder, tmp_path, results, message):
    step = read_manifest(run_folder)["best_step"]
    text = results if isinstance(results, str) else json.dumps({"step": step, **results})
    (run_folder / "results.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        export_hub(str(run_folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_card_has_metadata_for_the_hub(tmp_path):
    _, metadata, _ = card_of(tmp_path).split("---\n", 2)
    assert yaml.safe_load(metadata) == {
        "license": "cc-by-4.0",
        "language": ["de"],
        "library_name": "emojax",
        "pipeline_tag": "audio-classification",
        "tags": ["emojax", "speech-emotion-recognition", "jax"],
    }


def test_the_card_names_corpora_licences_labels_and_scores(tmp_path):
    card = card_of(tmp_path)
    assert f"| emodb | {CATALOGUE['emodb'].full_name} | German |" in card
    assert "No licence is known of calls:" in card
    assert "| emotion |" in card
    assert "| emotion |" not in card.partition("## Learnt from")[2].partition("## Scores")[0]
    assert "| emodb† | 75.0 | 51.2 | 40.0 to 60.0 | 25.0 | 40 | test on" in card
    assert "| calls | not known | not scored |" in card
    assert "corpus=" not in card  # the common emotions need none
    assert 'corpus="emodb"' in card_of(tmp_path, corpora={"emodb": ["anger", "calm"]})


def test_the_card_names_what_the_bases_learnt_from(tmp_path):
    first = {"partitions": {"casia": {}, "emotion": {}}, "config": {}}
    base = {"partitions": {"emovo": {}}, "config": {}, "base": first}
    learnt = card_of(tmp_path, base=base).partition("## Learnt from")[2]
    for name in ("emodb", "calls", "emovo", "casia"):
        assert f"| {name} | " in learnt
    assert "\n- it\n- zh\n" in card_of(tmp_path, base=base)


def test_corpora_behind_a_domain_are_named(tmp_path):
    (tmp_path / "corpora.json").write_text('{"casia": "/anywhere"}')
    card = card_of(tmp_path, corpora={"arousal": ["high", "low"]})
    assert "| casia | " in card
    assert "/anywhere" not in card
    assert "| arousal | not in the catalogue" not in card


def test_texts_of_strangers_are_shown_as_they_are(tmp_path):
    card = card_of(tmp_path)
    assert r"a\|b, \<script\>" in card
    assert r"test on \| \<b\>03\</b\>" in card
    assert "<script>" not in card


def test_a_model_of_all_clips_says_that_no_test_is_left(tmp_path):
    said = "Every clip was learnt from"
    assert said in card_of(tmp_path, config={"partition": "all"})
    assert said not in card_of(tmp_path)


def test_every_language_of_the_catalogue_has_a_code():
    spoken = {language for spec in CATALOGUE.values() for language in languages(spec)}
    assert spoken - set(CODES) == {"made-up"}


@pytest.mark.parametrize(
    ("license", "text"),
    [
        ("cc-by-nc-sa-4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode"),
        ("mit", "mit (https://huggingface.co/docs"),
        ("unknown", "none is stated; ask"),
    ],
)
def test_the_licence_says_where_its_terms_are(license, text):
    assert text in license_text("demo", license)


def test_a_published_model_answers_like_its_run(tiny_run, exported):
    assert (tiny_run / "calibration.json").is_file()
    noise = np.random.default_rng(0).normal(0, 0.1, 1_600).astype(np.float32)
    ours, theirs = (
        emojax.load(path, corpus="tones").predict(noise, 16_000) for path in (tiny_run, exported)
    )
    assert theirs == pytest.approx(ours, abs=2e-3)  # kernels are float16
    assert theirs.warning.partition(":")[0] == ours.warning.partition(":")[0] != ""


def answered(folder, unsure):
    """Answers of zero_shot: right in three of four, as sure as given."""
    folder.mkdir(parents=True)
    shares = {"anger": 1 - unsure, "sadness": unsure}
    labels = ["anger", "anger", "anger", "sadness"]
    name, scores = f"<{folder.name}>", {**SCORES, "protocol": "nothing of it was learnt from"}
    rows = [Prediction(name, f"{i}.wav", "a", own, "anger", shares) for i, own in enumerate(labels)]
    write_predictions(rows, folder / "predictions.csv")
    (folder / "results.json").write_text(json.dumps({"corpora": {name: scores}}))


def test_what_a_recipe_says_about_unseen_corpora_is_in_the_card(tiny_run, tmp_path, monkeypatch):
    answered(tmp_path / "out" / "a", 0.01)
    answered(tmp_path / "out" / "b", 0.25)
    found = read_unseen(f"{tmp_path}/out/*")
    temperature = found.temperature
    assert set(found.scores) == {"<a>", "<b>"}
    assert temperature == pytest.approx((np.log(99) / np.log(3)) ** 0.5, rel=0.01)
    # b is as often right as it says, so the temperature of a makes it too unsure.
    unsure = 1 / (1 + 3 ** -(np.log(3) / np.log(99)))
    errors = {name: (own["ece"], own["ece_calibrated"]) for name, own in found.scores.items()}
    assert errors["<a>"] == pytest.approx((0.24, 0.24), abs=1e-3)
    assert errors["<b>"] == pytest.approx((0, 0.75 - unsure), abs=1e-3)
    monkeypatch.setattr("emojax.export.hub.EMOTION", "tones")
    folder = export_hub(str(tiny_run), tmp_path / "model", unseen=f"{tmp_path}/out/*")
    card = (folder / "README.md").read_text()
    assert r"\<a\>† | 51.2 | 40.0 to 60.0 | 25.0 | 40 |" in card
    assert "| nothing of it was learnt from | 24.0 | 24.0 |" in card
    found = read_manifest(folder)["calibration"]
    assert found["tones"]["temperature"] == temperature != found["levels"]["temperature"]


@pytest.mark.parametrize("shares", [{}, {"x": 1.0}, {"anger": "x", "fear": 0.5}, [1], None])
def test_answers_without_probabilities_are_one_clear_error(tmp_path, shares):
    answered(tmp_path / "out", 0.25)
    row = ["c", "a.wav", "s", "anger", "anger", json.dumps(shares)]
    with open(tmp_path / "out" / "predictions.csv", "w", newline="") as file:
        csv.writer(file).writerows([Prediction.__dataclass_fields__, row])
    with pytest.raises(ValueError, match="a clip of c lacks probabilities; run the experiment"):
        read_unseen(f"{tmp_path}/out")


def test_answers_in_the_home_folder_are_found(tmp_path, monkeypatch):
    answered(tmp_path / "out" / "a", 0.25)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert set(read_unseen("~/out/*").scores) == {"<a>"}


def test_pooled_folds_are_in_the_card(tiny_run, tmp_path):
    other = {**SCORES, "uar": 0.25, "speakers": 9}
    settings = {"shared": {"<a>": SCORES, "b": SCORES}, "SVM|": {"<a>": other}}
    path = tmp_path / "pooled.json"
    path.write_text(json.dumps({"command": "python /home/me", "settings": settings}))
    folder = export_hub(str(tiny_run), tmp_path / "model", pooled=str(path))
    card = (folder / "README.md").read_text()
    assert r"| corpus | UAR: shared | 95 % interval | UAR: SVM\| | chance | clips |" in card
    assert r"| \<a\>† | 51.2 | 40.0 to 60.0 | 25.0 | 25.0 | 40 | 2 | test on \| \<b\>03" in card
    assert "| b† | 51.2 | 40.0 to 60.0 |  | 25.0 | 40 | 2 |" in card
    assert "| mean of 1 | 51.2 |  | 25.0 |" in card
    assert "/home/me" not in card


@pytest.mark.parametrize("content", ["{}", '{"settings": {"a": {"b": 3}}, "command": "x"}', "["])
def test_pooled_folds_that_are_none_are_one_clear_error(tiny_run, tmp_path, content):
    path = tmp_path / "pooled.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"pooled.json.*(give|again)"):
        export_hub(str(tiny_run), tmp_path / "model", pooled=str(path))
    assert not (tmp_path / "model").exists()


def test_answers_that_are_not_there_are_one_clear_error(tiny_run, tmp_path):
    with pytest.raises(ValueError, match=r"nothing there; give OUT/runs/zero_shot"):
        export_hub(str(tiny_run), tmp_path / "model", unseen=f"{tmp_path}/none/*")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.json").write_text('{"corpora": {"a": 3}}')
    with pytest.raises(ValueError, match=r"no scores of evaluate.py .*run the experiment again"):
        export_hub(str(tiny_run), tmp_path / "model", unseen=f"{tmp_path}/out")
    assert not (tmp_path / "model").exists()
