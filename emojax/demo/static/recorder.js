// Collects what the microphone hears, in blocks of a tenth of a second.
class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(sampleRate / 10));
    this.filled = 0;
  }

  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.block[this.filled++] = sample;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block);  // a copy
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
