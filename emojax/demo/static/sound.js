// What is recorded, to be drawn and to be heard again; as 16-bit samples.

const PIECE_S = 0.032;
const MOST_PIECES = 8192;

export class Sound {
  #blocks = [];
  #samples = 0;
  #pending = 0;
  #lowest = 0;
  #highest = 0;
  #low = [];
  #high = [];

  constructor(rate_hz) {
    this.rate_hz = rate_hz;
    this.piece = Math.round(PIECE_S * rate_hz);
  }

  add(block) {
    const scaled = Int16Array.from(block, x => Math.max(-1, Math.min(1, x)) * 32767);
    this.#blocks.push(scaled);
    this.#samples += scaled.length;
    for (const sample of scaled) {
      this.#lowest = Math.min(this.#lowest, sample);
      this.#highest = Math.max(this.#highest, sample);
      if (++this.#pending === this.piece) this.#end();
    }
    return this;
  }

  #end() {
    this.#low.push(this.#lowest);
    this.#high.push(this.#highest);
    this.#pending = this.#lowest = this.#highest = 0;
    if (this.#low.length < MOST_PIECES) return;
    const pairs = (values, of) => values.filter((_, i) => i % 2 === 0)
      .map((value, i) => of(value, values[2 * i + 1]));
    this.#low = pairs(this.#low, Math.min);
    this.#high = pairs(this.#high, Math.max);
    this.piece *= 2;
  }

  get duration_s() {
    return this.#samples / this.rate_hz;
  }

  // The extremes of each piece, as shares of the peak in percent.
  get waveform() {
    const peak = this.#low.reduce((peak, low, i) => Math.max(peak, -low, this.#high[i]), 1);
    const percent = values => values.map(value => Math.round(100 * value / peak));
    return {low: percent(this.#low), high: percent(this.#high), piece_s: this.piece / this.rate_hz};
  }

  // A wav file.
  toBlob() {
    const head = new DataView(new ArrayBuffer(44));
    const text = (place, letters) =>
      [...letters].forEach((letter, i) => head.setUint8(place + i, letter.charCodeAt(0)));
    const size = 2 * this.#samples;
    text(0, "RIFF"), head.setUint32(4, 36 + size, true), text(8, "WAVEfmt ");
    head.setUint32(16, 16, true), head.setUint16(20, 1, true), head.setUint16(22, 1, true);
    head.setUint32(24, this.rate_hz, true), head.setUint32(28, 2 * this.rate_hz, true);
    head.setUint16(32, 2, true), head.setUint16(34, 16, true);
    text(36, "data"), head.setUint32(40, size, true);
    return new Blob([head, ...this.#blocks], {type: "audio/wav"});
  }
}
