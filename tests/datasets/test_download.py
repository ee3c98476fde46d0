"""Fetching a corpus: whole, cut off, changed, hostile; from a server on this machine."""

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import io
import json
import shutil
import stat
import threading
import time
import tracemalloc
import zipfile
from pathlib import Path

import pooch
import pytest
import requests
from layouts import FILES, write_corpus

import datasets.download
import datasets.unpack
import emojax.archives
import emojax.download
from datasets import CorpusError, prepare
from datasets.download import fetch
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import Download, read_clips


class Publisher(http.server.ThreadingHTTPServer):
    """Serves ``files`` (path → bytes), or lets a function of ``answers`` (path → function) say anything."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.answers = {}, {}
        self.asked = []
        self.breaks_off_at = []

    def put(self, path, content):
        """The address of some content."""
        self.files[path] = content
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        self.server.asked.append(self.path)
        with contextlib.suppress(OSError):
            self.server.answers.get(self.path, self.answer)(self)

    def answer(self, _):
        content = self.server.files.get(self.path)
        if content is None:
            return self.send_error(404)
        self.send(content, cut=self.server.breaks_off_at.pop(0) if self.server.breaks_off_at else None)

    def send(self, content, status=200, cut=None, **headers):
        self.send_response(status)
        for name, value in ({"Content_Length": len(content)} | headers).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content[:cut])

    def send_without_end(self, status=200, **headers):
        """Chunks for as long as somebody reads them, and two hundred megabytes at most."""
        self.send_response(status)
        for name, value in ({"Transfer_Encoding": "chunked"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        for _ in range(200):
            self.wfile.write(b"%x\r\n%s\r\n" % (10**6, bytes(10**6)))

    def log_message(self, *_):
        pass


@pytest.fixture
def publisher(monkeypatch):
    monkeypatch.setattr(emojax.download, "_RETRIES", 0)
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
def emodb(tmp_path_factory):
    """EMO-DB's layout as an archive, with a folder around it."""
    root = tmp_path_factory.mktemp("made")
    write_corpus("emodb", root / "emodb", *FILES["emodb"])
    return Path(shutil.make_archive(str(root), "zip", root)).read_bytes()


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


def test_a_broken_connection_is_tried_again_from_the_start(offer, publisher, emodb, tmp_path, monkeypatch):
    spec = offer("emodb", emodb, checksum=md5(emodb), inside="emodb")
    publisher.breaks_off_at = [1000]
    monkeypatch.setattr(emojax.download, "_RETRIES", 1)
    monkeypatch.setattr(pooch.core.time, "sleep", lambda _: None)
    fetch(spec, tmp_path / "emodb")
    assert publisher.asked == ["/corpus.zip", "/corpus.zip"]
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])


def test_of_a_file_that_never_comes_whole_nothing_stays(offer, publisher, emodb, tmp_path):
    spec = offer("emodb", emodb, inside="emodb")
    publisher.breaks_off_at = [3000]
    with pytest.raises(CorpusError, match=r"cannot be fetched: .*give the same command again"):
        fetch(spec, tmp_path / "emodb")
    assert names(tmp_path) == []
    fetch(spec, tmp_path / "emodb")
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])


def test_a_download_that_is_interrupted_leaves_nothing_half(offer, emodb, tmp_path, monkeypatch):
    spec = offer("emodb", emodb, inside="emodb")

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(emojax.download._BoundedFile, "write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch(spec, tmp_path / "emodb")
    assert names(tmp_path) == []
    fetch(spec, tmp_path / "emodb")
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])
    assert not (tmp_path / ".emodb.download").exists()


def test_what_came_by_another_entry_of_the_catalogue_is_not_taken(offer, publisher, emodb, tmp_path):
    old = offer("emodb", zipped(("old.wav", "old")), path="/old.zip")
    gone = Download(publisher.put("/gone.zip", b""))
    del publisher.files["/gone.zip"]
    with pytest.raises(CorpusError, match="404"):
        fetch(dataclasses.replace(old, downloads=(*old.downloads, gone)), tmp_path / "emodb")
    assert list((tmp_path / ".emodb.download").rglob("0"))
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


