/** The viewer: what is dropped, chosen or named by a URL appears on the wall; a click opens a shape. */

import { blobSource, bytesSource, urlSource } from "./archive.js";
import { archiveCollection, Decoder, streamCollection } from "./collections.js";
import { makeQueue, makeStage, orbit, startView } from "./stage.js";
import { glb, obj } from "./surface.js";
import { Wall } from "./wall.js";

const find = (id) => document.getElementById(id);
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const embedded = JSON.parse(find("embedded").textContent);
const stage = makeStage(!new URLSearchParams(location.search).has("nowebgl"));
const settings = {
  style: "blocks",
  linked: true,
  color: () => getComputedStyle(document.documentElement).getPropertyValue("--shape").trim(),
};
const decoder = new Decoder(find("worker").textContent);
const wall = new Wall(find("wall"), stage, settings, openShape);
let collections = [];
let shownRows = null; // of all shapes, where a word is sought
let opened = null;
const bigView = startView();

function say(text, failed = false) {
  const line = find("status");
  line.textContent = text;
  line.classList.toggle("failed", failed);
}

const count = () => collections.reduce((total, collection) => total + collection.count, 0);

function item(row) {
  let left = row;
  for (const collection of collections) {
    if (left < collection.count) return collection.item(left);
    left -= collection.count;
  }
  return null;
}

function refresh() {
  const word = find("seek").value.trim().toLowerCase();
  shownRows = null;
  if (word) {
    shownRows = [];
    for (let row = 0; row < count(); row++) if (item(row).name.toLowerCase().includes(word)) shownRows.push(row);
  }
  const total = shownRows ? shownRows.length : count();
  document.body.classList.toggle("empty", count() === 0);
  wall.show(total, (index) => item(shownRows ? shownRows[index] : index));
  if (count() > 0) say(`${total.toLocaleString("en")} shape${total === 1 ? "" : "s"}`);
}

/** Adds what `make` promises to the wall, before everything else. */
async function add(name, make) {
  try {
    collections.unshift(await make());
    refresh();
    scrollTo(0, 0);
  } catch (error) {
    say(`${name}: ${error.message}`, true);
  }
}

async function addFiles(files) {
  for (const file of files) {
    const suffix = file.name.toLowerCase().split(".").pop();
    if (suffix === "g3a") await add(file.name, () => archiveCollection(blobSource(file), decoder));
    else if (suffix === "g3m") await addModel(file.name, new Uint8Array(await file.arrayBuffer()));
    else if (file.size > 2 ** 20) say(`${file.name}: not a .g3c file, it is larger than any.`, true);
    else {
      const bytes = new Uint8Array(await file.arrayBuffer());
      await add(file.name, async () => {
        const collection = streamCollection(file.name, bytes, decoder);
        await collection.item(0).load();
        return collection;
      });
    }
  }
}

async function addModel(name, bytes) {
  try {
    const { resolution, fingerprint } = await decoder.model(bytes);
    say(`${name}: model ${fingerprint.slice(0, 6)} for ${resolution}\u00b3 is ready`);
  } catch (error) {
    say(`${name}: ${error.message}`, true);
  }
}

const addUrl = (url, ious) => add(url, () => archiveCollection(urlSource(url), decoder, ious));

function openShape(chosen, shown, from) {
  opened = { chosen, shown, from };
  Object.assign(bigView, settings.linked ? wall.shared : startView());
  find("big-name").textContent = chosen.name;
  const occupied = shown.voxels.reduce((total, voxel) => total + voxel, 0);
  const n = shown.resolution;
  find("big-note").textContent = `${chosen.note} \u00b7 ${n}\u00b3 voxels, ${occupied.toLocaleString("en")} occupied`;
  find("save-g3c").hidden = !chosen.file;
  find("big").showModal();
  drawBig();
}

function drawBig() {
  const canvas = find("big-canvas");
  const size = Math.min(canvas.clientWidth, canvas.clientHeight || canvas.clientWidth);
  const pixels = Math.round(size * Math.min(devicePixelRatio, 2));
  if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
  const { shown } = opened;
  stage.draw(canvas, shown.mesh(settings.style), bigView, settings.color(), shown.frame);
}

function save(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function saveMesh(suffix, write, type) {
  const { chosen, shown } = opened;
  if (shown.voxels.every((voxel) => voxel === 0))
    say(`${chosen.name}: the shape is empty, so it has no surface.`, true);
  else
    save(
      `${chosen.name
        .split("/")
        .pop()
        .replace(/\.[^.]*$/, "")}.${suffix}`,
      write(shown.mesh(settings.style), shown.origin),
      type,
    );
}

function redraw() {
  wall.redraw();
  if (find("big").open) drawBig();
}

function listen() {
  listenToTools();
  listenToBig();
  listenToDrops();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

function listenToTools() {
  find("choose").addEventListener("click", () => find("files").click());
  find("files").addEventListener("change", (event) => addFiles([...event.target.files]));
  find("fetch").addEventListener("submit", (event) => {
    event.preventDefault();
    addUrl(find("url").value);
  });
  find("seek").addEventListener("input", refresh);
  find("clear").addEventListener("click", () => {
    collections = [];
    find("seek").value = "";
    refresh();
    say("");
  });
  find("smooth").addEventListener("change", (event) => {
    settings.style = event.target.checked ? "smooth" : "blocks";
    redraw();
  });
  find("linked").addEventListener("change", (event) => {
    settings.linked = event.target.checked;
    wall.renew();
  });
}

function listenToBig() {
  const big = find("big");
  const draw = makeQueue(drawBig);
  orbit(find("big-canvas"), bigView, () => draw(big), true);
  big.addEventListener("close", () => opened.from.focus({ preventScroll: true }));
  big.addEventListener("click", (event) => event.target === big && big.close());
  find("close").addEventListener("click", () => big.close());
  find("save-obj").addEventListener("click", () => saveMesh("obj", obj, "model/obj"));
  find("save-glb").addEventListener("click", () => saveMesh("glb", glb, "model/gltf-binary"));
  find("save-g3c").addEventListener("click", () => save(opened.chosen.file.name, opened.chosen.file.bytes, ""));
  addEventListener("resize", () => big.open && draw(big));
}

function listenToDrops() {
  const { classList } = document.body;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    classList.remove("dropping");
    const { files } = event.dataTransfer;
    const url = event.dataTransfer.getData("text/uri-list") || event.dataTransfer.getData("text/plain");
    if (files.length > 0) addFiles([...files]);
    else if (url) addUrl(url.trim());
  });
}

async function start() {
  listen();
  refresh();
  if (!stage.webgl) document.body.classList.add("painted");
  for (const { name, content, url } of embedded.models) {
    await decoder.model(content ? bytesOf(content) : await remoteBytes(url)).catch((error) => {
      throw new Error(`${name}: ${error.message}`);
    });
  }
  if (embedded.examples)
    await add("examples", () => archiveCollection(bytesSource(bytesOf(embedded.examples)), decoder));
  if (embedded.archive) await addUrl(embedded.archive, embedded.ious);
  const asked = new URLSearchParams(location.search).get("archive");
  if (asked) await addUrl(asked);
}

async function remoteBytes(url) {
  if (location.protocol === "file:") {
    throw new Error("a browser reads no files beside a page opened as a file; type python -m http.server in its folder.");
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answers ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

start().catch((error) => say(error.message, true));
