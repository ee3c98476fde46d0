import numpy as np

from emojax.experiments.reports.figures import box_figure, heat_map, histogram_figure, mel_figure


def test_the_histogram_says_what_it_leaves_out():
    figure = histogram_figure({"a": np.array([1.0, 1.1, 10.5]), "b": np.array([2.0, 99.0])})
    (ax,) = figure.axes
    assert sum(bar.get_height() for bar in ax.patches) == 3
    assert ax.get_title() == "5 clips of 2 corpora; 2 longer ones are not shown"


def test_boxes_stand_in_the_order_given_on_a_logarithmic_axis():
    (ax,) = box_figure({"b": np.array([1.0, 2.0]), "$a_1": np.array([3.0, 30.0])}).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "$a_1"]
    assert ax.get_xscale() == "log"
    assert ax.yaxis_inverted()


def test_mels_share_one_scale_of_colour_and_of_time():
    mels = {
        name: np.full((frames, 64), level, np.float32)
        for name, frames, level in [("x", 50, 0), ("y", 90, 9)]
    }
    figure = mel_figure(mels)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert {image.get_clim() for image in images} == {images[0].get_clim()}
    assert images[0].get_clim()[1] == 9
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_a_value_that_is_not_there_leaves_a_cell_empty_and_colours_are_symmetric():
    values, above = np.array([[60.0, np.nan]]), np.array([[-20.0, np.nan]])
    ax = heat_map(values, above, ["a"], ["b", "c"], "chance", [(0, 1)]).axes[0]
    assert [text.get_text() for text in ax.texts] == ["60.0"]
    assert ax.images[0].get_clim() == (-20, 20)
    assert [frame.get_xy() for frame in ax.patches] == [(0.53, -0.47)]
