"""What a person asks for, and jobs that train nothing."""

from pathlib import Path

import pytest
from minimal_manifest import MANIFEST

from emojax.checkpoints import Checkpoints
from emojax.experiments.corpus_arguments import parse_corpora
from emojax.experiments.launch.job import Job
from emojax.experiments.launch.scheduler import make_engine
from emojax.experiments.launch.spec import Spec


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[3])
    return Spec(
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


@pytest.fixture
def fake(tmp_path):
    """A function that makes a job, which counts its starts, does something, and leaves results."""

    def make(name, code="", after=(), corpora=()):
        folder = tmp_path / name
        count = f"open({str(folder / 'begun')!r}, 'a').write('x')"
        leave = f"open({str(folder / 'results.json')!r}, 'w').write('{{}}')"
        commands = [("-c", f"{count}; {code}"), ("-c", leave)]
        return Job(
            name,
            folder,
            commands,
            {folder: name},
            {"partition": "default", "seed": 0},
            corpora,
            after,
        )

    return make


@pytest.fixture
def save():
    """A function that writes a network's manifest: settings of a job and a digest of its data."""

    def manifest_of(job, digest):
        base = {"base": manifest_of(job.after[0], digest)} if job.after else {}
        partitions = {name: {"protocol": "any", "digest": digest} for name in job.corpora}
        return {"config": {**job.config, "base": "moved"}, "partitions": partitions, **base}

    def save_manifest(job, digest="1"):
        checkpoints = Checkpoints(job.folder)
        checkpoints.save(1, {}, {**MANIFEST, **manifest_of(job, digest)})
        checkpoints.close()

    return save_manifest


@pytest.fixture
def begun():
    """A function that says how often a fake job began."""

    def count(job):
        path = job.folder / "begun"
        return len(path.read_text()) if path.exists() else 0

    return count
