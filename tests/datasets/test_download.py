"""Fetching a corpus: whole, cut off, changed, hostile; from a server on this machine."""

import dataclasses
import hashlib
import http.server
import io
import json
import re
import shutil
import stat
import threading
import zipfile

import pytest
from layouts import FILES, write_corpus
from tqdm import tqdm

import datasets.transfer
from datasets import CorpusError, prepare
from datasets.download import fetch
from datasets.transfer import new_session, transfer
from datasets.unpack import unpack
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import Download, read_clips


class Publisher(http.server.ThreadingHTTPServer):
    """Serves ``files`` (path → bytes); may not know Range, and may break off after so many bytes."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {}
        self.asked = []
        self.knows_range = self.says_length = True
        self.breaks_off_at = []

    def put(self, path, content):
        """The address of some content."""
        self.files[path] = content
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        content = server.files.get(self.path)
        if content is None:
            return self.send_error(404)
        begin = int(re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))[1])
        begin = begin if server.knows_range else 0
        if begin and begin >= len(content):
            self.send_response(416)
            if server.says_length:
                self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self.wfile.write(content[begin : server.breaks_off_at.pop(0) if server.breaks_off_at else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def publisher(monkeypatch):
    monkeypatch.setattr(datasets.transfer, "_FIRST_PAUSE_S", 0)
    monkeypatch.setattr(datasets.transfer, "_CHUNK_BYTES", 100)
    with Publisher() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def offer(publisher, monkeypatch):
    """Put content at an address that the catalogue has for a corpus."""

    def offer(corpus, content, *, path="/corpus.zip", **download):
        download = Download(publisher.put(path, content), **download)
        spec = dataclasses.replace(CATALOGUE[corpus], downloads=(download,))
        monkeypatch.setitem(CATALOGUE, corpus, spec)
        return spec

    return offer


@pytest.fixture
def emodb(tmp_path):
    """EMO-DB's layout as an archive, with a folder around it."""
    root = write_corpus("emodb", tmp_path / "made/emodb", *FILES["emodb"]).parent
    return (tmp_path / shutil.make_archive(str(root), "zip", root)).read_bytes()


def md5(content):
    return f"md5:{hashlib.md5(content).hexdigest()}"


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_corpus_is_fetched_and_prepared(offer, emodb, tmp_path, capsys):
    spec = offer("emodb", emodb, checksum=md5(emodb), bytes=len(emodb), inside="emodb")
    folder = prepare("emodb", tmp_path / "corpora", tmp_path / "data", download=True)["emodb"]
    assert [clip.file for clip in read_clips(folder / "clips.csv")] == sorted(FILES["emodb"])
    assert names(tmp_path / "corpora") == [f"emodb/{file}" for file in sorted(FILES["emodb"])]
    assert [path.name for path in (tmp_path / "corpora").iterdir()] == ["emodb"]
    printed = capsys.readouterr().out
    for part in (spec.licence, spec.source, spec.citation, "fetching"):
        assert part in printed


def test_what_is_here_is_not_fetched(offer, publisher, tmp_path):
    offer("emodb", b"")
    write_corpus("emodb", tmp_path / "emodb", *FILES["emodb"])
    prepare("emodb", tmp_path, tmp_path / "data", download=True)
    shutil.rmtree(tmp_path / "emodb")
    prepare("emodb", tmp_path, tmp_path / "data", download=True)
    assert publisher.asked == []


def test_a_broken_connection_goes_on_where_it_was(offer, publisher, emodb, tmp_path):
    spec = offer("emodb", emodb, checksum=md5(emodb), inside="emodb")
    publisher.breaks_off_at = [1000, 2000]
    fetch(spec, tmp_path / "emodb")
    assert publisher.asked == [
        ("/corpus.zip", None),
        ("/corpus.zip", "bytes=1000-"),
        ("/corpus.zip", "bytes=2000-"),
    ]
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])


@pytest.mark.parametrize("knows_range", [True, False])
def test_the_next_command_goes_on_where_the_last_was_stopped(
    offer, publisher, emodb, tmp_path, monkeypatch, knows_range
):
    spec = offer("emodb", emodb, checksum=md5(emodb), inside="emodb")
    publisher.knows_range = knows_range
    publisher.breaks_off_at = [3000]
    monkeypatch.setattr(datasets.transfer.time, "sleep", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(spec, tmp_path / "emodb")
    assert not (tmp_path / "emodb").exists()
    fetch(spec, tmp_path / "emodb")
    assert [asked for _, asked in publisher.asked] == [None, "bytes=3000-"]
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])
    assert [path.name for path in tmp_path.iterdir() if "emodb" in path.name] == ["emodb"]


def _interrupt(_):
    raise KeyboardInterrupt


