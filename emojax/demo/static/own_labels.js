// Labels of a person's own, learnt from a few clips each; they live in this page only.
//
// The share of a label is the softmax of −2 d²/s²: d is the distance of the embedding from the
// mean of the label's clips, s² the mean squared distance of clips from their own label's mean.

export const FEWEST_CLIPS = 2;

export class OwnLabels {
  #clips = new Map();

  add(label, embedding) {
    this.#clips.set(label, [...(this.#clips.get(label) ?? []), embedding]);
  }

  remove(label) {
    this.#clips.delete(label);
  }

  // Pairs of label and number of clips.
  get counts() {
    return [...this.#clips].map(([label, clips]) => [label, clips.length]);
  }

  // The labels that answers can have: none unless two have enough clips.
  get labels() {
    const known = this.counts.filter(([, count]) => count >= FEWEST_CLIPS).map(([label]) => label);
    return known.length > 1 ? known : [];
  }

  // Returns a function from an embedding to the share of each of the labels.
  fit() {
    const clips = this.labels.map(label => this.#clips.get(label));
    const centres = clips.map(meanVector);
    const spread = clips.reduce((sum, own, i) => sum + variance(own, centres[i]), 0) / clips.length;
    return embedding =>
      softmax(centres.map(centre => -2 * squaredDistance(embedding, centre) / (spread || 1)));
  }
}

export function meanVector(vectors) {
  return vectors[0].map((_, i) =>
    vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length);
}

// The mean squared distance from the centre, as of all clips that there could be.
function variance(vectors, centre) {
  const distances = vectors.map(vector => squaredDistance(vector, centre));
  return distances.reduce((sum, one) => sum + one, 0) / (vectors.length - 1);
}

function squaredDistance(a, b) {
  return a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);
}

function softmax(logits) {
  const greatest = Math.max(...logits);
  const powers = logits.map(logit => Math.exp(logit - greatest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map(power => power / total);
}
