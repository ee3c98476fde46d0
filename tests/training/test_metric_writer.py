"""What a run writes and shows of its metrics."""

import json

from emojax.training.metric_writer import MetricWriter


def test_the_bar_shows_the_speed(tmp_path, capsys):
    with MetricWriter(tmp_path, 0, 4, 2) as progress:
        progress.advance(1, {"time/clips_per_s": 1.0})
        progress.advance(2, {"time/clips_per_s": 118.3, "time/peak_share": 0.612})
        progress.write(2, {"devel_uar/best": 0.5})
    assert "clips/s=118, 61 % of peak" in capsys.readouterr().err


def test_metrics_are_json_lines_and_tensorboard_events(tiny_run, metrics):
    assert {
        "step",
        "loss/mean",
        "loss/tones",
        "devel_uar/mean",
        "devel_uar/levels",
        "devel_uar/best",
    } <= set(metrics(tiny_run)[0])
    assert any((tiny_run / "tensorboard").iterdir())


def test_lines_of_later_steps_and_half_lines_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [json.dumps({"step": step}) for step in (4, 8, 12)]
    path.write_text("\n".join([lines[0], "{}", *lines[1:], '{"step": 16, "loss']))
    with MetricWriter(tmp_path, 8, 16, 2) as writer:
        writer.write(12, {"devel_uar/best": 0.5})
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert written == [{"step": 4}, {"step": 8}, {"step": 12, "devel_uar/best": 0.5}]