def test_a_server_that_never_sends_all_is_an_error_that_says_how_to_go_on(offer, publisher, emodb, tmp_path):
    spec = offer("emodb", emodb, checksum=md5(emodb), inside="emodb")
    publisher.breaks_off_at = [500, 1000, 1500, 2000, 2500]
    with pytest.raises(CorpusError, match="the same command goes on there"):
        fetch(spec, tmp_path / "emodb")
    fetch(spec, tmp_path / "emodb")
    assert publisher.asked[-1] == ("/corpus.zip", "bytes=2500-")


@pytest.mark.parametrize(
    ("more", "says_length", "requests"), [(b"more", True, 2), (b"", True, 1), (b"", False, 2)]
)
def test_a_part_is_begun_again_unless_it_is_as_long_as_the_file(
    offer, publisher, emodb, tmp_path, more, says_length, requests
):
    publisher.says_length = says_length
    url = publisher.put("/corpus.zip", emodb)
    part = tmp_path / "0.part"
    part.write_bytes(emodb + more)
    with new_session() as session, tqdm(disable=True) as bar:
        transfer(session, url, tmp_path / "0", md5(emodb), bar)
    assert (tmp_path / "0").read_bytes() == emodb
    assert len(publisher.asked) == requests


def test_what_came_by_another_entry_of_the_catalogue_is_not_taken(offer, publisher, emodb, tmp_path):
    old = offer("emodb", zipped(("old.wav", "old")), path="/old.zip")
    gone = Download(publisher.put("/gone.zip", b""))
    del publisher.files["/gone.zip"]
    with pytest.raises(CorpusError, match="404"):
        fetch(dataclasses.replace(old, downloads=(*old.downloads, gone)), tmp_path / "emodb")
    assert list((tmp_path / ".emodb.download").rglob("content/old.wav"))
    fetch(offer("emodb", emodb, checksum=md5(emodb), inside="emodb"), tmp_path / "emodb")
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])
    assert not (tmp_path / ".emodb.download").exists()


def test_of_a_damaged_archive_nothing_stays_and_the_others_are_unpacked_again(offer, publisher, tmp_path):
    good = zipped(("a.wav", "a"))
    bad = zipped(("b.wav", "b"), ("c.wav", bytes(range(256)))).replace(bytes(range(99, 120)), bytes(21))
    spec = offer("emodb", good)
    second = Download(publisher.put("/second.zip", bad))
    spec = dataclasses.replace(spec, downloads=(*spec.downloads, second))
    with pytest.raises(CorpusError, match="damaged"):
        fetch(spec, tmp_path / "emodb")
    assert list(tmp_path.rglob("*.wav")) == []
    publisher.files["/second.zip"] = zipped(("d.wav", "d"))
    fetch(spec, tmp_path / "emodb")
    assert names(tmp_path / "emodb") == ["a.wav", "d.wav"]
    assert len(publisher.asked) == 3


def test_an_address_without_a_file_is_asked_once(offer, publisher, tmp_path):
    spec = offer("emodb", b"")
    publisher.files.clear()
    with pytest.raises(CorpusError, match="404"):
        fetch(spec, tmp_path / "emodb")
    assert len(publisher.asked) == 1


def test_another_checksum_is_an_error_and_the_file_is_gone(offer, emodb, tmp_path):
    spec = offer("emodb", emodb, checksum=md5(b"as published"), inside="emodb")
    with pytest.raises(
        CorpusError, match=f"md5 is {md5(emodb)[4:]}, and {md5(b'as published')[4:]} is expected"
    ):
        fetch(spec, tmp_path / "emodb")
    assert not (tmp_path / "emodb").exists()
    assert names(tmp_path / ".emodb.download") == []


def test_where_no_checksum_is_published_the_first_download_is_trusted_and_no_other(
    offer, emodb, tmp_path, capsys
):
    spec = offer("emodb", emodb, inside="emodb")
    fetch(spec, tmp_path / "emodb")
    noted = (tmp_path / "downloads.sha256").read_text()
    assert noted == f"{hashlib.sha256(emodb).hexdigest()}  {spec.downloads[0].address}\n"
    assert "not verified" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "emodb")
    fetch(spec, tmp_path / "emodb")
    shutil.rmtree(tmp_path / "emodb")
    offer("emodb", emodb + b"\0", inside="emodb")
    with pytest.raises(CorpusError, match="the publisher has changed the file"):
        fetch(spec, tmp_path / "emodb")
    assert not (tmp_path / "emodb").exists()
    assert (tmp_path / "downloads.sha256").read_text() == noted


def test_too_little_space_is_an_error_before_anything_is_fetched(offer, publisher, tmp_path, monkeypatch):
    spec = offer("emodb", b"", bytes=10**15)
    with pytest.raises(CorpusError, match=r"not enough space .*: 2000000000 MB are needed"):
        fetch(spec, tmp_path / "corpora/emodb")
    assert publisher.asked == []
    assert list((tmp_path / "corpora").iterdir()) == []


