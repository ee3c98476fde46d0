// Stretches of speech, by Silero's detector, as emojax/timeline/speech.py finds them.

import {RATE_HZ} from "./decoding.js";
import * as ort from "./onnxruntime-web/ort.wasm.min.mjs";

const CONTEXT_SAMPLES = 64;  // of the chunk before, which the detector asks for
const CHUNKS_AT_ONCE = 200;

// Returns pairs of first sample and the one after the last; the page says by which rules.
export async function findStretches(session, samples, rules) {
  const pad = Math.round(rules.pad_s * RATE_HZ);
  return runs(await speechOf(session, samples, rules.chunk_samples), rules)
    .map(([first, last]) => [first * rules.chunk_samples, last * rules.chunk_samples])
    .filter(([first, last]) => last - first >= rules.min_speech_s * RATE_HZ)
    .map(([first, last]) => [Math.max(0, first - pad), Math.min(samples.length, last + pad)]);
}

// Returns the probability of speech in each chunk.
async function speechOf(session, samples, size) {
  const sr = new ort.Tensor("int64", [BigInt(RATE_HZ)], []);
  let state = new ort.Tensor("float32", new Float32Array(2 * 128), [2, 1, 128]);
  const padded = new Float32Array(CONTEXT_SAMPLES + Math.ceil(samples.length / size) * size);
  padded.set(samples, CONTEXT_SAMPLES);
  const speech = [];
  for (let start = 0; start + CONTEXT_SAMPLES < padded.length; start += size) {
    const chunk = padded.slice(start, start + CONTEXT_SAMPLES + size);
    const input = new ort.Tensor("float32", chunk, [1, chunk.length]);
    const heard = await session.run({input, state, sr});
    speech.push(heard.output.data[0]);
    state = heard.stateN;
    if (speech.length % CHUNKS_AT_ONCE === 0)
      await new Promise(resolve => setTimeout(resolve));  // so that the page can be drawn
  }
  return speech;
}

// Returns the first chunk and the one after the last of each stretch.
function runs(speech, {chunk_samples, speech_from, pause_below, min_pause_s}) {
  const found = [];
  let first = null, last = null;
  for (const [place, probability] of speech.entries()) {
    if (first !== null && probability >= pause_below) {
      last = place + 1;
    } else if (first === null && probability >= speech_from) {
      [first, last] = [place, place + 1];
    } else if (first !== null &&
        (place + 1 - last) * chunk_samples >= min_pause_s * RATE_HZ) {
      found.push([first, last]);
      first = null;
    }
  }
  return first === null ? found : [...found, [first, last]];
}
