// The network on the server that sent this page: files by POST, the microphone by websocket.

export const where = "What you say goes to the server of this page only, and is not kept.";

export async function prepare() {}

const GONE = "the server does not answer; is it still running?";

// Yields what is in a file, and then the answers for its windows, some at a time.
export async function* answer(file) {
  const response = await fetch("answers", {method: "POST", body: file})
    .catch(() => { throw new Error(GONE); });
  if (!response.ok) {
    const {error} = await response.json().catch(() => ({}));
    throw new Error(error ?? `the server failed (${response.status})`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part; !(part = await reader.read()).done;) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop();
    yield* lines.map(line => JSON.parse(line));
  }
}

// Opens a stream: onWindow gets the answer for each window of what it is fed.
export async function openStream(rate_hz, onWindow) {
  const address = new URL(`stream?rate=${rate_hz}`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  let problem = GONE;
  const closed = new Promise((resolve, reject) => {
    socket.onclose = ({code, reason}) =>
      code === 1000 ? resolve() : reject(new Error(reason || problem));
  });
  socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    if (message.error) problem = message.error;
    else onWindow(message);
  };
  await Promise.race([closed, new Promise(resolve => { socket.onopen = resolve; })]);
  return {
    closed,
    feed(block) {
      if (socket.readyState === WebSocket.OPEN) socket.send(block);
    },
    finish() {
      if (socket.readyState === WebSocket.OPEN) socket.send("finish");
      return closed;
    },
  };
}