def test_a_size_that_only_the_server_knows_is_compared_with_the_space(offer, tmp_path, monkeypatch):
    spec = offer("emodb", b"12345")
    free = shutil.disk_usage(tmp_path)._replace(free=4)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free)
    with pytest.raises(CorpusError, match="not enough space"):
        fetch(spec, tmp_path / "emodb")


def test_a_full_disk_never_costs_an_archive_that_is_here(offer, publisher, emodb, tmp_path, monkeypatch):
    spec = offer("emodb", emodb, checksum=md5(emodb), inside="emodb")
    with monkeypatch.context() as full:
        free = shutil.disk_usage(tmp_path)._replace(free=len(emodb) + 1)
        full.setattr(shutil, "disk_usage", lambda folder: free)
        with pytest.raises(CorpusError, match="not enough space"):
            fetch(spec, tmp_path / "emodb")
    fetch(spec, tmp_path / "emodb")
    assert len(publisher.asked) == 1
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])


def test_what_is_unpacked_already_needs_no_space(emodb, tmp_path, monkeypatch):
    (tmp_path / "emodb.zip").write_bytes(emodb)
    (tmp_path / "content").mkdir()
    unpack(tmp_path / "emodb.zip", tmp_path / "content")
    free = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free)
    unpack(tmp_path / "emodb.zip", tmp_path / "content")
    with pytest.raises(CorpusError, match="not enough space"):
        unpack(tmp_path / "emodb.zip", tmp_path)


def test_a_folder_that_cannot_be_written_is_one_error(offer, tmp_path):
    (tmp_path / "corpora").write_text("a file")
    with pytest.raises(CorpusError, match=r"emodb: .*corpora.*the same command goes on there"):
        fetch(offer("emodb", b""), tmp_path / "corpora/emodb")


def test_a_corpus_that_cannot_be_fetched_says_where_to_ask_before_any_other_is_fetched(
    offer, publisher, emodb, tmp_path
):
    offer("emodb", emodb, inside="emodb")
    spec = CATALOGUE["savee"]
    with pytest.raises(CorpusError) as error:
        prepare("emodb,savee", tmp_path, tmp_path / "data", download=True)
    assert str(error.value) == (
        f"savee: cannot be fetched from here; ask for it at {spec.source} (licence: {spec.licence})"
    )
    assert publisher.asked == []


def zipped(*members):
    """A zip of pairs: name, or description, and content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return buffer.getvalue()


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
    "zip, file and folder": (zipped(("wav/a", "1"), ("wav/a/b", "2")), "damaged"),
    "zip, bomb": (zipped(("a.wav", bytes(10**7))), "more than 50 times"),
    "zip, bomb in disguise": (
        zipped(("a.wav", bytes(10**7))).replace((10**7).to_bytes(4, "little"), (10**4).to_bytes(4, "little")),
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


def test_an_archive_without_the_expected_folder_says_what_it_holds(offer, tmp_path):
    with pytest.raises(CorpusError, match="nothing in its folder 'emodb'; it holds other"):
        fetch(offer("emodb", zipped(("other/a.wav", "a")), inside="emodb"), tmp_path / "emodb")


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
    with pytest.raises(CorpusError, match=r"1001_DFA_ANG_XX\.wav: sha256 is"):
        fetch(cremad, tmp_path / "cremad")
    assert not (tmp_path / "cremad").exists()
    here = list((tmp_path / ".cremad.download").rglob("*.wav"))
    publisher.files[wrong] = right
    publisher.asked.clear()
    fetch(cremad, tmp_path / "cremad")
    assert names(tmp_path / "cremad") == sorted(FILES["cremad"])
    assert len(publisher.asked) == len(FILES["cremad"]) - len(here)


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


def listed(algorithm, value):
    checksum = {"type": algorithm, "value": value}
    return dataverse({"dataFile": {"id": 1, "filename": "a.wav", "filesize": 1, "checksum": checksum}})


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
    ],
)
def test_what_is_no_list_with_checksums_is_refused(offer, tmp_path, lists, text):
    spec = offer("tess", text, lists=lists)
    with pytest.raises(CorpusError, match=f"is no list of files as {lists} has them"):
        fetch(spec, tmp_path / "tess")
    assert names(tmp_path) == []


def test_a_listed_name_that_leads_out_is_refused(offer, publisher, tmp_path):
    text = f"{publisher.put('/a/%2e%2e/%2e%2e/x.wav', b'x')} 1 {'0' * 64}".encode()
    spec = offer("tess", text, lists="tfds", inside=publisher.put("/a", b""))
    with pytest.raises(CorpusError, match="leads out"):
        fetch(spec, tmp_path / "tess")
