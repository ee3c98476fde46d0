import re

import pytest

from emojax.demo.page import PAGE, describe

FILES = sorted(PAGE.iterdir())


def test_labels_have_the_common_words_and_their_arousal():
    angry, odd = describe(["Wut", "odd"], "calls", "server")["labels"]
    assert (odd["emotion"], odd["arousal"], odd["valence"]) == ("", None, None)
    assert angry["colour"] != odd["colour"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_page_takes_nothing_from_elsewhere_and_runs_no_text(path):
    text = path.read_text("utf-8")
    addresses = re.findall(r"\w+://[^\s\"']+", text)
    assert all("w3.org" in own or own in ("http://localhost", "https://") for own in addresses)
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)
    if path.suffix == ".html":
        assert not re.findall(r"<script(?![^>]*\ssrc=)|\sstyle=|<style|\son\w+=", text)
