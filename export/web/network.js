export const LIMIT = 2047; // what relu cuts off

/**
 * A layer whose sums are exact in few additions: a double holds the sums of up to three units side by side.
 *
 * A lane starts at its unit's bias plus half its own width, and is as wide as the unit's sums need to stay inside it.
 */
export class Layer {
  /** `weights` (rows, units) and `bias` (units); inputs lie between 0 and `most`; shift: of the sums, before relu. */
  constructor(weights, bias, most, shift) {
    const units = bias.length;
    let widest = 0;
    for (let u = 0; u < units; u++) {
      let [up, down] = [Math.max(bias[u], 0), Math.min(bias[u], 0)];
      for (let i = u; i < weights.length; i += units) {
        if (weights[i] > 0) up += weights[i] * most;
        else down += weights[i] * most;
      }
      widest = Math.max(widest, up, -down);
    }
    this.lanes = widest < 2 ** 16 ? 3 : widest < 2 ** 25 ? 2 : 1;
    this.lane = this.lanes === 3 ? 2 ** 17 : 2 ** 26;
    this.shift = shift;
    this.width = 4 * Math.ceil(units / this.lanes / 4);
    this.rows = this.pack(weights, units);
    this.start = this.pack(bias, units);
    const half = this.lanes > 1 ? this.lane / 2 : 0;
    for (let at = 0; at < this.width; at++) {
      for (let lane = 0; lane < this.lanes; lane++) this.start[at] += half * this.lane ** lane;
    }
    this.sums = new Float64Array(this.width);
    // The units above 0, and their values, of the sums last finished.
    this.active = new Int32Array(this.width * this.lanes);
    this.values = new Float64Array(this.width * this.lanes);
  }

  /** Rows of units as rows of doubles: unit u is lane floor(u / width) of double u % width. */
  pack(weights, units) {
    const { width, lane } = this;
    const packed = new Float64Array((weights.length / units) * width);
    for (let i = 0; i < weights.length; i++) {
      const u = i % units;
      packed[((i - u) / units) * width + (u % width)] += weights[i] * lane ** Math.floor(u / width);
    }
    return packed;
  }

  /** Takes `sums` apart, modulo 2^16 (wrap = 16) or not (0): how many units are above 0, told by `active` and `values`. */
  finish(wrap) {
    const { width, lanes, lane, shift, sums, active, values } = this;
    const half = lanes > 1 ? lane / 2 : 0;
    let count = 0;
    for (let k = lanes - 1; k >= 0; k--) {
      const factor = lane ** k;
      const scale = 1 / factor;
      for (let at = 0; at < width; at++) {
        const top = k > 0 ? Math.floor(sums[at] * scale) : sums[at];
        sums[at] -= top * factor;
        const value = (((top - half) << wrap) >> wrap) >> shift;
        if (value <= 0) continue;
        active[count] = k * width + at;
        values[count++] = value > LIMIT ? LIMIT : value;
      }
    }
    return count;
  }

  /** As finish, of relu((inputs @ weights + bias) >> shift), the inputs being the active ones of the layer below. */
  apply({ active, values }, count) {
    const { width, rows, sums, start } = this;
    for (let at = 0; at < width; at += 4) {
      let a = start[at];
      let b = start[at + 1];
      let c = start[at + 2];
      let d = start[at + 3];
      for (let k = 0; k < count; k++) {
        const value = values[k];
        const row = active[k] * width + at;
        a += value * rows[row];
        b += value * rows[row + 1];
        c += value * rows[row + 2];
        d += value * rows[row + 3];
      }
      sums[at] = a;
      sums[at + 1] = b;
      sums[at + 2] = c;
      sums[at + 3] = d;
    }
    return this.finish(0);
  }
}