HUGE_GZIP = gzip.compress(bytes(4 * 10**7))
LIES = {
    "no file": (lambda http: http.send_error(404), "404"),
    "an escape in the reason": (lambda http: http.send_error(404, "\x1b]0;x\x07"), r"404 \\x1b\]0;x\\x07;"),
    "a broken server": (lambda http: http.send_error(500), "500"),
    "no answer": (lambda http: http.rfile.close(), "cannot be fetched"),
    "no HTTP": (lambda http: http.wfile.write(b"hello\r\n\r\n"), "cannot be fetched"),
    "a silent server": (lambda http: time.sleep(1), "timed out"),
    "a length that is none": (lambda http: http.send(b"x", Content_Length="abc"), "'abc' bytes"),
    "a negative length": (lambda http: http.send(b"x", Content_Length="-1"), "'-1' bytes"),
    "a length beyond the limit": (lambda http: http.send(b"x", Content_Length=10**16), "larger than"),
    "more than it says": (lambda http: http.send(b"x" * 10, Content_Length=11), "cannot be fetched"),
    "a part of it": (lambda http: http.send(b"x", 206, Content_Range="bytes 0-0/10"), "206"),
    "nothing": (lambda http: http.send(b"", 204), "204"),
    "no end": (lambda http: http.send_without_end(), "larger than the 1000000 bytes"),
    "compressed": (lambda http: http.send(HUGE_GZIP, Content_Encoding="gzip"), "compressed"),
    "a circle": (lambda http: http.send(b"", 302, Location="/corpus.zip"), "redirects"),
    "a way to a file": (lambda http: http.send(b"", 302, Location="file:///etc/passwd"), "file:///etc"),
    "a way to no address": (lambda http: http.send(b"", 302, Location="http://[::bad/"), "cannot be fetched"),
    "a way to no host": (
        lambda http: http.send(b"", 302, Location=f"http://{'a' * 70}.example/"),
        "cannot be fetched",
    ),
    "a way that never ends": (
        lambda http: http.send_without_end(302, Location="/nowhere"),
        "404",
    ),
    "a way to packed gigabytes": (
        lambda http: http.send(HUGE_GZIP, 302, Location="/nowhere", Content_Encoding="gzip"),
        "404",
    ),
}


@pytest.mark.parametrize("kind", LIES)
def test_a_server_that_lies_is_one_error_and_leaves_nothing(offer, publisher, tmp_path, monkeypatch, kind):
    answer, message = LIES[kind]
    monkeypatch.setattr(emojax.download, "_TIMEOUT_S", 0.3)
    monkeypatch.setattr(datasets.download, "LIMIT_BYTES", 10**6)
    spec = offer("emodb", b"")
    publisher.answers["/corpus.zip"] = answer
    tracemalloc.start()
    with pytest.raises(CorpusError, match=message) as error:
        fetch(spec, tmp_path / "emodb")
    assert tracemalloc.get_traced_memory()[1] < 2 * 10**7
    tracemalloc.stop()
    assert str(error.value).isprintable()
    assert names(tmp_path) == []


def test_an_encrypted_address_never_leads_to_one_that_is_not():
    answer = requests.Response()
    answer.url, answer.status_code = "http://example.org/corpus.zip", 200
    downloader = emojax.download._Downloader(1, progressbar=False)
    downloader._scheme = "https"
    with pytest.raises(OSError, match="not encrypted"):
        downloader._check(answer)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_the_server_refuses_is_asked_for_once(offer, publisher, tmp_path, monkeypatch, status):
    monkeypatch.setattr(emojax.download, "_RETRIES", 5)
    spec = offer("emodb", b"")
    publisher.answers["/corpus.zip"] = lambda http: http.send_error(status)
    with pytest.raises(CorpusError, match=str(status)):
        fetch(spec, tmp_path / "emodb")
    assert len(publisher.asked) == 1


def test_no_more_than_the_catalogue_says_is_written(offer, publisher, tmp_path, monkeypatch):
    spec = offer("emodb", b"", bytes=3 * 10**6)
    publisher.answers["/corpus.zip"] = lambda http: http.send_without_end()
    written = []
    write = emojax.download._BoundedFile.write
    monkeypatch.setattr(
        emojax.download._BoundedFile, "write", lambda file, chunk: written.append(write(file, chunk))
    )
    with pytest.raises(CorpusError, match="larger than the 3000000 bytes"):
        fetch(spec, tmp_path / "emodb")
    assert 2 * 10**6 < sum(written) <= 3 * 10**6


def test_another_checksum_is_an_error_and_the_file_is_gone(offer, emodb, tmp_path):
    spec = offer("emodb", emodb, checksum=md5(b"as published"), inside="emodb")
    with pytest.raises(CorpusError, match=f"expected {md5(b'as published')} but got {md5(emodb)[4:]}"):
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
    with pytest.raises(CorpusError, match=r"take its line out of .*downloads\.sha256"):
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


def test_a_folder_that_cannot_be_written_is_one_error(offer, tmp_path):
    (tmp_path / "corpora").write_text("a file")
    with pytest.raises(CorpusError, match=r"emodb: .*corpora.*give the same command again"):
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


