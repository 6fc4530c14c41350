/**
 * Decodes `.g3c` streams and blocks of `.g3a` archives of octree models, as docs/g3c.md specifies them.
 *
 * Written from that page alone, in integers throughout, so a stream gives the voxels that keras3dgan gives.
 * Runs in browsers, workers and Node; needs nothing.
 *
 *     const model = await loadModel(bytes);    // a file of `keras3dgan export_models --format=web`
 *     const voxels = decode(stream, model);    // Uint8Array of zeros and ones; index (x * n + y) * n + z, z up
 */

/** What a caller can tell a person: one sentence about a file. */
export class FormatError extends Error {}

const VERSION = 3;
const OVERHEAD = 7; // bytes of a stream around its payload
const PAD = 8; // empty voxels on every side of a grid in memory
const BACK = 7; // how far before a voxel its column is looked at; 4 behind it
const AHEAD = 4;
const LIMIT = 2047; // what relu cuts off
const BUCKETS = [1, 2, 3, 5, 8, 12, 17, 25, 41]; // where buckets 1 to 9 of a count begin

/** The shape in a stream: n^3 zeros and ones in raster order. Throws a FormatError on anything else. */
export function decode(stream, model) {
  return decodeBlock(unwrap(stream, model), 1, model)[0];
}

/** The payload of a `.g3c` stream of `model`, checked in the order that the specification gives. */
export function unwrap(stream, model) {
  if (stream[0] !== 0x47) throw new FormatError("not a .g3c file: it does not begin with G.");
  if (stream.length < OVERHEAD) throw new FormatError(`cut off: ${stream.length} bytes are fewer than the least, 7.`);
  if (stream[1] !== VERSION) throw new FormatError(`a .g3c file of version ${stream[1]}; this decoder reads version 3.`);
  const end = stream.length - 2;
  if (crc16(stream, end) !== stream[end] + 256 * stream[end + 1]) {
    throw new FormatError("cut off or damaged: its checksum does not match.");
  }
  checkFingerprint(stream.subarray(2, 5), model);
  return stream.subarray(5, end);
}

/** Refuses what another model wrote; `found` are the first three bytes of that one's fingerprint. */
export function checkFingerprint(found, model) {
  if (found.every((byte, i) => byte === model.fingerprint[i])) return;
  throw new FormatError(`written with model ${hex(found)}, not with ${hex(model.fingerprint.subarray(0, 3))}.`);
}

