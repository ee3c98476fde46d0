// The network in this browser, by onnxruntime-web: nothing is sent anywhere.

import * as ort from "./onnxruntime-web/ort.wasm.min.mjs";
import {RATE_HZ, decoded, resampled} from "./decoding.js";
import {Sound} from "./sound.js";
import {findStretches} from "./speech.js";
import {warningOf} from "./warning.js";

export const where = "The network runs in your browser, and what you say never leaves it.";

const WINDOWS_AT_ONCE = 4;
let page, session, detector;

export async function prepare(given) {
  page = given;
  ort.env.wasm.numThreads = 1;  // several need headers that a plain web server does not send
  ort.env.wasm.wasmPaths = new URL("onnxruntime-web/", location.href).href;
  session = await ort.InferenceSession.create("network/model.onnx");
  if (page.speech) detector = await ort.InferenceSession.create("network/silero_vad.onnx");
}

// Yields what is in a file, and then the answers for its windows, some at a time.
export async function* answer(file) {
  const samples = await decoded(file);
  const duration_s = samples.length / RATE_HZ;
  check(samples, duration_s);
  const {waveform} = new Sound(RATE_HZ).add(samples);
  const stretches = detector ? await findStretches(detector, samples, page.speech)
    : [[0, samples.length]];
  const inSeconds = span => span.map(bound => bound / RATE_HZ);
  yield {duration_s, waveform, stretches: stretches.map(inSeconds)};
  const spans = stretches.flatMap(spansOf);
  while (spans.length) {
    const length = ([first, last]) => last - first;
    const others = spans.findIndex(span => length(span) !== length(spans[0]));
    const some = spans.splice(0, Math.min(WINDOWS_AT_ONCE, others < 0 ? Infinity : others));
    const windows = await answersOf(some.map(([first, last]) => samples.subarray(first, last)));
    yield {windows: windows.map((own, i) => {
      const [start_s, end_s] = inSeconds(some[i]);
      return {start_s, end_s, ...own};
    })};
    await new Promise(resolve => setTimeout(resolve));  // so that the page can be drawn
  }
}

// Opens a stream: onWindow gets the answer for each window of what it is fed.
export async function openStream(rate_hz, onWindow) {
  const [window, hop] = [page.window_s, page.hop_s].map(time_s => Math.round(time_s * rate_hz));
  let held = new Float32Array(), start = 0, next = 0, answered = 0, work = Promise.resolve();
  let fail;
  const closed = new Promise((_, reject) => { fail = reject; });
  const ask = (first, last) => {
    const samples = held.slice(first - start, last - start);
    answered = last;
    work = work.then(async () => {
      const [own] = await answersOf([await resampled(samples, rate_hz)]);
      onWindow({start_s: first / rate_hz, end_s: last / rate_hz, ...own});
    });
    work.catch(fail);
  };
  return {
    closed,
    feed(block) {
      held = joined(held, block);
      while (start + held.length >= next + window) {
        ask(next, next + window);
        held = held.subarray(next - start);  // the last window of all may begin there
        start = next;
        next += hop;
      }
    },
    async finish() {
      const end = start + held.length;
      if (end - answered >= page.shortest_s * rate_hz) ask(Math.max(start, end - window), end);
      await work;
    },
  };
}

// Returns label probabilities, embedding and warning of windows of one length.
async function answersOf(windows) {
  const samples = windows[0].length;
  const audio = new Float32Array(windows.length * samples);
  windows.forEach((window, i) => audio.set(window, i * samples));
  const lengths = BigInt64Array.from(windows, () => BigInt(samples));
  const {probabilities, embedding} = await session.run({
    audio: new ort.Tensor("float32", audio, [windows.length, samples]),
    length: new ort.Tensor("int64", lengths, [windows.length]),
  });
  return windows.map((window, i) => {
    const own = rowOf(embedding, i);
    const warning = warningOf(page.calibration, own, window);
    return {probabilities: rowOf(probabilities, i), embedding: own, warning};
  });
}

const rowOf = ({data, dims: [, size]}, i) => Array.from(data.subarray(i * size, (i + 1) * size));

// Windows of 3 s, one every second; the last one ends where the stretch ends.
function spansOf([first, end]) {
  const [window, hop] = [page.window_s, page.hop_s].map(time_s => Math.round(time_s * RATE_HZ));
  const last = Math.max(first, end - window);
  const starts = Array.from({length: Math.ceil((last - first) / hop)}, (_, i) => first + i * hop);
  return [...starts, last].map(start => [start, Math.min(start + window, end)]);
}

function check(samples, duration_s) {
  if (duration_s < page.shortest_s)
    throw new Error(`too short: ${duration_s.toFixed(3)} s, at least ${page.shortest_s} s needed`);
  if (duration_s > page.longest_s)
    throw new Error(`longer than ${page.longest_s / 60} minutes, which this page takes`);
  if (samples.every(sample => sample === samples[0]))
    throw new Error("silent: all samples are equal");
}

function joined(a, b) {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
