"""Untrusted archives: their files stay inside one folder and within bounds, or are removed."""

import stat
import zipfile

import pytest
from publisher import names, zipped

import datasets.unpack
import emojax.archives
from datasets import CorpusError
from datasets.download import fetch


def zip_link():
    info = zipfile.ZipInfo("wav/03a01Fa.wav")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


HOSTILE = {
    "zip, climbs": (zipped(("a.wav", "a"), ("../x.wav", "x")), "leads out"),
    "zip, climbs from within": (zipped(("wav/../../x.wav", "x")), "leads out"),
    "zip, absolute": (zipped(("/tmp/x.wav", "x")), "leads out"),
    "zip, climbs on Windows": (zipped(("wav\\..\\..\\x.wav", "x")), "leads out"),
    "zip, drive": (zipped(("C:/x.wav", "x")), "leads out"),
    "zip, link": (zipped((zip_link(), "/etc/passwd")), "is a link"),
    "zip, twice": (zipped(("wav/a.wav", "1"), ("wav/./a.wav", "2")), "comes twice"),
    "zip, file and folder": (zipped(("wav/a", "1"), ("wav/a/b", "2")), "both a file and a folder"),
    "zip, bomb": (zipped(("a.wav", bytes(10**7))), "more than 50 times"),
    "zip, bomb in disguise": (
        zipped(("a.wav", bytes(10**7))).replace(
            (10**7).to_bytes(4, "little"), (10**4).to_bytes(4, "little")
        ),
        "damaged",
    ),
    "zip, other packing": (
        zipped(("a.wav", "1"), packed=zipfile.ZIP_BZIP2),
        "otherwise than by deflate",
    ),
    "zip, password": (
        zipped(("a.wav", "x")).replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
        "is encrypted",
    ),
    "zip, control characters": (zipped(("wav/\x1b]0;x\x07.wav", "1")), "has control characters"),
    "zip, a long name": (zipped((f"{'a/' * 200}a.wav", "1")), "longer than 255 bytes"),
    "zip, a member within a member": (
        zipped(("a.wav", "x" * 50), ("b.wav", "y" * 50)).replace(b"b.wav", b"a.wav", 1),
        "damaged",
    ),
    "zip, a huge directory": (
        # The directory's length in the archive's last record.
        zipped(("a.wav", "1"))[:-10] + (2**31).to_bytes(4, "little") + bytes(6),
        "damaged",
    ),
    "zip, damaged": (
        zipped(("a.wav", bytes(range(256)))).replace(bytes(range(99, 120)), bytes(21)),
        "damaged",
    ),
    "zip, empty": (zipped(), "nothing in its folder"),
    "zip, a name that is no UTF-8": (
        zipped(("\u00e9.wav", "x")).replace("\u00e9".encode(), b"\xff\xff"),
        "damaged",
    ),
    "a page": (b"<html>please log in</html>", "is no zip archive"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_are_refused_and_leave_nothing(offer, tmp_path, kind):
    content, message = HOSTILE[kind]
    spec = offer("emodb", content)
    folder = tmp_path / "deep/down/corpora/emodb"
    with pytest.raises(CorpusError, match=message):
        fetch(spec, folder)
    assert not folder.exists()
    assert names(tmp_path) == []


def test_an_archive_of_too_many_files_is_refused(offer, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.unpack, "MAX_FILES", 2)
    fetch(offer("emodb", zipped(("1.wav", "1"), ("2.wav", "2"))), tmp_path / "few")
    more = zipped(("1.wav", "1"), ("2.wav", "2"), ("3.wav", "3"))
    with pytest.raises(CorpusError, match="3 files, and no corpus has more than 2"):
        fetch(offer("emodb", more, path="/more.zip"), tmp_path / "many")


def test_an_archive_whose_directory_does_not_fit_into_memory_is_refused(
    offer, tmp_path, monkeypatch
):
    monkeypatch.setattr(emojax.archives, "MAX_DIRECTORY_BYTES", 10_000)
    fetch(offer("emodb", zipped(("1.wav", bytes(range(256)) * 99))), tmp_path / "one")
    more = zipped(*((f"{i}.wav", "1") for i in range(300)))
    with pytest.raises(CorpusError, match="its directory is said to have"):
        fetch(offer("emodb", more, path="/more.zip"), tmp_path / "many")


def test_an_archive_without_the_expected_folder_says_what_it_holds(offer, tmp_path):
    with pytest.raises(CorpusError, match="nothing in its folder 'emodb'; it holds 'other'"):
        fetch(offer("emodb", zipped(("other/a.wav", "a")), inside="emodb"), tmp_path / "emodb")