/** The shapes of one payload, `count` of them. Any bytes give shapes. */
export function decodeBlock(payload, count, model) {
  const coder = new ArithmeticDecoder(payload);
  return Array.from({ length: count }, () => model.shape(coder));
}

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function crc16(bytes, end) {
  let crc = 0;
  for (let i = 0; i < end; i++) {
    crc ^= bytes[i] << 8;
    for (let k = 0; k < 8; k++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  }
  return crc;
}

/** The binary arithmetic decoder; its 64-bit state in halves of 32 bits, whose products are exact as doubles. */
class ArithmeticDecoder {
  constructor(payload) {
    this.payload = payload;
    this.next = 0;
    this.lowTop = this.low = 0;
    this.highTop = this.high = 0xffffffff;
    this.windowTop = this.window = 0;
    for (let i = 0; i < 8; i++) this.shiftWindow();
  }

  shiftWindow() {
    this.windowTop = ((this.windowTop << 8) | (this.window >>> 24)) >>> 0;
    this.window = ((this.window << 8) | (this.next < this.payload.length ? this.payload[this.next] : 0)) >>> 0;
    this.next++;
  }

  /** The next bit, which is 1 with probability p / 65536. */
  bit(p) {
    const borrow = this.high < this.low ? 1 : 0;
    const rangeTop = this.highTop - this.lowTop - borrow;
    const range = this.high - this.low + borrow * 4294967296;
    // (high - low) >> 16, times p: its lower half times p stays below 2^48.
    const lower = ((((rangeTop & 0xffff) << 16) | (range >>> 16)) >>> 0) * p;
    const carry = Math.floor(lower / 4294967296);
    let middle = this.low + (lower - carry * 4294967296);
    let middleTop = this.lowTop + (rangeTop >>> 16) * p + carry;
    if (middle >= 4294967296) {
      middle -= 4294967296;
      middleTop += 1;
    }
    const bit = this.windowTop < middleTop || (this.windowTop === middleTop && this.window <= middle) ? 1 : 0;
    if (bit) {
      this.highTop = middleTop;
      this.high = middle;
    } else {
      this.low = middle === 0xffffffff ? 0 : middle + 1;
      this.lowTop = middle === 0xffffffff ? middleTop + 1 : middleTop;
    }
    while ((this.lowTop ^ this.highTop) >>> 24 === 0) {
      this.lowTop = ((this.lowTop << 8) | (this.low >>> 24)) >>> 0;
      this.low = (this.low << 8) >>> 0;
      this.highTop = ((this.highTop << 8) | (this.high >>> 24)) >>> 0;
      this.high = ((this.high << 8) | 255) >>> 0;
      this.shiftWindow();
    }
    return bit;
  }
}

/** All (dx, dy, dz) up to a length, nearest first, then in lexical order. */
function ball(radius) {
  const reach = Math.floor(radius);
  const range = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  const length = ([x, y, z]) => x * x + y * y + z * z;
  const all = range.flatMap((x) => range.flatMap((y) => range.map((z) => [x, y, z])));
  return all.filter((d) => length(d) <= radius * radius).sort((a, b) => length(a) - length(b));
}

const NEAR = ball(2.3);
const PARENT = ball(3.2);
const PARENT_NEAR = ball(1.8);
const CAUSAL = [
  ...ball(4.2).filter(([x, y, z]) => x < 0 || (x === 0 && (y < 0 || (y === 0 && z < 0)))),
  ...[-7, -6, -5].flatMap((d) => [[d, 0, 0], [0, d, 0], [0, 0, d]]),
];

/**
 * A layer whose sums are exact in few additions: a double holds the sums of up to three units side by side.
 *
 * A lane starts at its unit's bias plus half its own width, and is as wide as the unit's sums need to stay inside it.
 */
class Layer {
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

  /** Takes `sums` apart, modulo 2^16 (wrap = 16) or not (0): the number of units above 0, found in `active` and `values`. */
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

/** One level of a model: where its features are found, and sums of network rows for every pattern of a column. */
class Level {
  constructor(n, arrays) {
    this.n = n;
    this.side = n + 2 * PAD;
    this.recipe = []; // of each row of a table: the row it extends, and the feature that it adds
    this.features = 0;
    const flip = (places, x, y) => places.map(([dx, dy, dz]) => [x * dx, y * dy, dz]);
    const own = (places) => this.columns(places, this.side, 1, BACK);
    this.causal = own(CAUSAL);
    this.mirrors = [own(flip(NEAR, -1, 1)), own(flip(NEAR, 1, -1)), own(flip(NEAR, -1, -1))];
    if (n > 8) {
      const before = (places) => this.columns(places, n / 2 + 2 * PAD, 1, BACK);
      this.parents = [before(PARENT), before(flip(PARENT_NEAR, -1, 1)), before(flip(PARENT_NEAR, 1, -1))];
    }
    [this.x, this.y, this.z] = [n, n, n].map((count) => this.single(count));
    const parity = this.single(8);
    this.height = this.recipe.length; // of z and the parity together, which 4 z + 2 (x mod 2) + (y mod 2) tells
    for (let i = 0; i < 4 * n; i++) {
      this.recipe.push([this.z + (i >> 2), this.recipe[parity + 2 * (i & 3) + ((i >> 2) & 1)][1]]);
    }
    this.disagreement = this.single(60);
    if (n > 8) this.disagreementBefore = this.single(20);
    this.coarsest = this.single(512);
    this.prototype = this.columns(NEAR, this.side, 2, 2);
    this.readNetworks(arrays);
    this.grid = new Uint16Array(this.side ** 3); // of each voxel, its column: bit 7 + dz for dz from -7 to 4
    this.guess = new Uint16Array(this.side ** 3); // of the prototype: two bits for each dz from -2 to 2
    this.found = new Int32Array(256);
    this.line = -1; // x * n + y of the line whose features the bases hold
    this.buckets = new Int32Array(6);
    this.disagreements = new Int32Array(6);
    // Sums that all voxels share so far, and of the parents of one plane, kept for the children that share them.
    this.bases = [new Float64Array(this.glance.width), new Float64Array(this.first.width)];
    this.parentSums = [this.glance, this.first].map(({ width }) => new Float64Array((n / 2) ** 2 * width));
    this.parentPlanes = [new Int32Array((n / 2) ** 2), new Int32Array((n / 2) ** 2)];
  }

  /** Rows of features that are looked up by themselves; the first of them. */
  single(count) {
    const first = this.recipe.length;
    for (let i = 0; i < count; i++) this.recipe.push([-1, this.features + i]);
    this.features += count;
    return first;
  }

  /**
   * Features in columns along z, up to nine (prototypes: three) voxels to a pattern, which names a row of a table.
   * Of each: where its column lies, by how much to shift that, a mask, and the row of the empty pattern.
   */
  columns(places, side, bits, back) {
    const most = bits === 1 ? 9 : 3;
    const columns = new Map();
    places.forEach(([dx, dy, dz], i) => {
      const delta = (dx * side + dy) * side;
      if (!columns.has(delta)) columns.set(delta, []);
      columns.get(delta).push([dz, this.features + i * (bits === 1 ? 1 : 3)]);
    });
    this.features += places.length * (bits === 1 ? 1 : 3);
    const groups = [];
    for (const [delta, column] of columns) {
      column.sort((a, b) => a[0] - b[0]);
      const size = Math.ceil(column.length / Math.ceil(column.length / most));
      for (let at = 0; at < column.length; at += size) {
        const part = column.slice(at, at + size);
        groups.push(delta, (part[0][0] + back) * bits, 2 ** (part.length * bits) - 1, this.recipe.length);
        this.patterns(part.map(([, feature]) => feature), bits);
      }
    }
    return Int32Array.from(groups);
  }

  /** A row for every pattern of the voxels with these features: that of a pattern one step lower, and one feature. */
  patterns(features, bits) {
    const first = this.recipe.length;
    const mask = 2 ** bits - 1;
    this.recipe.push([-1, -1]);
    for (let pattern = 1; pattern < 2 ** (features.length * bits); pattern++) {
      let k = 0;
      while (((pattern >> (k * bits)) & mask) === 0) k++;
      const grade = (pattern >> (k * bits)) & mask;
      this.recipe.push([first + pattern - (1 << (k * bits)), features[k] + grade - 1]);
    }
  }

  readNetworks(arrays) {
    this.glance = new Layer(arrays.glance, arrays.glance_bias, 1, 2);
    this.first = new Layer(arrays.first, arrays.first_bias, 1, 2);
    this.glanceTable = this.table(this.glance);
    this.firstTable = this.table(this.first);
    this.second = new Layer(arrays.second, arrays.second_bias, LIMIT, 8);
    this.third = new Layer(arrays.third, arrays.third_bias, LIMIT, 8);
    this.lasts = [
      { weights: arrays.glance_last, bias: arrays.glance_last_bias[0] },
      { weights: arrays.last, bias: arrays.last_bias[0] },
    ];
    this.probabilities = arrays.probabilities;
  }

  table({ rows, width }) {
    const table = new Float64Array(this.recipe.length * width);
    this.recipe.forEach(([from, feature], row) => {
      for (let at = 0; at < width; at++) {
        const before = from < 0 ? 0 : table[from * width + at];
        table[row * width + at] = before + (feature < 0 ? 0 : rows[feature * width + at]);
      }
    });
    return table;
  }

  at(x, y, z) {
    return ((x + PAD) * this.side + y + PAD) * this.side + z + PAD;
  }

  occupied(x, y, z) {
    return (this.grid[this.at(x, y, z)] >> BACK) & 1;
  }

  set(x, y, z) {
    const at = this.at(x, y, z);
    for (let dz = -BACK; dz <= AHEAD; dz++) this.grid[at - dz] |= 1 << (dz + BACK);
  }

  /** The grid in raster order. */
  voxels() {
    const { n } = this;
    const voxels = new Uint8Array(n ** 3);
    let i = 0;
    for (let x = 0; x < n; x++) {
      for (let y = 0; y < n; y++) {
        for (let z = 0; z < n; z++) voxels[i++] = this.occupied(x, y, z);
      }
    }
    return voxels;
  }

  /** Takes the prototype's values of this level, 0 to 3 in raster order; null: all are 0. */
  setGuess(values) {
    const { n, guess } = this;
    guess.fill(0);
    if (!values) return;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) continue;
      const at = this.at(Math.floor(i / n / n), Math.floor(i / n) % n, i % n);
      for (let dz = -2; dz <= 2; dz++) guess[at - dz] |= values[i] << (2 * (dz + 2));
    }
  }

  /** Reads the voxels whose parents are occupied; `coarsest` is level 8, `before` the level before, null for level 8. */
  decode(coder, before, coarsest) {
    const { n } = this;
    this.begin(before, coarsest);
    for (let x = 0; x < n; x++) {
      for (let y = 0; y < n; y++) {
        for (let z = 0; z < n; z++) {
          if (before && !before.occupied(x >> 1, y >> 1, z >> 1)) continue;
          const bit = coder.bit(this.probability(x, y, z, before));
          if (bit) this.set(x, y, z);
          if (bit && !before) this.addToBases(this.coarsest + (x * n + y) * n + z, 1);
          this.compare(x, y, z, bit);
        }
      }
    }
  }

  begin(before, coarsest) {
    this.grid.fill(0);
    this.line = -1;
    this.buckets.fill(0);
    this.disagreements.fill(0);
    this.parentPlanes.forEach((planes) => planes.fill(-1));
    this.bases[0].set(this.glance.start);
    this.bases[1].set(this.first.start);
    for (let m = 0; m < 6; m++) this.addToBases(this.disagreement + 10 * m, 1);
    if (!before) return;
    before.asymmetries().forEach((count, m) => this.addToBases(this.disagreementBefore + 10 * m + bucket(count), 1));
    for (let i = 0; i < 512; i++) {
      if (coarsest.occupied(i >> 6, (i >> 3) & 7, i & 7)) this.addToBases(this.coarsest + i, 1);
    }
  }

  /** Puts x and y of the voxels to come into the bases. */
  enter(x, y) {
    if (this.line >= 0) {
      this.addToBases(this.x + Math.floor(this.line / this.n), -1);
      this.addToBases(this.y + (this.line % this.n), -1);
    }
    this.addToBases(this.x + x, 1);
    this.addToBases(this.y + y, 1);
    this.line = x * this.n + y;
  }

  addToBases(row, sign) {
    [this.glanceTable, this.firstTable].forEach((table, which) => {
      const base = this.bases[which];
      for (let at = 0; at < base.length; at++) base[at] += sign * table[row * base.length + at];
    });
  }

  /** How many voxels differ from their image in the mirrors x and y. */
  asymmetries() {
    const { n } = this;
    const counts = [0, 0];
    for (let x = 0; x < n; x++) {
      for (let y = 0; y < n; y++) {
        for (let z = 0; z < n; z++) {
          counts[0] += this.occupied(x, y, z) ^ this.occupied(n - 1 - x, y, z);
          counts[1] += this.occupied(x, y, z) ^ this.occupied(x, n - 1 - y, z);
        }
      }
    }
    return counts;
  }

  /** Counts with which mirrors the voxel just read disagrees, of those whose image was read before. */
  compare(x, y, z, bit) {
    const last = this.n - 1;
    for (let m = 0; m < 6; m++) {
      const shift = (m % 3) - 1;
      const image = last - (m < 3 ? x : y) + shift;
      if (image >= (m < 3 ? x : y)) continue;
      if ((m < 3 ? this.occupied(image, y, z) : this.occupied(x, image, z)) === bit) continue;
      const now = bucket(++this.disagreements[m]);
      if (now === this.buckets[m]) continue;
      this.addToBases(this.disagreement + 10 * m + this.buckets[m], -1);
      this.addToBases(this.disagreement + 10 * m + now, 1);
      this.buckets[m] = now;
    }
  }

  /** Of 65536, that the voxel is occupied. */
  probability(x, y, z, before) {
    const { n, found, grid } = this;
    let count = gather(this.causal, grid, this.at(x, y, z), found, 0);
    count = gather(this.mirrors[0], grid, this.at(n - 1 - x, y, z), found, count);
    count = gather(this.mirrors[1], grid, this.at(x, n - 1 - y, z), found, count);
    count = gather(this.mirrors[2], grid, this.at(n - 1 - x, n - 1 - y, z), found, count);
    count = gather(this.prototype, this.guess, this.at(x, y, z), found, count);
    found[count++] = this.height + 4 * z + 2 * (x & 1) + (y & 1);
    if (this.line !== x * n + y) this.enter(x, y);
    let logit = this.logit(0, x, y, z, before, count);
    if (logit >= -384 && logit <= 384) logit = this.logit(1, x, y, z, before, count);
    return this.probabilities[768 + Math.min(Math.max(logit, -768), 768)];
  }

  /** What the glance (0) or the look (1) says of the rows found. */
  logit(which, x, y, z, before, count) {
    const layer = which === 0 ? this.glance : this.first;
    const table = which === 0 ? this.glanceTable : this.firstTable;
    const parent = before ? this.parentAt(which, x >> 1, y >> 1, z >> 1, before, layer.width, table, count) : 0;
    sum(layer.sums, 0, layer.width, this.bases[which], this.parentSums[which], parent, table, this.found, 0, count);
    let units = layer.finish(16);
    let top = layer;
    if (which === 1) {
      units = this.second.apply(layer, units);
      units = this.third.apply(this.second, units);
      top = this.third;
    }
    const { weights, bias } = this.lasts[which];
    let logit = bias;
    for (let k = 0; k < units; k++) logit += top.values[k] * weights[top.active[k]];
    return logit >> 8;
  }

  /** Where in `parentSums` the sums over the level before lie; they are made once for the children of a voxel. */
  parentAt(which, x, y, z, before, width, table, behind) {
    const slot = (y * this.n) / 2 + z;
    if (this.parentPlanes[which][slot] === x) return slot * width;
    this.parentPlanes[which][slot] = x;
    const { found } = this;
    const last = before.n - 1;
    let end = gather(this.parents[0], before.grid, before.at(x, y, z), found, behind);
    end = gather(this.parents[1], before.grid, before.at(last - x, y, z), found, end);
    end = gather(this.parents[2], before.grid, before.at(x, last - y, z), found, end);
    const zero = ZERO.subarray(0, width);
    sum(this.parentSums[which], slot * width, width, zero, zero, 0, table, found, behind, end);
    return slot * width;
  }
}

