"""Lists of files: each file once, inside one folder, with the listed size and checksum."""

import hashlib
import json

import pytest
from layouts import FILES, write_corpus
from publisher import md5, names

import datasets.download
from datasets import CorpusError
from datasets.download import fetch


@pytest.fixture
def cremad(publisher, offer, tmp_path):
    """CREMA-D, file by file, as tfds lists it; and one file that is no recording."""
    root = write_corpus("cremad", tmp_path / "made", *FILES["cremad"])
    lines = [f"{publisher.put('/other/summary.csv', b'')} 0 {'0' * 64}\n"]
    for file in FILES["cremad"]:
        content = (root / file).read_bytes()
        address = publisher.put(f"/data/{file}", content)
        lines.append(f"{address}\t{len(content)}\t{hashlib.sha256(content).hexdigest()}\t{file}\n")
    inside = publisher.put("/data", b"")
    text = "".join(lines).encode()
    return offer("cremad", text, path="/list.txt", checksum=md5(text), inside=inside, lists="tfds")


def test_listed_files_are_fetched_one_by_one_and_none_twice(cremad, publisher, tmp_path):
    wrong = "/data/AudioWAV/1001_DFA_ANG_XX.wav"
    right, publisher.files[wrong] = publisher.files[wrong], b"wrong"
    with pytest.raises(CorpusError, match=r"1001_DFA_ANG_XX\.wav: cannot be fetched: SHA256"):
        fetch(cremad, tmp_path / "cremad")
    assert not (tmp_path / "cremad").exists()
    here = list((tmp_path / ".cremad.download").rglob("0.files/*"))
    publisher.files[wrong] = right
    publisher.asked.clear()
    fetch(cremad, tmp_path / "cremad")
    assert names(tmp_path / "cremad") == sorted(FILES["cremad"])
    assert len(publisher.asked) == len(FILES["cremad"]) - len(here)
    modes = {path.stat().st_mode for path in (tmp_path / "cremad").rglob("*.wav")}
    (tmp_path / "any").touch()
    assert modes == {(tmp_path / "any").stat().st_mode}


def dataverse(*entries):
    return json.dumps({"data": {"latestVersion": {"files": entries}}}).encode()


def test_a_list_as_dataverse_gives_it(publisher, offer, tmp_path):
    root = write_corpus("tess", tmp_path / "made", *FILES["tess"])
    entries = []
    for number, file in enumerate(FILES["tess"]):
        content = (root / file).read_bytes()
        publisher.put(f"/api/access/datafile/{number}", content)
        folder, _, name = file.rpartition("/")
        checksum = {"type": "SHA-1", "value": hashlib.sha1(content).hexdigest()}
        data_file = {"id": number, "filename": name, "filesize": len(content), "checksum": checksum}
        entries.append({"dataFile": data_file, **({"directoryLabel": folder} if folder else {})})
    spec = offer(
        "tess",
        dataverse(*entries),
        path="/api/datasets/:persistentId/?persistentId=doi:1/2",
        lists="dataverse",
    )
    fetch(spec, tmp_path / "tess")
    assert names(tmp_path / "tess") == sorted(FILES["tess"])


def listed(algorithm, value, size=1):
    checksum = {"type": algorithm, "value": value}
    return dataverse(
        {"dataFile": {"id": 1, "filename": "a.wav", "filesize": size, "checksum": checksum}}
    )


@pytest.mark.parametrize(
    ("lists", "text"),
    [
        ("tfds", b"<html>\nplease log in</html>"),
        ("tfds", b"https://example.org/a.wav 1 unknown"),
        ("dataverse", b"<html>\nplease log in</html>"),
        ("dataverse", b"[" * 100_000),
        ("dataverse", listed("MD5", "")),
        ("dataverse", listed("MD5", "unknown")),
        ("dataverse", listed("MD5", "00")),
        ("dataverse", listed("shake_128", "00")),
        ("dataverse", listed("UNF", "0" * 32)),
        ("dataverse", listed(5, "0" * 32)),
        ("dataverse", listed("MD5", "0" * 32, size=float("inf"))),
        ("dataverse", listed("MD5", "0" * 32, size=-1)),
        ("dataverse", listed("MD5", "0" * 32, size=None)),
    ],
)
def test_what_is_no_list_with_checksums_is_refused(offer, tmp_path, lists, text):
    spec = offer("tess", text, lists=lists)
    with pytest.raises(CorpusError, match=f"no list of files as {lists} has them"):
        fetch(spec, tmp_path / "tess")
    assert names(tmp_path) == []


BAD_LISTS = {
    "leads out": (["%2e%2e/%2e%2e/x.wav"], "leads out"),
    "nothing at all": (["a%00b"], "control characters"),
    "half a character": (["a%c2%85.wav"], "control characters"),
    "a name twice": (["a.wav", "b.wav", "./a.wav"], "'a.wav' comes twice"),
    "a file and a folder": (["a", "a/b.wav"], "both a file and a folder"),
    "another's partial name": (
        ["a.wav", "a.wav.part"],
        r"'a\.wav\.part', which names a half-fetched file",
    ),
}


@pytest.mark.parametrize("kind", BAD_LISTS)
def test_a_list_with_names_that_cannot_be_meant_is_refused(offer, publisher, tmp_path, kind):
    files, message = BAD_LISTS[kind]
    lines = [
        f"{publisher.put(f'/a/{file}', b'x')} 1 {hashlib.sha256(b'x').hexdigest()}"
        for file in files
    ]
    spec = offer("tess", "\n".join(lines).encode(), lists="tfds", inside=publisher.put("/a", b""))
    with pytest.raises(CorpusError, match=message):
        fetch(spec, tmp_path / "tess")
    assert publisher.asked == ["/corpus.zip"]
    assert names(tmp_path) == []


def test_a_list_of_more_than_the_catalogue_says_is_refused(offer, publisher, tmp_path):
    text = f"{publisher.put('/a.wav', b'x')} 1000001 {'0' * 64}".encode()
    spec = offer("tess", text, lists="tfds", bytes=1_000_000)
    with pytest.raises(CorpusError, match="more than the 1000000 bytes that are known"):
        fetch(spec, tmp_path / "tess")
    assert publisher.asked == ["/corpus.zip"]


def test_a_listed_file_is_no_larger_than_its_list_says(offer, publisher, tmp_path):
    text = f"{publisher.put('/a.wav', b'xyz')} 2 {'0' * 64}".encode()
    with pytest.raises(
        CorpusError, match=r"a\.wav: cannot be fetched: it is larger than the 2 bytes"
    ):
        fetch(offer("tess", text, lists="tfds"), tmp_path / "tess")


def test_a_list_is_read_whole_only_where_it_is_no_file_of_recordings(offer, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.download, "_LIST_LIMIT_BYTES", 100)
    with pytest.raises(CorpusError, match="larger than the 100 bytes"):
        fetch(offer("tess", bytes(101), lists="tfds"), tmp_path / "tess")
