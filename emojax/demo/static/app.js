// The page: what is recorded or dropped, and what is shown of it.

import {at} from "./dom.js";
import {openMicrophone} from "./microphone.js";
import {OwnLabels, meanVector} from "./own_labels.js";
import {showOwnLabels, showPage, showRecording} from "./show.js";
import {Sound} from "./sound.js";

const page = await (await fetch("page.json")).json();
const engine = await import(page.engine === "onnx" ? "./onnx.js" : "./server.js");
const own = new OwnLabels();
let recording = null;
let frame = 0;

function show() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    if (recording) showRecording(page, recording, own);
  });
}

// Only one thing is heard at a time; its problem is shown as one line.
let busy = false;
async function alone(button, status, work) {
  if (busy) return;
  busy = true;
  at("problem").hidden = true;
  for (const one of controls()) one.disabled = one !== button;
  try {
    at(status).textContent = await work();
  } catch (error) {
    at(status).textContent = "";
    at("problem").textContent = error.message;
    at("problem").hidden = false;
    at("problem").scrollIntoView({block: "nearest"});
  } finally {
    busy = false;
    for (const one of controls()) one.disabled = false;
  }
}

const controls = () => ["record", "file", "own_record", "own_files"].map(at);

// Answers for a file, and calls onPart after each part of it.
async function hearFile(file, onPart) {
  if (file.size > page.most_bytes)
    throw new Error(`${file.name}: larger than ${page.most_bytes / 1e6} MB; ` +
      "cut it, or make it an mp3");
  let heard;
  try {
    for await (const part of engine.answer(file)) {
      if (heard) heard.windows.push(...part.windows);
      else heard = {name: file.name, sound: file, windows: [], ...part};
      onPart(heard);
    }
  } catch (error) {
    throw new Error(`${file.name}: ${error.message}`);
  }
  if (!heard.stretches.length) throw new Error(`${file.name}: nobody speaks in it`);
  return heard;
}

// Records until the button is pressed again, and calls onPart as answers come.
async function hearMicrophone(button, onPart) {
  const microphone = await openMicrophone();
  const text = button.textContent;
  try {
    const sound = new Sound(microphone.rate_hz);
    const heard = {name: "Microphone", windows: [], stretches: []};
    const update = () => {
      heard.duration_s = sound.duration_s;
      heard.waveform = sound.waveform;
      onPart(heard);
    };
    const stream = await engine.openStream(microphone.rate_hz, window => {
      heard.windows.push(window);
      heard.stretches = [[0, window.end_s]];
      update();
    });
    const stopped = new Promise(resolve => { button.onclick = resolve; });
    button.textContent = "Stop";
    button.classList.add("recording");
    microphone.start(block => {
      sound.add(block);
      stream.feed(block);
      update();
      if (sound.duration_s > page.longest_s - 1) button.click();
    });
    await Promise.race([stopped, stream.closed]);
    await microphone.close();
    await stream.finish();
    heard.sound = sound.toBlob();
    if (!heard.windows.length) throw new Error("too short; speak for a second or more");
    return heard;
  } finally {
    await microphone.close();
    button.textContent = text;
    button.classList.remove("recording");
    connect();
  }
}

function present(heard) {
  recording = heard;
  show();
}

const openFile = file => alone(null, "status", async () => {
  at("status").textContent = `Listening to ${file.name} …`;
  present(await hearFile(file, present));
  return `${file.name} is answered below.`;
});

function learn(heard) {
  const label = at("own_label").value.trim();
  own.add(label, meanVector(heard.windows.map(window => window.embedding)));
  showOwnLabels(own, show);
  show();
}

async function ownClips(button, work) {
  if (!at("own_form").reportValidity() || !at("own_label").value.trim()) return;
  await alone(button, "own_status", async () => {
    at("own_status").textContent = "Listening …";
    await work();
    return "";
  });
}

function connect() {
  at("record").onclick = () => alone(at("record"), "status", async () => {
    at("status").textContent = `Listening; the first answer comes after ${page.window_s} s.`;
    present(await hearMicrophone(at("record"), present));
    return "What you said is answered below.";
  });
  at("own_record").onclick = () => ownClips(at("own_record"), async () =>
    learn(await hearMicrophone(at("own_record"), () => {})));
}

at("file").onchange = ({target}) => {
  if (target.files[0]) openFile(target.files[0]);
  target.value = "";
};
at("own_files").onchange = async ({target}) => {
  const files = [...target.files];
  target.value = "";
  await ownClips(null, async () => {
    for (const file of files) learn(await hearFile(file, () => {}));
  });
};
document.ondragover = event => event.preventDefault();
document.ondrop = event => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
};
at("own_form").onsubmit = event => event.preventDefault();
for (const radio of document.getElementsByName("view")) radio.onchange = show;
window.onresize = show;

showPage(page, engine.where);
connect();
await alone(null, "status", async () => {
  await engine.prepare(page);
  return "";
});
document.body.dataset.ready = "";
