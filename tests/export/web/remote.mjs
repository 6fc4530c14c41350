// node remote.mjs URL ROW...: what opening an archive on a server takes, and the payload of the block of each row.
import { openArchive, urlSource } from "../../../export/web/archive.js";

const [url, ...rows] = process.argv.slice(2);
const begin = performance.now();
const archive = await openArchive(urlSource(url));
const ms = performance.now() - begin;
const blocks = [];
for (const row of rows) blocks.push(Buffer.from(await archive.block(Math.floor(row / 16))).toString("hex"));
console.log(JSON.stringify({ count: archive.count, ms, names: rows.map((row) => archive.name(row)), blocks }));
