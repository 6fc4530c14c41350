// node archive.mjs MODEL FILE...: of each archive the names and the SHA-256 of all voxels, or the error's sentence.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { bytesSource, openArchive } from "../../../export/web/archive.js";
import { decodeBlock, FormatError, loadModel } from "../../../export/web/decoder.js";
import { turnBack } from "../../../export/web/origin.js";

const [path, ...files] = process.argv.slice(2);
const model = await loadModel(readFileSync(path));
const answers = [];
for (const file of files) {
  try {
    const archive = await openArchive(bytesSource(new Uint8Array(readFileSync(file))));
    const hash = createHash("sha256");
    for (let block = 0; block * 16 < archive.count; block++) {
      const shapes = decodeBlock(await archive.block(block), archive.shapes(block), model);
      shapes.forEach((voxels, place) => {
        hash.update(turnBack(voxels, model.resolution, archive.origin(16 * block + place).pose));
      });
    }
    const names = Array.from({ length: archive.count }, (_, row) => archive.name(row));
    const origins = names.map((_, row) => archive.origin(row));
    answers.push({ names, origins, hash: hash.digest("hex") });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    answers.push({ error: error.message });
  }
}
console.log(JSON.stringify(answers));
