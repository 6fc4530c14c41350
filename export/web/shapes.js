/** Rows of shapes in a report: original and reconstructions beside each other, which turn together. */

import { inflate } from "./decoder.js";
import { makeQueue, makeStage, orbit, startView } from "./stage.js";
import { Shown } from "./shown.js";

const stage = makeStage(!new URLSearchParams(location.search).has("nowebgl"));

/** One section of a page, as keras3dgan.export.shapes_page writes it. */
class Section {
  constructor(element) {
    Object.assign(this, { element, view: startView(), cells: [] });
    this.draw = makeQueue((cell) => cell.seen && this.drawCell(cell));
    const look = (entries) => entries.forEach(({ target, isIntersecting }) => this.see(target, isIntersecting));
    this.observer = new IntersectionObserver(look, { rootMargin: "200px" });
  }

  async start() {
    const { resolution, bits, rows } = JSON.parse(this.element.querySelector("script").textContent);
    const packed = Uint8Array.from(atob(bits), (letter) => letter.charCodeAt(0));
    const size = Math.ceil(resolution ** 3 / 8);
    const count = rows.reduce((total, { cells }) => total + cells.length, 0);
    const grids = await inflate(packed, "deflate", count * size);
    this.shown = (number) => new Shown(unpack(grids.subarray(number * size, (number + 1) * size)), resolution);
    for (const { name, cells } of rows) this.addRow(name, cells);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.cells.forEach(this.draw));
  }

  addRow(name, told) {
    const line = this.element.appendChild(document.createElement("div"));
    line.className = "row";
    line.appendChild(Object.assign(document.createElement("h3"), { textContent: name }));
    const row = [];
    for (const { label, note } of told) {
      const cell = makeCell(line, name, label, note, this.cells.length, row);
      row.push(cell);
      this.cells.push(cell);
      orbit(cell.canvas, this.view, () => this.cells.forEach(this.draw));
      this.observer.observe(cell.canvas);
    }
  }

  see(canvas, seen) {
    const cell = this.cells.find((other) => other.canvas === canvas);
    cell.seen = seen;
    if (seen) this.draw(cell);
    else cell.shown?.forget();
  }

  /** Draws a cell, seen from where the first one of its row fills the picture. */
  drawCell(cell) {
    const first = cell.row[0];
    first.shown ??= this.shown(first.number);
    cell.shown ??= this.shown(cell.number);
    const frame = first.shown.voxels.includes(1) ? first.shown.frame : cell.shown.frame;
    const name = cell === first ? "--original" : "--shape";
    const color = getComputedStyle(this.element).getPropertyValue(name).trim();
    stage.draw(cell.canvas, cell.shown.mesh("blocks"), this.view, color, frame);
    cell.canvas.dataset.drawn = "";
  }
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

for (const element of document.querySelectorAll("section.shapes")) {
  new Section(element).start().catch((error) => element.append(error.message));
}
