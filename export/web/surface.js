/**
 * Surfaces of grids: the outer faces of voxels, or a smooth one (surface nets), and files of them.
 *
 * Grids are zeros and ones in raster order, (x * n + y) * n + z, z up; surfaces lie in [-0.5, 0.5]^3, as keras3dgan's.
 * A mesh has `positions` and `normals` (three numbers a vertex), `shades` (one a vertex, 1 in the open) and `indices`.
 */

const SHADES = [0.5, 0.68, 0.84, 1]; // of a corner of a face, by how few of its neighbours are occupied
// Shares of the way to the middle of a vertex's neighbours, there and back, so that thin parts stay (Taubin 1995).
const RELAXATIONS = [0.6, -0.63, 0.6, -0.63, 0.6, -0.63, 0.4];

/** The faces between occupied and empty voxels, darker in corners. */
export function blocks(voxels, n) {
  const side = n + 2; // with empty voxels around
  const steps = [side * side, side, 1];
  const grid = new Uint8Array(side ** 3);
  for (let i = 0; i < voxels.length; i++) {
    grid[(Math.floor(i / n / n) + 1) * steps[0] + ((Math.floor(i / n) % n) + 1) * side + (i % n) + 1] = voxels[i];
  }
  const mesh = { positions: [], normals: [], shades: [], indices: [] };
  for (let i = 0; i < voxels.length; i++) {
    if (!voxels[i]) continue;
    const voxel = [Math.floor(i / n / n), Math.floor(i / n) % n, i % n];
    const at = (voxel[0] + 1) * steps[0] + (voxel[1] + 1) * side + voxel[2] + 1;
    for (let axis = 0; axis < 3; axis++) {
      for (const way of [-1, 1]) {
        const outside = at + way * steps[axis];
        if (!grid[outside]) addFace(mesh, grid, outside, steps, voxel, axis, way, n);
      }
    }
  }
  return typed(mesh);
}

const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const dark = [0, 0, 0, 0];

function addFace({ positions, normals, shades, indices }, grid, outside, steps, voxel, axis, way, n) {
  const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
  const first = positions.length / 3;
  for (let k = 0; k < 4; k++) {
    const [a, b] = CORNERS[k];
    for (let c = 0; c < 3; c++) {
      const corner = voxel[c] + (c === axis ? (way > 0 ? 1 : 0) : c === u ? a : b);
      positions.push(corner / n - 0.5);
      normals.push(c === axis ? way : 0);
    }
    const [du, dv] = [(2 * a - 1) * steps[u], (2 * b - 1) * steps[v]];
    const [one, other] = [grid[outside + du], grid[outside + dv]];
    dark[k] = one && other ? 0 : 3 - one - other - grid[outside + du + dv];
    shades.push(SHADES[dark[k]]);
  }
  // Across the diagonal that keeps the shade of a single dark corner in its corner.
  const turn = dark[0] + dark[2] < dark[1] + dark[3] ? 1 : 0;
  for (const corner of way > 0 ? [0, 1, 2, 0, 2, 3] : [0, 2, 1, 0, 3, 2]) indices.push(first + ((corner + turn) % 4));
}

/** A smooth surface: a vertex in each cell that it crosses, relaxed within the cell (surface nets, Gibson 1998). */
export function smooth(voxels, n) {
  const side = n + 1; // cells, whose corners are the centres of voxels
  const at = (x, y, z) => (x >= 0 && y >= 0 && z >= 0 && x < n && y < n && z < n ? voxels[(x * n + y) * n + z] : 0);
  const vertex = new Int32Array(side ** 3).fill(-1);
  const cells = [];
  for (let x = 0; x < side; x++) {
    for (let y = 0; y < side; y++) {
      for (let z = 0; z < side; z++) {
        let occupied = 0;
        for (let k = 0; k < 8; k++) occupied += at(x - (k & 1), y - ((k >> 1) & 1), z - (k >> 2));
        if (occupied === 0 || occupied === 8) continue;
        vertex[(x * side + y) * side + z] = cells.length / 3;
        cells.push(x, y, z);
      }
    }
  }
  const quads = [];
  const cell = (p) => vertex[(p[0] * side + p[1]) * side + p[2]];
  for (let i = 0; i < cells.length; i += 3) {
    for (let axis = 0; axis < 3; axis++) addQuad(quads, at, cell, cells.slice(i, i + 3), axis);
  }
  const positions = relaxed(cells, quads);
  const indices = quads.flatMap(([a, b, c, d]) => [a, b, c, a, c, d]);
  const shades = new Float32Array(cells.length / 3).fill(1);
  return {
    positions: positions.map((c) => c / n - 0.5),
    normals: normalsOf(positions, indices),
    shades,
    indices: Uint32Array.from(indices),
  };
}

/** The quad across the edge that leads along an axis to a cell's upper corner, if the edge crosses the surface. */
function addQuad(quads, at, cell, upper, axis) {
  const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
  const below = [...upper];
  below[axis] -= 1;
  const [inside, outside] = [at(...below), at(...upper)];
  if (inside === outside) return;
  const around = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ].map(([a, b]) => {
    const place = [...upper];
    place[u] += a;
    place[v] += b;
    return cell(place);
  });
  quads.push(inside ? around : around.reverse());
}

