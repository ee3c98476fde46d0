"""The picture of a timeline."""

import matplotlib.image
import pytest

from emojax.timeline import picture
from emojax.timeline.writers import write


@pytest.fixture
def size(tmp_path):
    def size(timeline):
        write(timeline, tmp_path / "a.png")
        return matplotlib.image.imread(tmp_path / "a.png").shape[:2]

    return size


def test_a_longer_recording_has_more_rows_up_to_a_limit(make, size, monkeypatch):
    monkeypatch.setattr(picture, "_MOST_ROWS", 3)
    heights = [size(make([], duration_s=duration_s))[0] for duration_s in (50, 100, 200, 9000)]
    assert heights[0] < heights[1] < heights[2] == heights[3]


def test_channels_lie_below_each_other(make, size):
    one, two = size(make([(0, 1, "anger")])), size(make([(0, 1, "anger")], [(2, 3, "neutral")]))
    assert two[0] > one[0]
    assert two[1] == one[1]


def test_signs_of_formulas_in_names_and_labels_are_text(make, size):
    labels = ("$\\frac{1}$", "b")
    assert size(make([(0, 9, labels[0])], file="$a_{.wav", labels=labels))


def test_colours_are_as_light_as_black_text_needs():
    for colour in picture.label_colours(list("abcdefghi")).values():
        red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        linear = [((one + 0.055) / 1.055) ** 2.4 for one in (red, green, blue)]
        luminance = sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
        assert (luminance + 0.05) / 0.05 > 7  # contrast of the guideline WCAG, level AAA
