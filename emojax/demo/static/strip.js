// The strip: waveform, coloured segments and arousal over time.

import {at, clock, drawing, make} from "./dom.js";

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300];
const ROOM_PX = 80;  // for a time on the ruler
const FEWEST_PX_PER_S = 8;

// Draws a recording; onChoose(segment, play) is called for one that is pointed to or played.
export function drawStrip(recording, segments, arousal, onChoose) {
  const {duration_s} = recording;
  at("strip").style.minWidth = `${FEWEST_PX_PER_S * duration_s}px`;
  const focused = [...at("wave").querySelectorAll("button")].indexOf(document.activeElement);
  at("wave").replaceChildren();
  for (const [i, segment] of segments.entries())
    drawSegment(segment, duration_s, i === Math.max(0, focused), onChoose);
  const buttons = [...at("wave").querySelectorAll("button")];
  for (const button of buttons.filter(({scrollWidth, clientWidth}) => scrollWidth > clientWidth))
    button.textContent = "";  // a part of a word is worse than its colour alone
  buttons[focused]?.focus();
  drawWave(recording);
  drawArousal(arousal, duration_s);
  drawRuler(duration_s);
}

export function markSegment(start_s) {
  for (const button of at("wave").querySelectorAll("button"))
    button.classList.toggle("shown", Number(button.dataset.start_s) === start_s);
}

function drawSegment(segment, duration_s, reachable, onChoose) {
  const button = make("button", at("wave"), segment.name, {
    type: "button", "aria-label": segment.title, title: segment.title,
    tabindex: reachable ? 0 : -1, "data-start_s": segment.start_s,
  });
  button.style.left = place(segment.start_s, duration_s);
  button.style.width = place(segment.end_s - segment.start_s, duration_s);
  button.style.background = segment.colour;
  button.onmouseenter = button.onfocus = () => onChoose(segment, false);
  button.onclick = () => onChoose(segment, true);
  button.onkeydown = event => {
    const next = {ArrowRight: button.nextSibling, ArrowLeft: button.previousSibling}[event.key];
    if (next?.tagName !== "BUTTON") return;
    event.preventDefault();
    button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
}

function drawWave({waveform: {low, high, piece_s}, duration_s}) {
  if (!low.length) return;
  const points = values => values.map((value, i) => `${i + 0.5} ${100 - value}`);
  const path = `M${points(high).join("L")}L${points(low).reverse().join("L")}Z`;
  drawing(at("wave"), path, duration_s / piece_s, 200);
}

function drawArousal(seconds, duration_s) {
  at("arousal").querySelector("svg")?.remove();
  const path = seconds.map(one => `M${one.start_s} ${105 - 100 * one.arousal}H${one.end_s}`);
  at("arousal").hidden = !seconds.length;
  drawing(at("arousal"), path.join(""), duration_s, 110);
}

function drawRuler(duration_s) {
  const most = at("strip").clientWidth / ROOM_PX;
  const step_s = STEPS_S.find(step_s => duration_s / step_s <= most) ?? STEPS_S.at(-1);
  at("ruler").replaceChildren();
  for (let time_s = 0; time_s < duration_s; time_s += step_s)
    make("span", at("ruler"), clock(time_s).slice(0, -2)).style.left = place(time_s, duration_s);
}

export const place = (time_s, duration_s) => `${100 * time_s / duration_s}%`;
