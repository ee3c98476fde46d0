// What the page shows of the model, of a recording and of own labels.

import {at, clock, make, number, percent} from "./dom.js";
import {FEWEST_CLIPS} from "./own_labels.js";
import {drawStrip, markSegment, place} from "./strip.js";
import {best, meanOf, secondsOf, segmentsOf} from "./timeline.js";

const shown = {recording: null, chosen: null, sound: null, url: ""};

export function showPage(page, where) {
  at("where").textContent = where;
  at("words").textContent = page.labels.map(({name}) => name).join(", ");
}

export function showRecording(page, recording, own) {
  at("result").hidden = false;
  at("title").textContent = `${recording.name}, ${clock(recording.duration_s)}`;
  if (shown.recording !== recording) Object.assign(shown, {recording, chosen: null});
  showSound(recording);
  const seconds = secondsBy(page, recording, window => window.probabilities);
  const view = viewOf(page, own);
  const own_seconds = view.shares ? secondsBy(page, recording, view.shares) : seconds;
  const segments = segmentsOf(own_seconds).map(segment => described(segment, view.labels));
  const arousal = seconds.map(one => ({...one, arousal: expected(page, one.shares, "arousal")}))
    .filter(one => one.arousal !== null);
  const show = segment => showAnswer(page, recording, seconds, segments, view, segment);
  drawStrip(recording, segments, arousal, (segment, play) => {
    show(segment);
    if (play) playFrom(segment.start_s);
  });
  showLegend(view.labels, segments);
  showTable(segments, show);
  const chosen = segments.find(({start_s}) => start_s === shown.chosen);
  show(chosen ?? (recording.sound ? null : segments.at(-1)));
}

const secondsBy = (page, {stretches, windows}, shares) => secondsOf({
  stretches, windows: windows.map(window => ({...window, shares: shares(window)})),
}, page.hop_s);

// Returns the labels to show, and how to get their shares if they are not the model's.
function viewOf(page, own) {
  at("views").hidden = !own.labels.length;
  if (!own.labels.length || document.querySelector("[name=view]:checked").value === "model")
    return {labels: page.labels};
  const fitted = own.fit();
  const colours = page.labels.map(({colour}) => colour);
  const labels = own.labels.map((name, i) => ({name, colour: colours[i % colours.length]}));
  return {labels, shares: ({embedding}) => fitted(embedding)};
}

function described(segment, labels) {
  const {name, colour} = labels[segment.label];
  const share = percent(segment.shares[segment.label]);
  const title = `${name} ${share}, ${clock(segment.start_s)} to ${clock(segment.end_s)}`;
  return {...segment, name, colour, title};
}

// Shows a segment, or the whole recording if there is none.
function showAnswer(page, recording, seconds, segments, view, segment) {
  at("answer").hidden = !segments.length;
  if (!segments.length) return;
  const live = !recording.sound;
  if (!live) shown.chosen = segment?.start_s ?? null;
  markSegment(segment?.start_s);
  at("whole").hidden = live || !segment;
  at("whole").onclick = () => showAnswer(page, recording, seconds, segments, view, null);
  const lengths = segments.map(({start_s, end_s}) => end_s - start_s);
  const {shares, warning} = segment ?? meanOf(segments, lengths);
  at("answer_title").textContent = segment ? segment.title
    : `${view.labels[best(shares)].name} ${percent(shares[best(shares)])}, on average`;
  showShares(view.labels, shares);
  showAffect(page, seconds, segment);
  at("warning").hidden = !warning;
  at("warning").textContent = warning && `Not to be trusted: ${warning}.`;
}

function showShares(labels, shares) {
  at("shares").replaceChildren();
  const order = labels.map((_, i) => i).sort((a, b) => shares[b] - shares[a]);
  for (const i of order) {
    const {name, emotion, colour} = labels[i];
    const row = make("li", at("shares"));
    make("span", row, emotion && emotion !== name ? `${name} (${emotion})` : name);
    const bar = make("i", make("div", row, "", {class: "bar", "aria-hidden": "true"}));
    bar.style.width = `${100 * shares[i]}%`;
    bar.style.background = colour;
    make("span", row, percent(shares[i]), {class: "number"});
  }
}

function showAffect(page, seconds, segment) {
  const within = seconds.filter(({start_s, end_s}) =>
    !segment || (start_s < segment.end_s && end_s > segment.start_s));
  const {shares} = meanOf(within);
  const [arousal, valence] = ["arousal", "valence"].map(one => expected(page, shares, one));
  at("affect").textContent = arousal === null ? ""
    : `Arousal ${number(arousal)} (0 to 1), valence ${number(valence)} (−1 to 1)`;
}

// The expected arousal or valence; null if that of a label is not known.
function expected(page, shares, dimension) {
  const values = page.labels.map(label => label[dimension]);
  return values.includes(null) ? null
    : values.reduce((sum, value, i) => sum + value * shares[i], 0);
}

function showLegend(labels, segments) {
  const length = ({start_s, end_s}) => end_s - start_s;
  const total = segments.reduce((sum, one) => sum + length(one), 0);
  at("legend").replaceChildren();
  labels.forEach(({name, colour}, i) => {
    const own = segments.filter(({label}) => label === i);
    if (!own.length) return;
    const item = make("li", at("legend"));
    make("i", item).style.background = colour;
    item.append(`${name} ${percent(own.reduce((sum, one) => sum + length(one), 0) / total)}`);
  });
}

function showTable(segments, show) {
  at("table").replaceChildren();
  for (const segment of segments) {
    const row = make("tr", at("table"));
    const start = make("button", make("td", row), clock(segment.start_s), {type: "button"});
    start.onclick = () => { show(segment); playFrom(segment.start_s); };
    const share = percent(segment.shares[segment.label]);
    for (const text of [clock(segment.end_s), segment.name, share, segment.warning])
      make("td", row, text);
  }
}

function showSound({sound}) {
  const audio = at("audio");
  audio.hidden = !sound;
  at("head").hidden = !sound;
  if (!sound) audio.pause();
  if (!sound || shown.sound === sound) return;
  URL.revokeObjectURL(shown.url);
  Object.assign(shown, {sound, url: URL.createObjectURL(sound)});
  audio.src = shown.url;
}

function playFrom(time_s) {
  at("audio").currentTime = time_s;
  at("audio").play().catch(() => {});  // a browser that cannot play the file says so in the player
}

function follow() {
  if (shown.recording)
    at("head").style.left = place(at("audio").currentTime, shown.recording.duration_s);
  requestAnimationFrame(follow);
}
follow();

export function showOwnLabels(own, onChange) {
  at("own_labels").replaceChildren();
  for (const [label, count] of own.counts) {
    const item = make("li", at("own_labels"));
    const missing = count < FEWEST_CLIPS ? "; one more is needed" : "";
    make("span", item, `${label}: ${count} ${count === 1 ? "clip" : "clips"}${missing}`);
    const remove = make("button", item, "Remove",
      {type: "button", "aria-label": `Remove ${label}`});
    remove.onclick = () => {
      own.remove(label);
      showOwnLabels(own, onChange);
      onChange();
    };
  }
  if (own.counts.length === 1) make("li", at("own_labels"), "A second label is needed.");
}