const ZERO = new Float64Array(4096);

function bucket(count) {
  let found = 0;
  while (found < 9 && count >= BUCKETS[found]) found++;
  return found;
}

/** Appends to `found` the rows of the columns around a position that are not empty; the new end of `found`. */
function gather(groups, grid, position, found, end) {
  for (let g = 0; g < groups.length; g += 4) {
    const pattern = (grid[position + groups[g]] >> groups[g + 1]) & groups[g + 2];
    if (pattern !== 0) found[end++] = groups[g + 3] + pattern;
  }
  return end;
}

/** target[at..] = base + other[otherAt..] + the rows found[begin..end] of a table. */
function sum(target, targetAt, width, base, other, otherAt, table, found, begin, end) {
  for (let at = 0; at < width; at += 4) {
    let a = base[at] + other[otherAt + at];
    let b = base[at + 1] + other[otherAt + at + 1];
    let c = base[at + 2] + other[otherAt + at + 2];
    let d = base[at + 3] + other[otherAt + at + 3];
    for (let i = begin; i < end; i++) {
      const row = Math.imul(found[i], width) + at;
      a += table[row];
      b += table[row + 1];
      c += table[row + 2];
      d += table[row + 3];
    }
    target[targetAt + at] = a;
    target[targetAt + at + 1] = b;
    target[targetAt + at + 2] = c;
    target[targetAt + at + 3] = d;
  }
}

