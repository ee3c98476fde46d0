import pytest

from emojax.corpora.columns import COLUMNS_FILE, parse_columns, read_columns, write_columns


def test_what_is_written_is_read_and_not_written_again(tmp_path):
    table = {
        "a, b.wav": {"mood": 'calm\nand "quiet"', "level": ""},
        "c.wav": {"mood": "", "level": "1"},
    }
    assert read_columns(tmp_path) == {}
    write_columns(tmp_path, {"c.wav": {}})
    assert not (tmp_path / COLUMNS_FILE).exists()
    write_columns(tmp_path, table)
    assert read_columns(tmp_path) == table
    before = (tmp_path / COLUMNS_FILE).stat().st_ino
    write_columns(tmp_path, table)
    assert (tmp_path / COLUMNS_FILE).stat().st_ino == before


@pytest.mark.parametrize("columns", ["calls", ":mood", "calls:", "calls:a+", "calls:a+a"])
def test_another_form_is_refused(columns):
    with pytest.raises(ValueError, match="give CORPUS:COLUMN"):
        parse_columns(columns)


def test_a_domain_is_named_once_and_labels_stand_alone():
    with pytest.raises(ValueError, match="there twice"):
        parse_columns("calls:mood,calls:mood")
    with pytest.raises(ValueError, match="a domain of their own: calls:label"):
        parse_columns("calls:label+level")