function relaxed(cells, quads) {
  let positions = Float32Array.from(cells);
  const neighbours = Array.from({ length: cells.length / 3 }, () => new Set());
  for (const quad of quads) {
    quad.forEach((vertex, i) => neighbours[vertex].add(quad[(i + 1) % 4]).add(quad[(i + 3) % 4]));
  }
  for (const share of RELAXATIONS) {
    const before = positions;
    positions = positions.map((value, i) => {
      const near = neighbours[Math.floor(i / 3)];
      let mean = 0;
      for (const other of near) mean += before[3 * other + (i % 3)] / near.size;
      return Math.min(Math.max(value + share * (mean - value), cells[i] - 0.5), cells[i] + 0.5);
    });
  }
  return positions;
}

function normalsOf(positions, indices) {
  const normals = new Float32Array(positions.length);
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => positions.subarray(3 * indices[i + k], 3 * indices[i + k] + 3));
    const [p, q] = [b, c].map((end) => end.map((value, k) => value - a[k]));
    const cross = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
    for (let k = 0; k < 3; k++) cross.forEach((value, axis) => (normals[3 * indices[i + k] + axis] += value));
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
    for (let k = 0; k < 3; k++) normals[i + k] /= length;
  }
  return normals;
}

function typed({ positions, normals, shades, indices }) {
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    shades: Float32Array.from(shades),
    indices: Uint32Array.from(indices),
  };
}

/** The same mesh with one vertex for each place and normal-free, as files want it. */
function joined({ positions, indices }) {
  const numbers = new Map();
  const places = [];
  const number = Array.from({ length: positions.length / 3 }, (_, i) => {
    const place = positions.subarray(3 * i, 3 * i + 3);
    const key = place.join();
    if (!numbers.has(key)) {
      numbers.set(key, numbers.size);
      places.push(...place);
    }
    return numbers.get(key);
  });
  return { positions: Float32Array.from(places), indices: indices.map((i) => number[i]) };
}

/** A mesh's positions where its shape lay, in the units of the file that it came from; z up still. */
function placed({ positions, indices }, { placement }) {
  if (!placement) return { positions, indices };
  const { centre, side } = placement;
  return { positions: positions.map((value, i) => value * side + centre[i % 3]), indices };
}

/** Positions with y up instead of z. */
const yUp = (positions) => positions.map((_, i) => [positions[i], positions[i + 1], -positions[i - 1]][i % 3]);

/** A mesh as the text of an `.obj` file, as its `origin` says: where it lay, with z up or y. */
export function obj(mesh, origin) {
  const { positions: upright, indices } = placed(joined(mesh), origin);
  const positions = origin.up === "y" ? yUp(upright) : upright;
  const lines = [];
  for (let i = 0; i < positions.length; i += 3) lines.push(`v ${[...positions.subarray(i, i + 3)].join(" ")}`);
  for (let i = 0; i < indices.length; i += 3)
    lines.push(`f ${[...indices.subarray(i, i + 3)].map((v) => v + 1).join(" ")}`);
  return `${lines.join("\n")}\n`;
}

/** A mesh as the bytes of a `.glb` file, where it lay; y up, as glTF wants it. */
export function glb(mesh, origin) {
  const { positions, indices } = placed(joined(mesh), origin);
  const turned = yUp(positions);
  const bounds = (pick) =>
    [0, 1, 2].map((axis) => turned.filter((_, i) => i % 3 === axis).reduce((a, b) => pick(a, b)));
  const json = JSON.stringify({
    asset: { version: "2.0", generator: "keras3dgan" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1 }] }],
    buffers: [{ byteLength: turned.byteLength + indices.byteLength }],
    bufferViews: [
      { buffer: 0, byteLength: turned.byteLength, target: 34962 },
      { buffer: 0, byteOffset: turned.byteLength, byteLength: indices.byteLength, target: 34963 },
    ],
    accessors: [
      {
        bufferView: 0,
        componentType: 5126,
        count: turned.length / 3,
        type: "VEC3",
        min: bounds(Math.min),
        max: bounds(Math.max),
      },
      { bufferView: 1, componentType: 5125, count: indices.length, type: "SCALAR" },
    ],
  });
  const text = new TextEncoder().encode(json.padEnd(4 * Math.ceil(json.length / 4)));
  const body = turned.byteLength + indices.byteLength;
  const file = new Uint8Array(12 + 8 + text.length + 8 + body);
  const header = new DataView(file.buffer);
  [0x46546c67, 2, file.length, text.length, 0x4e4f534a].forEach((word, i) => header.setUint32(4 * i, word, true));
  file.set(text, 20);
  header.setUint32(20 + text.length, body, true);
  header.setUint32(24 + text.length, 0x004e4942, true);
  file.set(new Uint8Array(turned.buffer), 28 + text.length);
  file.set(new Uint8Array(indices.buffer), 28 + text.length + turned.byteLength);
  return file;
}