/** A model as loadModel makes it: its `fingerprint`, its `resolution`, and what decodes. */
export class Model {
  /** `arrays`: by the names of the specification, networks under `networks[n]`. */
  constructor(resolution, fingerprint, arrays) {
    this.resolution = resolution;
    this.fingerprint = fingerprint;
    this.codebooks = arrays.codebooks;
    this.prototypes = arrays.members.length;
    this.known = arrays.known;
    this.knownShapes = arrays.known.length / (resolution ** 3 / 8);
    this.levels = Object.entries(arrays.networks).map(([n, network]) => new Level(Number(n), network));
    this.bits = bitLength(this.prototypes + 1);
    const members = arrays.members.reduce((total, value) => total + value, 0);
    // Sums of the weights of all numbers before one.
    this.weights = new Float64Array(2 ** this.bits + 1);
    for (let number = 0; number < 2 ** this.bits; number++) {
      let weight = 0;
      if (number === 0) weight = 1 + Math.floor(members / 256);
      else if (number <= this.prototypes) weight = arrays.members[number - 1];
      else if (number === this.prototypes + 1) weight = 1 + Math.floor(members / 32);
      this.weights[number + 1] = this.weights[number] + weight;
    }
  }

  /** The next shape of a payload. */
  shape(coder) {
    const start = this.start(coder);
    if (coder.bit(8192)) {
      const grid = new Uint8Array(this.resolution ** 3);
      return start ? start.at(-1).map((value) => value >> 1) : grid;
    }
    this.levels.forEach((level, i) => {
      level.setGuess(start && start[i]);
      level.decode(coder, i > 0 ? this.levels[i - 1] : null, this.levels[0]);
    });
    return this.levels.at(-1).voxels();
  }

