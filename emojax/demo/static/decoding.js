// Sound as mono samples at 16 kHz.

export const RATE_HZ = 16000;

// Decodes a file to mono samples at 16 kHz.
export async function decoded(file) {
  const content = await file.arrayBuffer();
  const context = new OfflineAudioContext(1, 1, RATE_HZ);
  const sound = await context.decodeAudioData(content).catch(() => {
    throw new Error("this browser cannot decode it; give a wav, mp3, flac or ogg");
  });
  return mono(sound);
}

// Resamples mono samples of any rate.
export async function resampled(samples, rate_hz) {
  if (rate_hz === RATE_HZ) return samples;
  const length = Math.round(samples.length * RATE_HZ / rate_hz);
  const context = new OfflineAudioContext(1, length, RATE_HZ);
  const sound = context.createBuffer(1, samples.length, rate_hz);
  sound.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, {buffer: sound});
  source.connect(context.destination);
  source.start();
  return mono(await context.startRendering());
}

function mono(sound) {
  const channels = Array.from({length: sound.numberOfChannels}, (_, i) => sound.getChannelData(i));
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, i) =>
    channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
}
