// The microphone as blocks of samples, as it hears: no filter of the browser is between.

export async function openMicrophone() {
  if (!navigator.mediaDevices)
    throw new Error("Browsers give a microphone to http://localhost and https:// only; " +
      "open the page there, or choose a file.");
  const filters = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  const media = await navigator.mediaDevices.getUserMedia({audio: {channelCount: 1, ...filters}})
    .catch(error => {
      throw new Error(`The microphone cannot be used (${error.message}); ` +
        "allow it in the browser, plug one in, or choose a file.");
    });
  const context = new AudioContext();
  await context.audioWorklet.addModule("recorder.js");
  const recorder = new AudioWorkletNode(context, "recorder",
    {numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit"});
  return {
    rate_hz: context.sampleRate,
    start(onBlock) {
      recorder.port.onmessage = ({data}) => onBlock(data);
      context.createMediaStreamSource(media).connect(recorder);
    },
    async close() {
      recorder.port.onmessage = null;
      for (const track of media.getTracks()) track.stop();
      if (context.state !== "closed") await context.close();
    },
  };
}
