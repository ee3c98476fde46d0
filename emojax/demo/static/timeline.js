// From answers for windows to seconds and segments, as emojax timeline does it.

// Returns the seconds of speech, each with the mean of the windows that cover it.
export function secondsOf({stretches, windows}, hop_s) {
  let first = 0;
  const seconds = stretches.flatMap(stretch => secondsIn(stretch, hop_s));
  return seconds.flatMap(([start_s, end_s]) => {
    while (first < windows.length && windows[first].end_s <= start_s) first++;
    let last = first;
    while (last < windows.length && windows[last].start_s < end_s) last++;
    return last > first ? [{start_s, end_s, ...meanOf(windows.slice(first, last))}] : [];
  });
}

// Returns seconds of one label that touch each other as one segment with their mean.
export function segmentsOf(seconds) {
  const groups = [];
  for (const one of seconds) {
    const before = groups.at(-1)?.at(-1);
    if (before && before.end_s === one.start_s && best(before.shares) === best(one.shares))
      groups.at(-1).push(one);
    else
      groups.push([one]);
  }
  return groups.map(group => ({
    start_s: group[0].start_s, end_s: group.at(-1).end_s, label: best(group[0].shares),
    ...meanOf(group, group.map(one => one.end_s - one.start_s)),
  }));
}

// Returns the mean shares of answers, and the warning that most of them have.
export function meanOf(answers, weights = answers.map(() => 1)) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = answers[0].shares.map((_, label) =>
    answers.reduce((sum, {shares}, i) => sum + weights[i] * shares[label], 0) / total);
  return {shares, warning: commonest(answers.map(answer => answer.warning))};
}

export const best = shares => shares.indexOf(Math.max(...shares));

function commonest(texts) {
  const counts = new Map();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].reduce((most, one) => one[1] > most[1] ? one : most)[0];
}

function secondsIn([first_s, last_s], hop_s) {
  const count = Math.max(1, Math.round((last_s - first_s) / hop_s));
  return Array.from({length: count}, (_, i) =>
    [first_s + i * hop_s, i + 1 < count ? first_s + (i + 1) * hop_s : last_s]);
}
