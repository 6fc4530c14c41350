/**
 * Reads `.g3a` archives (docs/g3c.md): the index first, blocks when they are asked for.
 *
 *     const archive = await openArchive(urlSource("chairs.g3a"));
 *     archive.count; archive.name(7); const [voxels] = decodeBlock(await archive.block(0), archive.shapes(0), model);
 *     turnBack(voxels, model.resolution, archive.origin(0).pose);
 *
 * A source has a `size` and a `read(begin, end)`, which gives bytes; there is one for each of URLs, files and bytes.
 */

import { FormatError, inflate } from "./decoder.js";
import { isMark, placeLength, readOrigin } from "./origin.js";

export const BLOCK = 16; // shapes of a block
const HEADER = 7;
const FOOTER = 16;
const MOST_SHAPES = 2 ** 22;
const MOST_INDEX = 2 ** 27; // bytes
const MOST_NAME = 1024;
const MOST_ORIGIN = 9; // bytes
const MOST_WHOLE = 2 ** 28; // bytes of an archive from a server that sends no parts
const CHUNK = 2 ** 15; // bytes of a request: some eighty blocks of 32^3
const KEPT = 256; // chunks

/** Reads the index of an archive. Throws a FormatError if it is none, or cut off, or damaged. */
export async function openArchive(source) {
  const size = await source.size();
  if (size < HEADER + FOOTER) throw new FormatError("not a .g3a archive, or cut off.");
  const head = await source.read(0, HEADER);
  if (String.fromCharCode(...head.subarray(0, 3)) !== "G3A") throw new FormatError("not a .g3a archive.");
  if (head[3] !== 3 && head[3] !== 4)
    throw new FormatError(`an archive of version ${head[3]}; this reader reads versions 3 and 4.`);
  const end = size - FOOTER;
  const footer = view(await source.read(end, size));
  const begin = Number(footer.getBigUint64(0, true));
  const count = footer.getUint32(8, true);
  const damaged = () => new FormatError("cut off or damaged: its index cannot be read.");
  if (begin < HEADER || begin > end || end - begin > MOST_INDEX || count > MOST_SHAPES) throw damaged();
  const index = await source.read(begin, end);
  if (crc32(index, count) !== footer.getUint32(12, true)) throw damaged();
  const blocks = Math.ceil(count / BLOCK);
  if (4 * blocks > index.length) throw damaged();
  const most = Math.min(9 * blocks + (MOST_NAME + 1 + MOST_ORIGIN) * count + 1, MOST_INDEX);
  const content = await inflate(index.subarray(4 * blocks), "deflate", most);
  const [offsets, at] = readSizes(content, blocks);
  if (offsets === null || offsets[blocks] !== begin) throw damaged();
  const lay = head[3] === 4 ? readOrigins(content.subarray(at), count) : { length: 0, of: () => readOrigin(3) };
  if (lay === null) throw damaged();
  const rest = content.subarray(at + lay.length);
  const names = rest.length === 0 ? null : splitNames(rest, count);
  if (names === undefined) throw damaged();
  const checks = view(index);
  const check = (block) => checks.getUint32(4 * block, true);
  return new Archive(source, head.slice(4), count, names, offsets, check, lay.of);
}

/** How many bytes tell how shapes lay in their files, and what tells it `of` a row; null if they do not stand there. */
function readOrigins(content, count) {
  const places = new Float64Array(count + 1);
  places[0] = count;
  for (let row = 0; row < count; row++) {
    if (row >= content.length || !isMark(content[row])) return null;
    const length = placeLength(content[row], content.subarray(places[row], places[row] + 8));
    if (length === null) return null;
    places[row + 1] = places[row] + length;
  }
  const of = (row) => readOrigin(content[row], content.subarray(places[row], places[row + 1]));
  return { length: places[count], of };
}

/** Where blocks begin and the last one ends, from their sizes in base 128; null if they do not stand there. */
function readSizes(content, blocks) {
  const offsets = new Float64Array(blocks + 1);
  offsets[0] = HEADER;
  let at = 0;
  for (let block = 0; block < blocks; block++) {
    let size = 0;
    let factor = 1;
    for (; ; factor *= 128) {
      if (at >= content.length || factor > 2 ** 46) return [null, at];
      const byte = content[at++];
      size += (byte & 127) * factor;
      if (byte < 128) break;
    }
    offsets[block + 1] = offsets[block] + size;
  }
  return [offsets, at];
}

