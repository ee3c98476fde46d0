"""The benchmarks: fair, of the right size, and kind about what cannot be measured."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import budget
import confounded
import cycles
import emoset
import growth
import inference
import interleaved
import jax.numpy as jnp
import launches
import lstm
import numpy as np
import pytest
import scaling
import stand_in
import step
import timeline
import traffic

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.data.windows import MOST_PADDING, PARTS, choose_windows, work_padding_share
from emojax.inference.answer import Answer
from emojax.models.adapter_resnet import AdapterResNet
from emojax.timeline.speech import Scan
from emojax.timeline.timeline import Segment, Timeline, Track

ROOT = Path(__file__).parents[1]
SLEEPER = """
import sys, time, worker
seconds, steps, log = worker.settings()
def turn():
    time.sleep(seconds)
    with open(log, "a") as file:
        print(seconds, file=file)
    return steps
worker.serve(turn, lambda: {"seconds": seconds})
"""


@pytest.fixture
def sleeper(tmp_path, monkeypatch):
    """Makes workers that sleep, and note when they do."""
    monkeypatch.setattr(interleaved, "PAUSE_S", 0.0)
    script, log = tmp_path / "sleeper.py", tmp_path / "log"
    script.write_text(SLEEPER)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")])

    def make(seconds, steps=1):
        settings = seconds, steps, str(log)
        return functools.partial(interleaved.Worker, script, settings, {"PYTHONPATH": paths})

    return make, log


def test_workers_take_turns_and_are_compared_round_by_round(sleeper):
    make, log = sleeper
    rows = interleaved.measure({"slow": make(0.09), "fast": make(0.03)}, rounds=5)
    turns = log.read_text().split()
    rounds = [turns[i : i + 2] for i in range(0, len(turns), 2)]
    assert rounds[0] == ["0.09", "0.03"]  # the first turn of each warms it up
    assert len(rounds) == 6
    assert all(sorted(one) == ["0.03", "0.09"] for one in rounds)
    assert (
        len({tuple(one) for one in rounds[1:]}) == 2
    )  # nobody always has its turn after the same one
    assert rows["slow"]["step_s"] == pytest.approx(0.09, rel=0.5)
    assert 1.5 < rows["fast"]["speed_over"]["slow"] < 4.5
    first, third = rows["fast"]["speed_over_quartiles"]["slow"]
    assert first <= rows["fast"]["speed_over"]["slow"] <= third
    assert rows["fast"]["speed_over"]["slow"] * rows["slow"]["speed_over"]["fast"] == pytest.approx(
        1
    )
    assert rows["slow"]["seconds"] == 0.09


def test_a_turn_of_several_steps_counts_as_several(sleeper):
    make, _ = sleeper
    assert interleaved.measure({"many": make(0.1, 10)}, rounds=1)["many"]["step_s"] < 0.05


def test_a_worker_that_fails_is_named_and_left_out_where_it_may(sleeper, capsys):
    make, _ = sleeper
    makers = {"good": make(0.01), "bad": make("not seconds")}
    with pytest.raises(SystemExit, match="this worker failed"):
        interleaved.measure(makers, rounds=1)
    assert list(interleaved.measure(makers, rounds=1, optional=["bad"])) == ["good"]
    assert "no bad: this worker failed" in capsys.readouterr().err


def test_the_stand_in_is_as_large_as_table_1():
    corpora, classes = stand_in.emoset(0.1, "train")
    table = {name: stand_in.CATALOGUE[name].table_1 for name in corpora}
    assert len(corpora) == 26
    for name, part in corpora.items():
        assert len(part) == round(0.1 * table[name]["clips"])
        assert part.lengths.mean() / SAMPLE_RATE_HZ == pytest.approx(table[name]["mean_s"], rel=0.2)
        assert (
            set(part.labels) == set(range(int(table[name]["labels"]))) == set(range(classes[name]))
        )
    hours = sum(part.lengths.sum() for part in corpora.values()) / SAMPLE_RATE_HZ / 3600
    assert hours == pytest.approx(0.1 * sum(row["hours"] for row in table.values()), rel=0.1)
    devel, _ = stand_in.emoset(0.1, "devel")
    assert sum(map(len, devel.values())) == pytest.approx(
        0.2 * sum(map(len, corpora.values())), rel=0.02
    )


def test_little_of_the_stand_ins_work_is_padding():
    corpora, _ = stand_in.emoset(0.1, "train")
    lengths = {name: part.lengths for name, part in corpora.items()}
    windows = choose_windows(lengths, 5 * SAMPLE_RATE_HZ)
    assert work_padding_share(lengths, windows) <= MOST_PADDING


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_the_bytes_of_a_step_are_those_of_the_convolutions_and_parameters(dtype):
    model = AdapterResNet(classes=7, width=4, compute_dtype=dtype)
    size = jnp.dtype(dtype).itemsize
    one, two = (traffic.training_bytes(model, batch, 32, 16) for batch in (1, 2))
    # [frames, mels, channels] that each convolution reads and writes, by hand.
    shapes = [
        (32 * 16 * 1, 32 * 16 * 4),
        *[(32 * 16 * 4, 16 * 8 * 8), *3 * [(16 * 8 * 8, 16 * 8 * 8)]],
        *[(16 * 8 * 8, 8 * 4 * 16), *3 * [(8 * 4 * 16, 8 * 4 * 16)]],
        *[(8 * 4 * 16, 4 * 2 * 32), *3 * [(4 * 2 * 32, 4 * 2 * 32)]],
    ]
    assert two - one == 3 * size * np.sum(shapes)


def test_the_budget_has_every_window():
    assert budget.PARTS == PARTS


def test_the_floor_is_what_takes_longest(monkeypatch, capsys):
    machine = {"platform": "gpu", "devices": 2}
    ceilings = {"flops_per_s": 50.0, "copied_bytes": 25, "step_s": 1.0, **machine}
    row = {"flops": 200.0, "bytes": 50.0, "step_s": 8.0}
    monkeypatch.setattr(
        budget, "measure", lambda *_: {"ceilings": dict(ceilings), "5 s": dict(row)}
    )
    report = budget.measure_budget({"rounds": 1})
    assert report["windows"]["5 s"]["floor_s"] == 2.0
    assert report["windows"]["5 s"]["peak_share"] == 0.25
    assert "| 5 s | 0 | 2 s | 0.00 | 1 s | 8 s | 0.25 |" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("platform", "axis", "devices"),
    [("gpu", "devices", ["1", "2"]), ("cpu", "simulated_devices", ["1", "2", "4"])],
)
def test_growth_is_drawn_with_every_axis(platform, axis, devices, monkeypatch, tmp_path):
    def measure(makers, rounds):
        facts = {"state_mib": 1.0, "peak_memory_mib": 2.0, "platform": platform, "devices": 2}
        return {value: {"step_s": 1.0, **facts} for value in makers}

    monkeypatch.setattr(growth, "measure", measure)
    monkeypatch.setattr(growth, "PICTURE", tmp_path / "figures" / "growth.png")
    report = growth.measure_growth({"rounds": 1})
    assert list(report) == ["corpora", "window_s", "batch_size", axis]
    assert list(report[axis]) == devices
    assert (tmp_path / "figures" / "growth.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("library", ["torch", "keras"])
def test_without_its_library_there_is_no_twin_and_a_line_says_so(library, capsys):
    assert not step.has_library(library, {f"{library}_python": "false"})
    message = f"no twin: `false -c 'import numpy, {library}'` fails (see --{library}_python)"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("place", ["on_device", "on_host", "on_disk"])
def test_a_worker_trains_and_tells_what_the_budget_needs(place):
    sizes = {"batch_size": 2, "window_s": 0.3, "width": 1, "corpora": 2, "rounds": 1}
    settings = {**sizes, place: True, "job": "training", "config": {"depth": 1, "fast_conv": "off"}}
    cached = {"JAX_ENABLE_COMPILATION_CACHE": "true"}  # here compiling need not be measured well
    worker = functools.partial(interleaved.Worker, "emojax_worker.py", settings, cached)
    row = interleaved.measure({"emojax": worker}, rounds=1)["emojax"]
    assert 0 < row["step_s"] < row["compile_s"]
    assert min(row[key] for key in ("flops", "bytes", "state_mib", "peak_memory_mib")) > 0
    assert (row["data_mib"] > 0) == (place == "on_device")
    assert 0 <= row["data_wait_share"] < 1


def test_the_lstm_has_pytorchs_logits_and_is_measured_beside_it():
    """The twin ends with an error where its logits differ."""
    pytest.importorskip("torch")
    config = {"conv_features": 4, "lstm_units": 5, "dense_units": 6}
    sizes = {"batch_size": 2, "window_s": 0.3, "rounds": 1, "torch_python": sys.executable}
    report = lstm.measure_lstm({**sizes, "config": config})
    for part in lstm.PARTS:
        for job in lstm.JOBS:
            assert report[part][job].keys() == {"emojax", "torch"}


def test_answers_are_measured_in_each_way(monkeypatch):
    monkeypatch.setattr(inference, "REPEATS", 1)
    report = inference.measure_inference({"clips": 1, "rounds": 1, "torch_python": "false"})
    assert list(report) == ["cold_start_s", "one_clip", "clips"]
    assert report["cold_start_s"].keys() == {"emojax", "onnxruntime"}
    for rows in (report["one_clip"], report["clips"]):
        assert rows.keys() == {"emojax", "onnxruntime"}
        assert min(row["clips_per_s"] for row in rows.values()) > 0


def test_the_paper_sized_run_is_measured_whole():
    sizes = {"scale": 0.002, "batch_size": 2, "width": 1, "rounds": 1}
    small = {"depth": 1, "fast_conv": "off", "window_s": 1.0}
    report = emoset.measure_emoset({**sizes, "config": small})
    assert report["paper_rounds"] == 7500
    once_s = report["setup_s"] + report["first_round_and_evaluation_s"]
    assert report["paper_run_s"] > once_s + 7500 * report["round_s"] + 300 * report["evaluation_s"]
    assert (
        0
        < report["compile_rounds_s"]
        < report["compile_s"]
        < report["setup_s"] + report["measured_s"]
    )


def test_a_twin_that_ran_elsewhere_is_left_out(capsys):
    ran_on = {"emojax": "NVIDIA H100", "torch": "cpu", "keras": "gpu:0"}
    ratios = ("speed_over", "speed_over_quartiles")
    rows = {
        row: {
            "device": device,
            **{key: dict.fromkeys(ran_on.keys() - {row}, 2.0) for key in ratios},
        }
        for row, device in ran_on.items()
    }
    alike = step._alike(rows)
    assert list(alike) == ["emojax", "keras"]
    assert all(alike["emojax"][key] == {"keras": 2.0} for key in ratios)
    assert "no torch: it ran on cpu, and EmoJAX on NVIDIA H100" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["speed"],
            "unknown benchmark speed; choose from step, front_end, feeds, lstm, inference, start, "
            "budget, growth, emoset",
        ),
        (["--out=nowhere/report.json", "start"], "there is no folder"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_measured(arguments, message):
    command = [sys.executable, "benchmarks/run.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode
    assert message in done.stderr + done.stdout


@pytest.mark.parametrize(("speakers", "labels"), [(16, 8), (7, 7), (3, 5)])
def test_speakers_of_a_confounded_table_have_few_labels(speakers, labels):
    everyone, every = map(np.ravel, np.meshgrid(range(speakers), range(labels)))
    kept = confounded.own_labels(every, everyone, seed=0)
    assert set(everyone[kept]) == set(range(speakers))
    assert set(every[kept]) == set(range(labels))
    assert np.bincount(everyone[kept]).max() == -(-labels // min(speakers, labels))


def test_a_timeline_is_compared_with_what_was_said_by_time():
    def segment(start_s, end_s, label):
        return Segment(start_s, end_s, None, Answer({label: 1.0}))

    heard = [segment(0, 3, "anger"), segment(3, 4, "fear"), segment(6, 8, "fear")]
    said = [timeline.Said(0, 4, "anger"), timeline.Said(5, 7, "fear")]
    made = Timeline("", 10, ("anger", "fear"), [Track(None, Scan(*np.zeros((3, 1))), heard)])
    shares = timeline.agreement(made, said)
    assert shares["clip_time_found"] == pytest.approx(5 / 6, abs=0.01)
    assert shares["found_time_in_clips"] == pytest.approx(5 / 6, abs=0.01)
    assert shares["label_right_of_found_clip_time"] == pytest.approx(4 / 5, abs=0.01)
    assert shares["time_uar"] == pytest.approx((3 / 4 + 1) / 2, abs=0.01)


HLO = """\
HloModule jit_f, input_output_alias={ {0}: (0, {}, may-alias) }

