/**
 * Decodes `.g3c` streams of octree models, as docs/g3c.md specifies them; archives: archive.js.
 *
 * Written from that page alone, in integers throughout, so a stream gives the voxels that keras3dgan gives.
 * Runs in browsers, workers and Node; needs nothing.
 *
 *     const model = await loadModel(bytes);    // a file of `keras3dgan export_models --format=web`
 *     const voxels = decode(stream, model);    // Uint8Array of zeros and ones; index (x * n + y) * n + z, z up
 */

import { ArithmeticDecoder } from "./arithmetic.js";
import { Level } from "./level.js";
import { isMark, placeLength, readOrigin, turnBack } from "./origin.js";

/** What a caller can tell a person: one sentence about a file. */
export class FormatError extends Error {}

const HEADER = 5; // bytes before what follows the fingerprint
const OVERHEAD = 7; // bytes of a stream around its payload and placement
const MOST_BYTES_A_VOXEL = 3;

/** The shape in a stream, as it stood: n^3 zeros and ones in raster order. Throws a FormatError on anything else. */
export function decode(stream, model) {
  const [voxels] = decodeBlock(unwrap(stream, model), 1, model);
  return turnBack(voxels, model.resolution, origin(stream).pose);
}

/** How the shape of a stream that `checkStream` has taken lay in its file (origin.js). */
export const origin = (stream) => readOrigin(stream[1], stream.subarray(HEADER, stream.length - 2));

/** The payload of a `.g3c` stream of `model`, checked in the order that the specification gives. */
function unwrap(stream, model) {
  checkStream(stream);
  const written = stream.subarray(2, 5);
  if (written.some((byte, i) => byte !== model.fingerprint[i])) {
    throw new FormatError(`written with model ${hex(written)}, not with ${hex(model.fingerprint.subarray(0, 3))}.`);
  }
  const rest = stream.subarray(HEADER, stream.length - 2);
  const length = placeLength(stream[1], rest);
  if (length === null) throw new FormatError("damaged: its placement is cut off.");
  return rest.subarray(length);
}

/** Throws a FormatError if bytes are no whole `.g3c` stream, of whichever model. */
export function checkStream(stream) {
  if (stream[0] !== 0x47) throw new FormatError("not a .g3c file: it does not begin with G.");
  if (stream.length < OVERHEAD) throw new FormatError(`cut off: ${stream.length} bytes are fewer than the least, 7.`);
  if (!isMark(stream[1]))
    throw new FormatError(`a .g3c file of version ${stream[1]}; this decoder reads versions 3 and 4.`);
  const end = stream.length - 2;
  if (crc16(stream, end) !== stream[end] + 256 * stream[end + 1]) {
    throw new FormatError("cut off or damaged: its checksum does not match.");
  }
}

/** The shapes of one payload, `count` of them, in the poses in which they are coded. Any bytes give shapes, but for more than any encoder writes. */
export function decodeBlock(payload, count, model) {
  return [...decodeShapes(payload, count, model)];
}

/** As decodeBlock, one shape at a time. */
export function* decodeShapes(payload, count, model) {
  if (payload.length > count * MOST_BYTES_A_VOXEL * model.resolution ** 3) {
    throw new FormatError("damaged: it is longer than any stream of its model.");
  }
  const coder = new ArithmeticDecoder(payload);
  for (let shape = 0; shape < count; shape++) yield model.shape(coder);
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
      const from = 2 * number * 2 ** left;
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
    for (let left = bitLength(Math.max(this.knownShapes - 1, 0)); left > 0; left--)
      number = 2 * number + coder.bit(32768);
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
  try {
    const size = new DataView(content.buffer, content.byteOffset).getUint32(4, true);
    return readModel(JSON.parse(new TextDecoder().decode(content.subarray(8, 8 + size))), content.slice(8 + size));
  } catch {
    throw new FormatError("not a whole model for the web; export it again.");
  }
}

function readModel({ resolution, prototypes, known, units, fingerprint }, body) {
  let at = 0;
  const take = (Type, count) => new Type(body.slice(at, (at += count * Type.BYTES_PER_ELEMENT)).buffer, 0, count);
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
  if (at !== body.length) throw new RangeError("more bytes than arrays");
  return new Model(
    resolution,
    Uint8Array.from(fingerprint.match(/../g), (pair) => parseInt(pair, 16)),
    arrays,
  );
}

/** Inflates at most `most` bytes. */
export async function inflate(bytes, format, most) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  const parts = [];
  let size = 0;
  try {
    for (const reader = stream.getReader(); ;) {
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
