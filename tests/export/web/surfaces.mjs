// node surfaces.mjs GRID N FOLDER ORIGIN: writes a grid's surfaces (one byte a voxel) as blocks.obj, smooth.glb and so on.
import { readFileSync, writeFileSync } from "node:fs";
import { blocks, glb, obj, smooth } from "../../../export/web/surface.js";

const [grid, n, folder, origin] = process.argv.slice(2);
const voxels = new Uint8Array(readFileSync(grid));
for (const [name, surface] of Object.entries({ blocks, smooth })) {
  const mesh = surface(voxels, Number(n));
  writeFileSync(`${folder}/${name}.obj`, obj(mesh, JSON.parse(origin)));
  writeFileSync(`${folder}/${name}.glb`, glb(mesh, JSON.parse(origin)));
}