%body.1 (arg: (s32[], f32[4])) -> (s32[], f32[4]) {
  %inner = (s32[], f32[4]) while(%arg), condition=%few.2, body=%deep.3
  %halved = f32[4] fusion(%arg), kind=kLoop, backend_config={"estimated_cycles":"10"}
}

%few.2 (arg: (s32[], f32[4])) -> pred[] {
  %limit = s32[] constant(5)
}

%deep.3 (arg: (s32[], f32[4])) -> (s32[], f32[4]) {
  %gone = f32[4] outfeed(%arg)
  %one = f32[4] fusion(%arg), metadata={op_name="jit(f)/conv_general_dilated"}, \
backend_config={"estimated_cycles":"3"}
}

ENTRY %main (arg: f32[4]) -> f32[4] {
  %loop = (s32[], f32[4]) while(%arg), body=%body.1, \
backend_config={"known_trip_count":{"n":"7"}}
  %last = f32[4] fusion(%loop), backend_config={"estimated_cycles":"2"}
}
"""


def test_cycles_of_a_loop_count_as_often_as_it_turns():
    assert sorted(turns for _, turns in cycles.loops(HLO)) == [5, 7]
    found = list(cycles.operations(HLO))
    assert sorted(own for own, *_ in found) == [2, 7 * 10, 7 * 5 * 3]
    assert cycles.by_part(found) == {"convolutions and what is fused with them": 105, "rest": 72}
    assert [line for line in cycles.inside_loops(HLO) if "outfeed" in line]


STEP = """\
%step.1 (arg: (s32[], f16[4])) -> (s32[], f16[4]) {
  %arg = (s32[], f16[4]) parameter(0)
  %x = f16[4]{0} get-tuple-element(%arg), index=1
  %y.1 = (f16[4]{0}, u8[0]{0}) custom-call(%x), custom_call_target="__cudnn$convForward"
  %input_reduce_fusion.3 = f32[]{:T(128)} fusion(%y.1), kind=kInput, calls=%inside.2
  %again = (s32[], f16[4]) while(%x), condition=%more.4, body=%retry.5
  %all-reduce-start = f16[4] all-reduce-start(%x), to_apply=%inside.2
  ROOT %all-reduce-done = f16[4] all-reduce-done(%all-reduce-start)
}

