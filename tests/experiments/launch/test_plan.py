"""Plans of runs, and running them; the runs are fake."""

import dataclasses
import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from emojax.baselines.feature_sets import FeatureSet
from emojax.experiments.launch import scheduler as module
from emojax.experiments.launch.job import Cell, scored
from emojax.experiments.launch.launch import carry_out
from emojax.experiments.launch.plan import baseline_cells, transfer_cells
from emojax.experiments.launch.scheduler import execute, make_engine
from emojax.experiments.launch.spec import Request, parse_bases, parse_corpora, read_config_file

ROOT = Path(__file__).parents[2]
# How runs over x and y together are named.
BOTH = f"_2_corpora_{hashlib.blake2b(b'x,y', digest_size=4).hexdigest()}"


@pytest.fixture
def request_(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    return Request(
        parse_corpora(["x", "y=some/labels.csv"]),
        parse_corpora(["z"]),
        tmp_path / "out",
        [0, 1],
        "corpora",
        "data",
        "configs/quickstart.py",
        "configs/scratch.py",
        "configs/adapt.py",
    )


@pytest.fixture
def here(tmp_path):
    return make_engine("here", tmp_path / "jobs")


def fake(folder, name, code="", after=(), corpora=()):
    """A cell that counts how often it began, does something, and leaves results."""
    folder = folder / name
    count = f"open({str(folder / 'begun')!r}, 'a').write('x')"
    leave = f"open({str(folder / 'results.json')!r}, 'w').write('{{}}')"
    order = {"config": {"partition": "default", "seed": 0}}
    commands = [("-c", f"{count}; {code}"), ("-c", leave)]
    return Cell(name, folder, commands, {folder: name}, order, after, dict.fromkeys(corpora, ""))


def begun(cell):
    path = cell.folder / "begun"
    return len(path.read_text()) if path.exists() else 0


def flags_of(command):
    return dict(flag.partition("=")[::2] for flag in command[1:])


def test_table_4_is_shared_runs_and_a_tuning_of_each(request_):
    cells = {cell.name: cell for cell in transfer_cells(request_, [])}
    names = [f"{one}/{run}" for one in ("all", "arousal", "valence", "a+v") for run in ("shared", "tuned")]
    names = [name + BOTH for name in (*names, "from_z/adapters", "from_z/head")]
    names += ["scratch/x", "scratch/y", "scratch/z"]
    assert set(cells) == {f"{name}_seed{seed}" for name in names for seed in (0, 1)}
    shared, tuned = cells[f"a+v/shared{BOTH}_seed1"], cells[f"a+v/tuned{BOTH}_seed1"]
    assert tuned.after == [shared.name]
    assert shared.after == []
    train, evaluate = map(flags_of, tuned.commands)
    assert train["--config.base"] == str(shared.folder) == flags_of(shared.commands[0])["--workdir"]
    assert (train["--config.base_corpus"], train["--config.seed"]) == ("", "1")
    assert train["--config.corpora"] == "x,y=some/labels.csv"
    assert evaluate == {"--workdir": str(tuned.folder), "--state": "best"}
    assert flags_of(shared.commands[0])["--config.aggregate"] == "a+v"
    assert "" not in scored(cells.values())


def test_heads_alone_are_tuned_with_the_smaller_rates(request_):
    cells = {cell.name: cell for cell in transfer_cells(request_, ["scratch"])}
    flags = flags_of(cells[f"from_z/head{BOTH}_seed0"].commands[0])
    rates = read_config_file("configs/adapt.py").schedule.learning_rates
    assert flags["--config.transfer"] == "last_layer"
    assert flags["--config.learning_rates"] == str(rates[1:])
    assert flags["--config.base_corpus"] == "z"


def test_both_tables_share_the_networks_from_scratch(request_):
    transfers = {cell.name: cell for cell in transfer_cells(request_, ["scratch"])}
    resnets = list(baseline_cells(request_, ["resnet"]))
    for cell in resnets:
        other = transfers[cell.name]
        assert (cell.commands, cell.order, cell.folder) == (other.commands, other.order, other.folder)
    assert list(resnets[0].results.values()) == ["resnet best", "resnet final"]
    features = [cell.name for cell in baseline_cells(request_, ["egemaps"])]
    assert features == ["egemaps/x_seed0", "egemaps/y_seed0", "egemaps/x_seed1", "egemaps/y_seed1"]


@pytest.mark.parametrize("plan", [baseline_cells, transfer_cells])
def test_an_unknown_setting_is_an_error_with_the_choices(plan, request_):
    with pytest.raises(ValueError, match=r"--settings='nope'; choose of (egemaps|scratch), "):
        list(plan(request_, ["nope"]))


def test_a_folder_of_other_settings_is_refused(request_):
    (cell, *_) = transfer_cells(request_, ["scratch"])
    cell.begin()
    assert not cell.is_finished()
    other = dataclasses.replace(cell, order={**cell.order, "config": {**cell.order["config"], "width": 5}})
    with pytest.raises(ValueError, match=r"config\.width: the checkpoint has 16, this run has 5"):
        carry_out([other], request_, "here")  # before it looks for the corpora, which do not exist


def test_a_stopped_plan_goes_on_where_it_was(tmp_path, here, monkeypatch):
    slow = "import os, time; os.path.exists('{0}') or (open('{0}', 'w'), time.sleep(60))".format(
        tmp_path / "2nd"
    )
    cells = [fake(tmp_path, "first"), fake(tmp_path, "slow", slow), fake(tmp_path, "last", after=["slow"])]
    sleep = time.sleep

    def interrupting(seconds):
        sleep(seconds)
        if begun(cells[1]):
            raise KeyboardInterrupt

    monkeypatch.setattr(module.time, "sleep", interrupting)
    began_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        execute(cells, here)
    assert time.monotonic() - began_s < 30
    assert [cell.is_finished() for cell in cells] == [True, False, False]
    monkeypatch.setattr(module.time, "sleep", sleep)
    assert execute([cell for cell in cells if not cell.is_finished()], here) == {}
    assert all(cell.is_finished() for cell in cells)
    assert [begun(cell) for cell in cells] == [1, 2, 1]


def test_a_run_that_a_killed_plan_left_going_is_waited_for(tmp_path, here):
    cell = fake(tmp_path, "slow", "import time; time.sleep(2)")
    cell.begin()
    # What begins a cell, without anybody who waits for it.
    left = here.submit(module.command_of(cell))
    while not begun(cell):
        time.sleep(0.02)
    assert not left.done()
    assert execute([cell], here) == {}
    assert left.done()
    assert cell.is_finished()
    assert begun(cell) == 1


def test_one_that_fails_loses_only_those_that_build_on_it(tmp_path, here, capsys):
    cells = [
        fake(tmp_path, "bad", "raise SystemExit('train.py: no such corpus')"),
        fake(tmp_path, "good"),
        fake(tmp_path, "on_bad", after=["bad"]),
        fake(tmp_path, "on_that", after=["on_bad"]),
    ]
    failed = execute(cells, here)
    assert failed == {
        "bad": f"train.py: no such corpus; exit status 1 (all of it: {tmp_path / 'bad' / 'log.txt'})",
        "on_bad": "needs bad, which failed",
        "on_that": "needs on_bad, which failed",
    }
    said = capsys.readouterr().err
    assert all(f"{name}: {why}" in said for name, why in failed.items())
    assert scored(cells) == {"good": [tmp_path / "good"]}
    assert not (tmp_path / "bad" / "results.json").exists()


def test_another_corpus_beside_the_others_makes_new_runs_of_what_it_changes_only(request_):
    def plan(*names):
        request = dataclasses.replace(request_, corpora=parse_corpora(names))
        plans = baseline_cells(request, ["egemaps"]), transfer_cells(request, ["scratch", "all"])
        return {cell.name: cell for cells in plans for cell in cells}

    fewer, more = plan("x", "y"), plan("x", "y", "w")
    for cell in fewer.values():
        cell.begin()
    assert not any(cell.is_finished() for cell in more.values())  # and none is refused
    own = {name for name in fewer if name.startswith(("scratch/", "egemaps/"))}
    assert fewer.keys() & more.keys() == own
    assert all(fewer[name].order == more[name].order for name in own)


def test_what_is_finished_is_not_run_again(tmp_path, request_, here, tiny_config, tiny_paths, capsys):
    corpora = parse_corpora(tiny_config.paths.corpora.split(","))
    request = dataclasses.replace(request_, corpora=corpora, bases={}, data_dir=tiny_config.paths.data_dir)
    cells = [fake(tmp_path, "one"), fake(tmp_path, "two")]
    assert execute(cells, here) == {}
    assert carry_out(cells, request, "here") == (scored(cells), {})
    assert "2 runs, 2 of them finished before" in capsys.readouterr().out
    assert [begun(cell) for cell in cells] == [1, 1]
    with pytest.raises(ValueError, match=r"^unknown corpus 'x'"):
        carry_out(cells, request_, "here")


def test_a_corpus_that_changed_is_refused_and_one_that_moved_is_not(tmp_path, request_, tiny_sources):
    def plan(source):
        corpora = parse_corpora([f"levels={source}"])
        request = dataclasses.replace(request_, corpora=corpora, bases={}, data_dir=str(source / "data"))
        carry_out([cell], request, "here")

    cell = fake(tmp_path, "one", corpora=["levels"])
    shutil.copytree(tiny_sources / "levels", tmp_path / "before")
    plan(tmp_path / "before")
    shutil.move(tmp_path / "before", tmp_path / "now")
    plan(tmp_path / "now")
    assert begun(cell) == 1
    table = tmp_path / "now" / "labels.csv"
    table.write_text(table.read_text().replace("0_loud_0.wav,loud", "0_loud_0.wav,soft"))
    with pytest.raises(ValueError, match=r"a run on other data: levels changed since then .*another --out"):
        plan(tmp_path / "now")
    assert begun(cell) == 1


def test_a_folder_that_does_not_say_its_data_is_refused(tmp_path):
    cell = fake(tmp_path, "one")
    cell.folder.mkdir()
    (cell.folder / "cell.json").write_text(json.dumps(cell.order))
    with pytest.raises(ValueError, match=r"begun by an older emojax.*give another --out"):
        cell.is_finished()


def test_labels_without_levels_are_refused_before_the_first_run(request_, tiny_config, tiny_paths):
    corpora = parse_corpora(tiny_config.paths.corpora.split(","))
    request = dataclasses.replace(request_, corpora=corpora, bases={}, data_dir=tiny_config.paths.data_dir)
    with pytest.raises(ValueError, match=r"tones: high, low, middle; levels: loud, soft.*--label_words"):
        carry_out(transfer_cells(request, ["scratch", "valence"]), request, "here")
    assert not (request.out / "runs" / "scratch").exists()


def test_what_cannot_be_divided_is_refused_before_the_first_run(
    request_, tiny_config, tiny_sources, tmp_path
):
    rows = (tiny_sources / "tones" / "labels.csv").read_text().splitlines()
    (tmp_path / "two").mkdir()
    kept = [row for row in rows if row.startswith(("file", "0_", "1_"))]
    (tmp_path / "two" / "labels.csv").write_text("\n".join(kept))
    for wav in [*tiny_sources.glob("tones/0_*"), *tiny_sources.glob("tones/1_*")]:
        shutil.copy(wav, tmp_path / "two")
    corpora = parse_corpora([tiny_config.paths.corpora.split(",")[1], f"two={tmp_path / 'two'}"])
    request = dataclasses.replace(request_, corpora=corpora, bases={}, data_dir=str(tmp_path / "data"))
    with pytest.raises(ValueError, match=r"^corpus two: .*three speakers"):
        carry_out(transfer_cells(request, ["scratch", "all"]), request, "here")
    assert not (request.out / "runs" / "scratch").exists()


def test_speakers_that_cannot_be_normalised_are_refused_before_the_first_run(
    request_, tiny_sources, tmp_path
):
    shutil.copytree(tiny_sources / "tones", tmp_path / "mute")
    table = tmp_path / "mute" / "labels.csv"
    table.write_text("\n".join(row.rpartition(",")[0] for row in table.read_text().splitlines()))
    corpora = parse_corpora([f"levels={tiny_sources / 'levels'}", f"mute={tmp_path / 'mute'}"])
    places = {"corpora": corpora, "bases": {}, "data_dir": str(tmp_path / "data")}
    request = dataclasses.replace(request_, **places, speaker_normalisation=True)
    features = FeatureSet("noise", "noise", {}, lambda *_: pytest.fail("extracted"))

    cells = [request.svm(features, name, 0) for name in corpora]
    with pytest.raises(ValueError, match=r"the speaker of every clip, which mute does not name; .*leave"):
        carry_out(cells, request, "here")
    assert not any(cell.folder.exists() for cell in cells)


def test_all_that_preparing_says_is_said(request_, tmp_path):
    request = dataclasses.replace(
        request_, corpora=parse_corpora(["emodb"]), bases={}, source_dir=str(tmp_path)
    )
    with pytest.raises(ValueError, match=rf"(?s){tmp_path}.*(put|give|--source_dir)"):
        carry_out([fake(tmp_path, "one")], request, "here")


def test_several_run_at_a_time(tmp_path):
    engine = make_engine("local:2", tmp_path / "jobs")
    # Each waits for the other one, so that they only end if both run.
    wait = "import os, time\nwhile not os.path.exists({!r}): time.sleep(0.05)"
    cells = [
        fake(
            tmp_path,
            name,
            f"open({str(tmp_path / name / 'here')!r}, 'w')\n" + wait.format(str(tmp_path / other / "here")),
        )
        for name, other in (("a", "b"), ("b", "a"))
    ]
    cells += [fake(tmp_path, "bad", "raise SystemExit('broken')"), fake(tmp_path, "c", after=["a", "b"])]
    failed = execute(cells, engine)
    assert list(failed) == ["bad"]
    assert failed["bad"].startswith("broken; exit status 1 (all of it: ")
    assert [cell.is_finished() for cell in cells] == [True, True, False, True]


def test_what_an_engine_refuses_fails_alone(tmp_path):
    def submit(command):
        raise RuntimeError("QOSMaxSubmitJobPerUserLimit")

    cells = [fake(tmp_path, "one"), fake(tmp_path, "on_one", after=["one"])]
    failed = execute(cells, module.Engine(submit, 1))
    assert failed == {
        "one": "could not be begun: QOSMaxSubmitJobPerUserLimit",
        "on_one": "needs one, which failed",
    }


def test_what_cannot_be_compared_is_refused_before_hours_of_training(request_, tmp_path):
    alone = dataclasses.replace(request_, bases={})
    with pytest.raises(ValueError, match="--settings=all has nothing to be compared with"):
        transfer_cells(alone, ["all"])
    other = tmp_path / "other.py"
    other.write_text(
        (ROOT / "configs" / "adapt.py").read_text().replace("return", "config.partition = 'fold:1/5'; return")
    )
    with pytest.raises(ValueError, match=r"divide the corpora differently .*other.py: fold:1/5"):
        transfer_cells(dataclasses.replace(request_, tune_config=str(other)), [])


def test_a_run_on_another_base_is_another_run_and_one_at_another_place_is_not(request_):
    def orders(**changes):
        cells = transfer_cells(dataclasses.replace(request_, **changes), ["scratch", "all"])
        return {cell.name: cell.order for cell in cells}

    here, wider = orders(), orders(config="configs/multi_corpus.py")
    assert here[f"all/tuned{BOTH}_seed0"] != wider[f"all/tuned{BOTH}_seed0"]
    assert here["scratch/x_seed0"] == wider["scratch/x_seed0"]
    moved = orders(corpora=parse_corpora(["x", "y=other.csv"]))
    assert here == moved


def test_a_run_depends_on_the_data_of_what_it_begins_at(request_):
    cells = {cell.name: cell for cell in transfer_cells(request_, ["scratch", "all"])}
    assert set(cells[f"from_z/head{BOTH}_seed0"].data) == {"x", "y", "z"}
    assert set(cells["scratch/y_seed0"].data) == {"y"}


SLURM = {
    # Runs what the batch file held behind our back, as a node would; submitit moves the file at once.
    "sbatch": """#!/bin/sh
        id=$$; script=$(cat "$1")
        (SLURM_JOB_ID=$id SLURM_JOB_NUM_NODES=1 SLURM_NTASKS=1 SLURM_PROCID=0 SLURM_LOCALID=0 \\
        SLURM_NODEID=0 SLURM_JOB_NODELIST=node1 sh -c "$script" >/dev/null 2>&1 </dev/null &)
        echo "Submitted batch job $id"
    """,
    "srun": """#!/bin/sh
        while [ "${1#--}" != "$1" ]; do case $1 in --output|--error) shift 2;; *) shift;; esac; done
        exec "$@"
    """,
    "sacct": "#!/bin/sh\necho 'JobID|State|NodeList'\n",
    "scancel": "#!/bin/sh\n",
}


def test_a_cluster_runs_them_through_sbatch(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason='needs submitit: pip install "emojax[cluster]"')
    for name, script in SLURM.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    engine = make_engine("slurm:timeout_min=7,slurm_partition=fast", tmp_path / "jobs")
    cells = [fake(tmp_path, "good"), fake(tmp_path, "bad", "raise SystemExit('broken')")]
    assert list(execute(cells, engine)) == ["bad"]
    assert cells[0].is_finished()
    (batch, *_) = (tmp_path / "jobs").glob("*.sh")
    assert "#SBATCH --partition=fast" in batch.read_text()
    with pytest.raises(ValueError, match=r"--engine=slurm: .*nonsense"):
        make_engine("slurm:nonsense=1", tmp_path / "jobs")


@pytest.mark.parametrize("text", ["", "nope", "local", "local:0", "local:many", "here:2"])
def test_an_unknown_engine_is_an_error_with_the_choices(text, tmp_path):
    with pytest.raises(ValueError, match=r"choose of here, local:2 .* or slurm"):
        make_engine(text, tmp_path)


@pytest.mark.skipif(shutil.which("srun") is not None, reason="there is a SLURM here")
def test_no_slurm_is_one_clear_error(tmp_path):
    pytest.importorskip("submitit", reason='needs submitit: pip install "emojax[cluster]"')
    with pytest.raises(ValueError, match=r"--engine=slurm: .*srun"):
        make_engine("slurm:timeout_min=60", tmp_path)


@pytest.mark.parametrize("items", [["x", "x=y.csv"], ["synthetic"], ["../x"]])
def test_corpora_need_names_of_their_own(items):
    with pytest.raises(ValueError, match=items[-1].partition("=")[0]):
        parse_corpora(items)


@pytest.mark.parametrize("item", ["x", "x=here.csv"])
def test_a_base_of_a_corpus_s_name_has_its_path(item):
    with pytest.raises(ValueError, match=rf"--base_corpora=x=there.csv .* {item} of --corpora; give --base"):
        parse_bases(["x=there.csv"], {"x": item})
    assert parse_bases(["x", "y=there.csv"], {"x": item}) == {"x": item, "y": "y=there.csv"}
    assert parse_bases([item], {"x": item}) == {"x": item}


def test_a_file_that_is_no_config_is_refused():
    with pytest.raises(ValueError, match=r"train\.py is no config file .* there are"):
        read_config_file(str(ROOT / "compare.py").replace("compare.py", "no/train.py"))