function splitNames(bytes, count) {
  try {
    const names = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes).split("\n");
    return names.length === count ? names : undefined;
  } catch {
    return undefined;
  }
}

class Archive {
  /** `origin` tells how the shape of a row lay in its file. */
  constructor(source, fingerprint, count, names, offsets, check, origin) {
    Object.assign(this, { source, fingerprint, count, names, offsets, check, origin });
  }

  /** The name of a shape; its number where shapes have none. */
  name(row) {
    return this.names ? this.names[row] : String(row).padStart(6, "0");
  }

  /** How many shapes a block holds. */
  shapes(block) {
    return Math.min(BLOCK, this.count - block * BLOCK);
  }

  /** Bytes of a block. */
  bytes(block) {
    return this.offsets[block + 1] - this.offsets[block];
  }

  /** The payload of a block; throws a FormatError if it is damaged. */
  async block(block) {
    const payload = await this.source.read(this.offsets[block], this.offsets[block + 1]);
    if (crc32(payload, 0) === this.check(block)) return payload;
    const last = block * BLOCK + this.shapes(block) - 1;
    throw new FormatError(`${this.name(block * BLOCK)} to ${this.name(last)}: damaged, their checksum does not match.`);
  }
}

/** Bytes in memory. */
export function bytesSource(bytes) {
  return { size: async () => bytes.length, read: async (begin, end) => bytes.subarray(begin, end) };
}

/** A File or Blob of a browser, read in parts. */
export function blobSource(blob) {
  return chunked(blob.size, async (begin, end) => new Uint8Array(await blob.slice(begin, end).arrayBuffer()));
}

/** A file on a server, by range requests; from a server that knows none it is read as a whole. */
export function urlSource(url, get = fetch) {
  let opened = null;
  const open = async () => {
    // The end of an archive holds its index, or the beginning of what tells where it is.
    const response = await request(get, url, `bytes=-${CHUNK}`);
    if (Number(response.headers.get("Content-Length")) > MOST_WHOLE) {
      throw new FormatError(`${url}: its server sends no parts of files, and the whole is too large.`);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "");
    if (response.status !== 206 || !range) return bytesSource(bytes);
    const first = Number(range[1]);
    const size = Number(range[2]);
    const rest = chunked(size, async (begin, end) => {
      const part = await request(get, url, `bytes=${begin}-${end - 1}`);
      if (part.status !== 206) throw new FormatError(`${url}: the server stopped answering requests for a part.`);
      return new Uint8Array(await part.arrayBuffer());
    });
    const read = (begin, end) => (begin >= first ? bytes.subarray(begin - first, end - first) : rest.read(begin, end));
    return { size: rest.size, read: async (begin, end) => read(begin, end) };
  };
  const source = () => (opened ??= open());
  return { size: async () => (await source()).size(), read: async (begin, end) => (await source()).read(begin, end) };
}

async function request(get, url, range) {
  let response;
  try {
    response = await get(url, { headers: { Range: range } });
  } catch {
    throw new FormatError(`${url}: cannot be reached, or its server lets no other page read it (CORS).`);
  }
  if (!response.ok) throw new FormatError(`${url}: the server answers ${response.status}.`);
  return response;
}

/** Reads whole chunks and keeps the latest, so that blocks beside each other take one request. */
function chunked(size, fetchPart) {
  const chunks = new Map();
  const chunk = (number) => {
    const known = chunks.get(number) ?? fetchPart(number * CHUNK, Math.min((number + 1) * CHUNK, size));
    chunks.delete(number);
    chunks.set(number, known);
    known.catch(() => chunks.delete(number));
    if (chunks.size > KEPT) chunks.delete(chunks.keys().next().value);
    return known;
  };
  const read = async (begin, end) => {
    if (end - begin > CHUNK) return fetchPart(begin, end);
    const first = Math.floor(begin / CHUNK);
    const last = Math.floor(Math.max(end - 1, begin) / CHUNK);
    const parts = await Promise.all(first === last ? [chunk(first)] : [chunk(first), chunk(last)]);
    const whole = parts.length === 1 ? parts[0] : concatenate(parts);
    return whole.subarray(begin - first * CHUNK, end - first * CHUNK);
  };
  return { size: async () => size, read };
}

function concatenate([one, other]) {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}

const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** As zlib's crc32: of bytes, going on from the CRC of others. */
function crc32(bytes, before) {
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 255];
  return ~crc >>> 0;
}