  /** The values of the prototype or known shape that a shape starts from, level by level; null for none. */
  start(coder) {
    let number = 0;
    for (let left = this.bits - 1; left >= 0; left--) {
      const from = (2 * number) * 2 ** left;
      const size = 2 ** left;
      const zero = this.weights[from + size] - this.weights[from];
      const one = this.weights[from + 2 * size] - this.weights[from + size];
      const p = zero + one === 0 ? 1 : Math.min(Math.max(Math.floor((one * 65536) / (zero + one)), 1), 65535);
      number = 2 * number + coder.bit(p);
    }
    if (number === this.prototypes + 1) return this.knownShape(coder);
    if (number === 0 || number > this.prototypes) return null;
    return this.levels.map(({ n }, i) => this.codebooks[i].subarray((number - 1) * n ** 3, number * n ** 3));
  }

  knownShape(coder) {
    let number = 0;
    for (let left = bitLength(Math.max(this.knownShapes - 1, 0)); left > 0; left--) number = 2 * number + coder.bit(32768);
    if (number >= this.knownShapes) number = 0;
    if (this.knownShapes === 0) return null;
    const size = this.resolution ** 3 / 8;
    const bytes = this.known.subarray(number * size, (number + 1) * size);
    let values = Uint8Array.from({ length: 8 * size }, (_, i) => 3 * ((bytes[i >> 3] >> (7 - (i & 7))) & 1));
    const found = [values];
    for (let n = this.resolution / 2; n >= 8; n /= 2) {
      const coarse = new Uint8Array(n ** 3);
      values.forEach((value, i) => {
        const [x, y, z] = [Math.floor(i / (4 * n * n)), Math.floor(i / (2 * n)) % (2 * n), i % (2 * n)];
        if (value) coarse[((x >> 1) * n + (y >> 1)) * n + (z >> 1)] = 3;
      });
      found.unshift((values = coarse));
    }
    return found;
  }
}

