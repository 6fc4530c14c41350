/** Rows of shapes in a report: original and reconstructions beside each other, which turn together. */

import { inflate } from "./decoder.js";
import { makeQueue, makeStage, orbit, startView } from "./stage.js";
import { Shown } from "./wall.js";

const stage = makeStage(!new URLSearchParams(location.search).has("nowebgl"));

async function start(section) {
  const { resolution, bits, rows } = JSON.parse(section.querySelector("script").textContent);
  const packed = Uint8Array.from(atob(bits), (letter) => letter.charCodeAt(0));
  const size = Math.ceil(resolution ** 3 / 8);
  const count = rows.reduce((total, { cells }) => total + cells.length, 0);
  const grids = await inflate(packed, "deflate", count * size);
  const view = startView();
  const cells = [];
  const color = (kind) => getComputedStyle(section).getPropertyValue(`--${kind}`).trim();
  const draw = makeQueue((cell) => {
    if (!cell.seen) return;
    // All of a row are seen from where its first one fills the picture.
    cell.shown ??= new Shown(unpack(grids.subarray(cell.number * size, (cell.number + 1) * size)), resolution);
    const first = cell.row[0];
    first.shown ??= new Shown(unpack(grids.subarray(first.number * size, (first.number + 1) * size)), resolution);
    const frame = first.shown.voxels.includes(1) ? first.shown.frame : cell.shown.frame;
    stage.draw(cell.canvas, cell.shown.mesh("blocks"), view, color(cell === first ? "original" : "shape"), frame);
    cell.canvas.dataset.drawn = "";
  });
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const cell = cells.find(({ canvas }) => canvas === target);
        cell.seen = isIntersecting;
        if (isIntersecting) draw(cell);
      }
    },
    { rootMargin: "200px" },
  );
  for (const { name, cells: told } of rows) {
    const line = section.appendChild(document.createElement("div"));
    line.className = "row";
    line.appendChild(Object.assign(document.createElement("h3"), { textContent: name }));
    const row = [];
    for (const { label, note } of told) {
      const cell = makeCell(line, name, label, note, cells.length, row);
      row.push(cell);
      cells.push(cell);
      orbit(cell.canvas, view, () => cells.filter((other) => other.seen).forEach(draw));
      seen.observe(cell.canvas);
    }
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cells.forEach(draw));
}

function makeCell(line, name, label, note, number, row) {
  const figure = line.appendChild(document.createElement("figure"));
  const canvas = figure.appendChild(document.createElement("canvas"));
  canvas.width = canvas.height = 200 * Math.min(Math.ceil(devicePixelRatio), 2);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}, ${label}; arrow keys turn it`);
  const caption = figure.appendChild(document.createElement("figcaption"));
  caption.appendChild(Object.assign(document.createElement("b"), { textContent: label }));
  caption.append(` ${note}`);
  return { canvas, number, row, seen: false, shown: null };
}

/** One bit a voxel, the most significant first, to one byte a voxel. */
function unpack(bits) {
  return Uint8Array.from({ length: 8 * bits.length }, (_, i) => (bits[i >> 3] >> (7 - (i & 7))) & 1);
}

for (const section of document.querySelectorAll("section.shapes")) {
  start(section).catch((error) => section.append(error.message));
}
