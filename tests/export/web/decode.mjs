// node decode.mjs MODEL STREAMS: of each stream (base64, in JSON) the SHA-256 of its voxels, or the error's sentence.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { decode, decodeBlock, FormatError, loadModel, origin } from "../../../export/web/decoder.js";

const [path, streams] = process.argv.slice(2);
const model = await loadModel(readFileSync(path));
const answers = JSON.parse(readFileSync(streams)).map(({ content, count }) => {
  const bytes = new Uint8Array(Buffer.from(content, "base64"));
  const begin = performance.now();
  try {
    const shapes = count === undefined ? [decode(bytes, model)] : decodeBlock(bytes, count, model);
    const hash = createHash("sha256");
    for (const voxels of shapes) hash.update(voxels);
    const lay = count === undefined ? origin(bytes) : null;
    return { hash: hash.digest("hex"), origin: lay, ms: performance.now() - begin };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { error: error.message, ms: performance.now() - begin };
  }
});
console.log(JSON.stringify(answers));
