"""Download of a corpus from a local server: complete, interrupted, changed, or forged."""

import dataclasses
import gzip
import hashlib
import shutil
import time
import tracemalloc
from pathlib import Path

import pooch
import pytest
import requests
from layouts import FILES, write_corpus
from publisher import md5, names, zipped

import datasets.download
import emojax.download
from datasets import CorpusError, prepare
from datasets.download import fetch
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import Download, read_clips


@pytest.fixture
def emodb(tmp_path_factory):
    """EMO-DB's layout as an archive, with a folder around it."""
    root = tmp_path_factory.mktemp("made")
    write_corpus("emodb", root / "emodb", *FILES["emodb"])
    return Path(shutil.make_archive(str(root), "zip", root)).read_bytes()


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


def test_a_broken_connection_is_tried_again_from_the_start(
    offer, publisher, emodb, tmp_path, monkeypatch
):
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


def test_what_came_by_another_entry_of_the_catalogue_is_not_taken(
    offer, publisher, emodb, tmp_path
):
    old = offer("emodb", zipped(("old.wav", "old")), path="/old.zip")
    gone = Download(publisher.put("/gone.zip", b""))
    del publisher.files["/gone.zip"]
    with pytest.raises(CorpusError, match="404"):
        fetch(dataclasses.replace(old, downloads=(*old.downloads, gone)), tmp_path / "emodb")
    assert list((tmp_path / ".emodb.download").rglob("0"))
    fetch(offer("emodb", emodb, checksum=md5(emodb), inside="emodb"), tmp_path / "emodb")
    assert names(tmp_path / "emodb") == sorted(FILES["emodb"])
    assert not (tmp_path / ".emodb.download").exists()


def test_of_a_damaged_archive_nothing_stays_and_the_others_are_unpacked_again(
    offer, publisher, tmp_path
):
    good = zipped(("a.wav", "a"))
    bad = zipped(("b.wav", "b"), ("c.wav", bytes(range(256)))).replace(
        bytes(range(99, 120)), bytes(21)
    )
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
    "an escape in the reason": (
        lambda http: http.send_error(404, "\x1b]0;x\x07"),
        r"404 \\x1b\]0;x\\x07;",
    ),
    "a broken server": (lambda http: http.send_error(500), "500"),
    "no answer": (lambda http: http.rfile.close(), "cannot be fetched"),
    "no HTTP": (lambda http: http.wfile.write(b"hello\r\n\r\n"), "cannot be fetched"),
    "a silent server": (lambda http: time.sleep(1), "timed out"),
    "a length that is none": (lambda http: http.send(b"x", Content_Length="abc"), "'abc' bytes"),
    "a negative length": (lambda http: http.send(b"x", Content_Length="-1"), "'-1' bytes"),
    "a length beyond the limit": (
        lambda http: http.send(b"x", Content_Length=10**16),
        "larger than",
    ),
    "more than it says": (
        lambda http: http.send(b"x" * 10, Content_Length=11),
        "cannot be fetched",
    ),
    "a part of it": (lambda http: http.send(b"x", 206, Content_Range="bytes 0-0/10"), "206"),
    "nothing": (lambda http: http.send(b"", 204), "204"),
    "no end": (lambda http: http.send_without_end(), "larger than the 1000000 bytes"),
    "compressed": (lambda http: http.send(HUGE_GZIP, Content_Encoding="gzip"), "compressed"),
    "a circle": (lambda http: http.send(b"", 302, Location="/corpus.zip"), "redirects"),
    "a way to a file": (
        lambda http: http.send(b"", 302, Location="file:///etc/passwd"),
        "file:///etc",
    ),
    "a way to no address": (
        lambda http: http.send(b"", 302, Location="http://[::bad/"),
        "cannot be fetched",
    ),
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
def test_a_server_that_lies_is_one_error_and_leaves_nothing(
    offer, publisher, tmp_path, monkeypatch, kind
):
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
        emojax.download._BoundedFile,
        "write",
        lambda file, chunk: written.append(write(file, chunk)),
    )
    with pytest.raises(CorpusError, match="larger than the 3000000 bytes"):
        fetch(spec, tmp_path / "emodb")
    assert 2 * 10**6 < sum(written) <= 3 * 10**6


def test_another_checksum_is_an_error_and_the_file_is_gone(offer, emodb, tmp_path):
    spec = offer("emodb", emodb, checksum=md5(b"as published"), inside="emodb")
    with pytest.raises(
        CorpusError, match=f"expected {md5(b'as published')} but got {md5(emodb)[4:]}"
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
    with pytest.raises(CorpusError, match=r"take its line out of .*downloads\.sha256"):
        fetch(spec, tmp_path / "emodb")
    assert not (tmp_path / "emodb").exists()
    assert (tmp_path / "downloads.sha256").read_text() == noted


def test_too_little_space_is_an_error_before_anything_is_fetched(
    offer, publisher, tmp_path, monkeypatch
):
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


def test_a_full_disk_never_costs_an_archive_that_is_here(
    offer, publisher, emodb, tmp_path, monkeypatch
):
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


def test_an_archive_that_turns_out_damaged_is_fetched_anew(offer, publisher, tmp_path):
    spec = offer(
        "emodb", zipped(("a.wav", bytes(range(256)))).replace(bytes(range(99, 120)), bytes(21))
    )
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


def test_of_two_that_fetch_one_corpus_neither_leaves_half_of_it(
    offer, emodb, tmp_path, monkeypatch
):
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