const bitLength = (value) => (value === 0 ? 0 : Math.floor(Math.log2(value)) + 1);

const NETWORK = "glance glance_last first second third last".split(" ");

/**
 * The model in a file of `keras3dgan export_models --format=web`, as it lies on disk or already inflated.
 *
 * The file: gzip of `G3M`, version 1, the size of a header (uint32), the header (JSON: resolution, prototypes, known,
 * units of each network, fingerprint in hex), and the arrays in the order in which the fingerprint hashes them.
 */
export async function loadModel(bytes) {
  const content = bytes[0] === 0x1f && bytes[1] === 0x8b ? await inflate(bytes, "gzip", 2 ** 30) : bytes;
  if (content[0] !== 0x47 || content[1] !== 0x33 || content[2] !== 0x4d) {
    throw new FormatError("not a model for the web; keras3dgan export_models --format=web writes one.");
  }
  if (content[3] !== 1) throw new FormatError(`a model file of version ${content[3]}; this decoder reads version 1.`);
  const size = new DataView(content.buffer, content.byteOffset).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(content.subarray(8, 8 + size)));
  return readArrays(header, content.slice(8 + size));
}

function readArrays({ resolution, prototypes, known, units, fingerprint }, body) {
  let at = 0;
  const take = (Type, count) => {
    const bytes = body.slice(at, (at += count * Type.BYTES_PER_ELEMENT));
    if (bytes.length < count * Type.BYTES_PER_ELEMENT) throw new FormatError("cut off: a model file lacks its end.");
    return new Type(bytes.buffer);
  };
  const levels = [];
  for (let n = 8; n <= resolution; n *= 2) levels.push(n);
  const codebooks = levels.map((n) => take(Uint8Array, prototypes * n ** 3));
  const members = take(Uint16Array, prototypes);
  const arrays = { codebooks, members, known: take(Uint8Array, (known * resolution ** 3) / 8), networks: {} };
  for (const n of levels) {
    const network = {};
    for (const name of NETWORK) {
      const [inputs, outputs] = units[n][name];
      const Type = name === "glance" || name === "first" ? Int16Array : Int32Array;
      network[name] = take(Type, inputs * outputs);
      network[`${name}_bias`] = take(Type, outputs);
    }
    network.probabilities = take(Int32Array, 1537);
    arrays.networks[n] = network;
  }
  return new Model(resolution, Uint8Array.from(fingerprint.match(/../g), (pair) => parseInt(pair, 16)), arrays);
}

/** Inflates at most `most` bytes. */
export async function inflate(bytes, format, most) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  const parts = [];
  let size = 0;
  try {
    for (const reader = stream.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
      if (size > most) throw new FormatError(`inflates to more than ${most} bytes.`);
    }
  } catch (error) {
    throw error instanceof FormatError ? error : new FormatError("cut off or damaged: it does not inflate.");
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
