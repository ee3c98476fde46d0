// Whether to trust an answer, as emojax/inference/calibration.py says it.

import {RATE_HZ} from "./decoding.js";

// Says why a window is unlike the recordings of training; empty if it is not.
export function warningOf(known, embedding, samples) {
  if (!known) return "";
  const duration_s = samples.length / RATE_HZ;
  if (duration_s < known.much_shorter_s)
    return `too short: ${duration_s.toFixed(2)} s, where the recordings that the model learnt ` +
      `from have ${known.shortest_s.toFixed(2)} s or more`;
  const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
  const level_db = 10 * Math.log10(Math.max(power, 1e-12));
  if (level_db < known.much_quieter_db)
    return `nearly silent: ${level_db.toFixed(0)} dB of full scale, where the recordings that ` +
      `the model learnt from have ${known.quietest_db.toFixed(0)} dB or more`;
  const distance = distanceOf(embedding, known);
  return distance <= known.farthest ? "" :
    "unlike the recordings that the model learnt from, as noise, music or another channel would " +
    `be: distance ${distance.toFixed(1)}, where up to ${known.farthest.toFixed(1)} is usual`;
}

// The Mahalanobis distance from the mean of training.
function distanceOf(embedding, {mean, axes, variances, rest_variance}) {
  const offset = embedding.map((x, i) => x - mean[i]);
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const along = axes.map(axis => dot(axis, offset));
  const across = Math.max(dot(offset, offset) - dot(along, along), 0);
  return Math.sqrt(along.reduce((sum, x, i) => sum + x * x / variances[i], across / rest_variance));
}
