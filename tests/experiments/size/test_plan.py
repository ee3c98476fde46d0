import dataclasses

import pytest

from emojax.experiments.size.plan import parse_numbers, size_jobs


def test_each_size_leaves_each_fold_of_all_corpora_out_once(spec):
    jobs = [*size_jobs(spec, [8, 16], [1, 2], 3)]
    keys = "width", "depth", "partition", "domains"
    folds = [f"fold:{i}/3" for i in (1, 2, 3)]
    asked = [tuple(job.config[key] for key in keys) for job in jobs]
    assert asked == [(w, d, fold, "corpora") for w in (8, 16) for d in (1, 2) for fold in folds]
    assert all(job.corpora == ["tones", "levels"] for job in jobs)
    assert len({job.folder for job in jobs}) == len(jobs)
    assert [*jobs[4].results.values()] == ["width 8, depth 2"]
    assert {"--config.width=8", "--config.depth=2", "--config.partition=fold:2/3"} <= {
        *jobs[4].commands[0]
    }
    seeded = [*size_jobs(dataclasses.replace(spec, seeds=[1, 2]), [8], [1], 7)]
    assert [job.config["seed"] for job in seeded] == [1] * 5 + [2] * 5  # of five speakers each


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], r"^--widths=; give whole numbers from 1 on, as in --widths=1,2$"),
        (["8", "0"], "^--widths=8,0; give whole numbers from 1 on"),
        (["-8"], "^--widths=-8; give whole"),
        (["8.5"], r"^--widths=8\.5; give whole"),
        (["8", "wide"], "^--widths=8,wide; give whole"),
        (["8", "16", "08"], "^--widths=8,16,08; give each number once, as in"),
    ],
)
def test_numbers_that_are_no_sizes_are_refused(items, message):
    with pytest.raises(ValueError, match=message):
        parse_numbers("widths", items)


def test_a_network_without_width_and_depth_is_refused_before_anything_is_prepared(spec, tmp_path):
    other = dataclasses.replace(spec, config="configs/cnn_lstm.py", corpora={"nowhere": "nowhere"})
    with pytest.raises(
        ValueError, match=r"'cnn_lstm', which has no width .* adapter_resnet or fusion$"
    ):
        next(size_jobs(other, [8], [1], 3))
    with pytest.raises(ValueError, match=r"width=5000; give a whole number from 1 to 4,096"):
        next(size_jobs(spec, [8, 5000], [1], 3))
    based = tmp_path / "based.py"
    based.write_text(
        "from configs import adapt\n\ndef get_config():\n"
        "    config = adapt.get_config()\n    config.base = 'mine'\n    return config\n"
    )
    with pytest.raises(ValueError, match=r"based\.py has base='mine', which has a size already"):
        next(size_jobs(dataclasses.replace(spec, config=str(based)), [8], [1], 3))
