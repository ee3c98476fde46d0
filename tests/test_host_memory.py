"""Free memory is what a container or a cluster's job may use, not what the machine has."""

import psutil
import pytest

from emojax.host_memory import free_bytes, left_in_groups


@pytest.fixture
def groups(tmp_path):
    """A job of 1000 bytes in a slice of 5000, whose step has no limit of its own."""
    (tmp_path / "groups" / "slice" / "job" / "step").mkdir(parents=True)
    (tmp_path / "own").write_text("4:memory:/old\n0::/slice/job/step\n")
    for group, limit, used, cached in (
        ("slice", 5000, 1000, 0),
        ("slice/job", 1000, 700, 200),
        ("slice/job/step", "max", 700, 200),
    ):
        folder = tmp_path / "groups" / group
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"anon 9\ninactive_file {cached}\n")
    return tmp_path


def left(groups):
    return [*left_in_groups(groups / "own", groups / "groups")]


def test_each_limit_counts_and_cached_files_are_free(groups):
    assert left(groups) == [500, 4000]


def test_a_group_above_its_limit_has_nothing_left(groups):
    (groups / "groups" / "slice" / "job" / "memory.current").write_text("2000\n")
    assert left(groups) == [0, 4000]


def test_without_control_groups_the_host_decides(tmp_path):
    assert not [*left_in_groups(tmp_path / "none", tmp_path)]
    (tmp_path / "own").write_text("4:memory:/old\n")
    assert not [*left_in_groups(tmp_path / "own", tmp_path)]


def test_no_more_than_the_host_has():
    assert 0 <= free_bytes() <= psutil.virtual_memory().total