def zipped(*members, packed=zipfile.ZIP_DEFLATED):
    """A zip of pairs: name, or description, and content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed) as archive:
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
    "zip, file and folder": (zipped(("wav/a", "1"), ("wav/a/b", "2")), "both a file and a folder"),
    "zip, bomb": (zipped(("a.wav", bytes(10**7))), "more than 50 times"),
    "zip, bomb in disguise": (
        zipped(("a.wav", bytes(10**7))).replace((10**7).to_bytes(4, "little"), (10**4).to_bytes(4, "little")),
        "damaged",
    ),
    "zip, other packing": (zipped(("a.wav", "1"), packed=zipfile.ZIP_BZIP2), "otherwise than by deflate"),
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


def test_an_archive_whose_directory_does_not_fit_into_memory_is_refused(offer, tmp_path, monkeypatch):
    monkeypatch.setattr(emojax.archives, "MAX_DIRECTORY_BYTES", 10_000)
    fetch(offer("emodb", zipped(("1.wav", bytes(range(256)) * 99))), tmp_path / "one")
    more = zipped(*((f"{i}.wav", "1") for i in range(300)))
    with pytest.raises(CorpusError, match="its directory is said to have"):
        fetch(offer("emodb", more, path="/more.zip"), tmp_path / "many")


def test_an_archive_that_turns_out_damaged_is_fetched_anew(offer, publisher, tmp_path):
    spec = offer("emodb", zipped(("a.wav", bytes(range(256)))).replace(bytes(range(99, 120)), bytes(21)))
    with pytest.raises(CorpusError, match="damaged"):
        fetch(spec, tmp_path / "emodb")
    publisher.files["/corpus.zip"] = zipped(("a.wav", bytes(range(256))))
    fetch(spec, tmp_path / "emodb")
    assert (tmp_path / "emodb/a.wav").read_bytes() == bytes(range(256))


def test_an_archive_that_was_damaged_on_the_disk_is_fetched_anew(offer, publisher, emodb, tmp_path):
    spec = offer("emodb", emodb, checksum=md5(emodb), inside="emodb")
    gone = Download(publisher.put("/gone.zip", emodb), inside="emodb")
    spec = dataclasses.replace(spec, downloads=(*spec.downloads, gone))
    del publisher.files["/gone.zip"]
    with pytest.raises(CorpusError, match="404"):
        fetch(spec, tmp_path / "emodb")
    (kept,) = (tmp_path / ".emodb.download").rglob("0")
    kept.write_bytes(emodb[:1000])
    publisher.put("/gone.zip", zipped(("emodb/more.wav", "1")))
    fetch(spec, tmp_path / "emodb")
    assert names(tmp_path / "emodb") == ["more.wav", *sorted(FILES["emodb"])]


def test_of_two_that_fetch_one_corpus_neither_leaves_half_of_it(offer, emodb, tmp_path, monkeypatch):
    spec = offer("emodb", emodb, checksum=md5(emodb), inside="emodb")
    unpack = datasets.download.unpack

    def unpack_after_another(*arguments):
        monkeypatch.setattr(datasets.download, "unpack", unpack)
        fetch(spec, tmp_path / "emodb")
        unpack(*arguments)

    monkeypatch.setattr(datasets.download, "unpack", unpack_after_another)
    with pytest.raises(CorpusError, match="emodb: "):
        fetch(spec, tmp_path / "emodb")
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])


def test_an_archive_without_the_expected_folder_says_what_it_holds(offer, tmp_path):
    with pytest.raises(CorpusError, match="nothing in its folder 'emodb'; it holds 'other'"):
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
    return dataverse({"dataFile": {"id": 1, "filename": "a.wav", "filesize": size, "checksum": checksum}})


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
    "another's partial name": (["a.wav", "a.wav.part"], r"'a\.wav\.part', which names a half-fetched file"),
}


@pytest.mark.parametrize("kind", BAD_LISTS)
def test_a_list_with_names_that_cannot_be_meant_is_refused(offer, publisher, tmp_path, kind):
    files, message = BAD_LISTS[kind]
    lines = [f"{publisher.put(f'/a/{file}', b'x')} 1 {hashlib.sha256(b'x').hexdigest()}" for file in files]
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
    with pytest.raises(CorpusError, match=r"a\.wav: cannot be fetched: it is larger than the 2 bytes"):
        fetch(offer("tess", text, lists="tfds"), tmp_path / "tess")


def test_a_list_is_read_whole_only_where_it_is_no_file_of_recordings(offer, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.download, "_LIST_LIMIT_BYTES", 100)
    with pytest.raises(CorpusError, match="larger than the 100 bytes"):
        fetch(offer("tess", bytes(101), lists="tfds"), tmp_path / "tess")