%inside.2 (arg: f16[4]) -> f32[] {
  %sum = f32[] reduce(%arg), dimensions={0}
}

%more.4 (arg: f16[4]) -> pred[] {
  ROOT %loop_compare_fusion = pred[] fusion(%arg), kind=kLoop, calls=%inside.2
}

%retry.5 (arg: f16[4]) -> f16[4] {
  ROOT %copy.1 = f16[4] copy(%arg)
}

ENTRY %main (arg: f16[4]) -> f16[4] {
  %before = f16[4] fusion(%arg), kind=kLoop, calls=%inside.2
  %loop = (s32[], f16[4]) while(%before), condition=%known.6, body=%step.1
}

%known.6 (arg: f16[4]) -> pred[] {
  ROOT %less = pred[] compare(%arg, %arg), direction=LT
}
"""


def test_launches_are_what_a_loop_computes_and_inner_loops_do():
    kinds = "convolution", "reduction", "collective", "elementwise", "copy"
    assert launches.by_kind(launches.launched(STEP)) == dict.fromkeys(kinds, 1)


THUNKS = """\
000: kCommandBuffer [source | next=002]
    001: kCustomKernel [source | sink] loop_add_fusion
002: kWhile [prev=000 | next=007]
condition:
    003: kCustomKernel [source | sink] loop_compare_fusion
  body:
    000: kCommandBuffer [source | next=006]
        004: kCustomKernel [source | sink] loop_add_fusion
        005: kCopy [source | sink] kCopy
    006: kConvolution [prev=000 | sink] kConvolution
007: kCustomKernel [prev=002 | sink] wrapped_slice
"""


def test_a_graph_is_one_call_of_the_host():
    assert launches.host_calls(THUNKS) == 2


def test_a_gpu_without_bf16_multiplies_float16():
    launches.check_dtypes(STEP)
    for wrong in (STEP.replace("(f16[4]{0}, u8", "(f32[4]{0}, u8"), STEP + "%x = f64[2] fusion()"):
        with pytest.raises(ValueError, match="in"):
            launches.check_dtypes(wrong)


def test_more_chips_take_less_time_and_at_last_gain_nothing():
    chip = scaling.Chip()
    times_s = [scaling.run_s(4e-3, chips, chip) for chips in (1, 4, 8, 64, 256)]
    assert times_s[0] > times_s[1] > times_s[2]
    assert times_s[4] > 0.8 * times_s[3]
    assert times_s[0] / times_s[1] < 4
