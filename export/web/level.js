/**
 * One level of an octree model: the walk through its voxels, and what each of them is told (docs/g3c.md).
 *
 * Sums of network rows are kept for every pattern of voxels in a column: a few additions tell what hundreds of zeros and
 * ones do.
 */

import { Layer, LIMIT } from "./network.js";

const PAD = 8; // empty voxels on every side of a grid in memory
const BACK = 7; // how far before a voxel its column is looked at; 4 behind it
const AHEAD = 4;
const BUCKETS = [1, 2, 3, 5, 8, 12, 17, 25, 41]; // where buckets 1 to 9 of a count begin

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
  ...[-7, -6, -5].flatMap((d) => [
    [d, 0, 0],
    [0, d, 0],
    [0, 0, d],
  ]),
];

const NOTHING = new Float64Array(1024); // as wide as any layer

/** One level of a model: where its features are found, and sums of network rows for every pattern of a column. */
export class Level {
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
    if (arrays.glance.length !== this.features * arrays.glance_bias.length) throw new RangeError("other features");
    if (!arrays.probabilities.every((p) => p > 0 && p < 65536)) throw new RangeError("no probability");
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
        this.patterns(
          part.map(([, feature]) => feature),
          bits,
        );
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

  /** Reads the voxels whose parents are occupied; `coarsest` is level 8, `before` the level before (null for 8). */
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
    sum(this.parentSums[which], slot * width, width, NOTHING, NOTHING, 0, table, found, behind, end);
    return slot * width;
  }
}

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
