"""Small folders of tones that stand for corpora, and a server that publishes them."""

import csv
import dataclasses
import threading
from pathlib import Path

import layouts
import pytest
from publisher import Publisher

import emojax.download
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import Download


@pytest.fixture
def write_tones():
    """See :func:`layouts.write_tones`."""
    return layouts.write_tones


@pytest.fixture
def write_corpus():
    """See :func:`layouts.write_corpus`."""
    return layouts.write_corpus


@pytest.fixture
def write_csv():
    """Write rows to a CSV, and return its path."""

    def write(path: Path, *rows: tuple, delimiter: str = ",", encoding: str = "utf-8") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="", encoding=encoding) as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        return path

    return write


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
