/**
 * Draws meshes onto plain canvases: by three.js where there is WebGL, else by painting triangles from back to front.
 *
 * One WebGL context draws for all canvases of a page, of which a browser grants only a few.
 */

/* global THREE */

const FIELD = 28; // degrees
const KEPT = 256; // meshes whose buffers stay on the graphics card

/** A view that all canvases may share. */
export const startView = () => ({ azimuth: -0.95, elevation: 0.42, distance: 1 });

/** What a camera looks at: middle and radius of a mesh; and where its shadow lies: half its size, and its lowest z. */
export function framing({ positions }) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  positions.forEach((value, i) => {
    low[i % 3] = Math.min(low[i % 3], value);
    high[i % 3] = Math.max(high[i % 3], value);
  });
  if (positions.length === 0) return { middle: [0, 0, 0], radius: 0.5, half: [0, 0, 0], floor: -0.5 };
  const middle = low.map((value, axis) => (value + high[axis]) / 2);
  const half = high.map((value, axis) => value - middle[axis]);
  return { middle, radius: Math.hypot(...half), half, floor: low[2] };
}

/** A stage of the best kind that this browser has; `webgl` false: without WebGL. */
export function makeStage(webgl = true) {
  const canvas = document.createElement("canvas");
  const context = webgl ? canvas.getContext("webgl2", { antialias: true, alpha: true }) : null;
  return context ? new GraphicsStage(canvas, context) : new PaintedStage();
}

function eye({ middle, radius }, { azimuth, elevation, distance }) {
  const far = (distance * radius * 1.04) / Math.sin((FIELD / 2) * (Math.PI / 180));
  const flat = Math.cos(elevation) * far;
  const offset = [Math.cos(azimuth) * flat, Math.sin(azimuth) * flat, Math.sin(elevation) * far];
  return { far, place: middle.map((value, axis) => value + offset[axis]) };
}

class GraphicsStage {
  constructor(canvas, context) {
    this.webgl = true;
    this.renderer = new THREE.WebGLRenderer({ canvas, context, antialias: true, alpha: true });
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(FIELD, 1, 0.05, 40);
    this.camera.up.set(0, 0, 1);
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0x8890a8, 1.5), this.camera);
    const key = new THREE.DirectionalLight(0xfff4e6, 2.1);
    key.position.set(-1.2, 2.2, 1.4); // beside and above the camera, and turns with it
    this.camera.add(key, key.target);
    key.target.position.set(0, 0, -1);
    this.material = new THREE.MeshLambertMaterial({ vertexColors: true });
    this.shape = new THREE.Mesh(new THREE.BufferGeometry(), this.material);
    this.shadow = shadow();
    this.scene.add(this.shadow, this.shape);
    this.geometries = new Map();
    this.renderer.compile(this.scene, this.camera); // now, not when the first shape is there
  }

  /** Draws a mesh in a color (CSS) onto a canvas, as large as that is. */
  draw(canvas, mesh, view, color, frame = framing(mesh)) {
    const [width, height] = [canvas.width, canvas.height];
    const { domElement } = this.renderer;
    if (domElement.width !== width || domElement.height !== height) this.renderer.setSize(width, height, false);
    const { place, far } = eye(frame, view);
    this.camera.aspect = width / height;
    this.camera.near = Math.max(far - 2 * frame.radius, 0.01);
    this.camera.far = far + 3 * frame.radius;
    this.camera.position.set(...place);
    this.camera.lookAt(...frame.middle);
    this.camera.updateProjectionMatrix();
    this.material.color.set(color);
    this.shape.geometry = this.geometry(mesh);
    this.shadow.position.set(frame.middle[0], frame.middle[1], frame.floor - 0.004);
    this.shadow.scale.set(1.15 * frame.half[0] + 0.05, 1.15 * frame.half[1] + 0.05, 1);
    this.shadow.visible = view.elevation > 0 && mesh.indices.length > 0;
    this.renderer.render(this.scene, this.camera);
    const target = canvas.getContext("2d");
    target.clearRect(0, 0, width, height);
    target.drawImage(domElement, 0, 0);
  }

  geometry(mesh) {
    const known = this.geometries.get(mesh);
    this.geometries.delete(mesh);
    const geometry = known ?? geometryOf(mesh);
    this.geometries.set(mesh, geometry);
    if (this.geometries.size > KEPT) {
      const [oldest, old] = this.geometries.entries().next().value;
      old.dispose();
      this.geometries.delete(oldest);
    }
    return geometry;
  }
}

function geometryOf({ positions, normals, shades, indices }) {
  const geometry = new THREE.BufferGeometry();
  const colors = new Float32Array(positions.length);
  for (let i = 0; i < colors.length; i++) colors[i] = shades[Math.floor(i / 3)];
  geometry.setAttribute("position", new THREE.BufferAttribute(positions, 3));
  geometry.setAttribute("normal", new THREE.BufferAttribute(normals, 3));
  geometry.setAttribute("color", new THREE.BufferAttribute(colors, 3));
  geometry.setIndex(new THREE.BufferAttribute(indices, 1));
  return geometry;
}

/** A soft dark disc under a shape. */
function shadow() {
  const around = 48;
  const places = [0, 0, 0];
  const colors = [0, 0, 0, 0.3];
  const indices = [];
  for (const [ring, alpha] of [
    [0.6, 0.22],
    [1, 0],
  ]) {
    for (let i = 0; i < around; i++) {
      const angle = (2 * Math.PI * i) / around;
      places.push(ring * Math.cos(angle), ring * Math.sin(angle), 0);
      colors.push(0, 0, 0, alpha);
    }
  }
  for (let i = 0; i < around; i++) {
    const [a, b] = [1 + i, 1 + ((i + 1) % around)];
    indices.push(0, a, b, a, a + around, b + around, a, b + around, b);
  }
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(Float32Array.from(places), 3));
  geometry.setAttribute("color", new THREE.BufferAttribute(Float32Array.from(colors), 4));
  geometry.setIndex(indices);
  return new THREE.Mesh(
    geometry,
    new THREE.MeshBasicMaterial({ vertexColors: true, transparent: true, depthWrite: false }),
  );
}

/** Paints triangles from the farthest to the nearest; slower, and where shapes cut each other not exact. */
class PaintedStage {
  constructor() {
    this.webgl = false;
  }

  draw(canvas, mesh, view, color, frame = framing(mesh)) {
    const target = canvas.getContext("2d");
    const { width, height } = canvas;
    target.clearRect(0, 0, width, height);
    const { place } = eye(frame, view);
    const [sin, cos] = [Math.sin(view.azimuth), Math.cos(view.azimuth)];
    const [up, level] = [Math.sin(view.elevation), Math.cos(view.elevation)];
    const axes = [
      [-sin, cos, 0],
      [-cos * up, -sin * up, level],
      [cos * level, sin * level, up],
    ]; // right, up, towards
    const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const scale = Math.min(width, height) / 2 / Math.tan((FIELD / 2) * (Math.PI / 180));
    const light = [0.35, 0.6, 0.72]; // right, up, towards
    target.fillStyle = color;
    const [red, green, blue] = target.fillStyle.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    const { positions, normals, shades, indices } = mesh;
    const project = (vertex) => {
      const from = [0, 1, 2].map((axis) => positions[3 * vertex + axis] - place[axis]);
      const depth = -dot(from, axes[2]);
      return [
        width / 2 + (scale * dot(from, axes[0])) / depth,
        height / 2 - (scale * dot(from, axes[1])) / depth,
        depth,
      ];
    };
    const triangles = [];
    for (let i = 0; i < indices.length; i += 3) {
      const corners = [indices[i], indices[i + 1], indices[i + 2]];
      const [a, b, c] = corners.map(project);
      if ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) >= 0) continue; // seen from behind
      const normal = normals.subarray(3 * corners[0], 3 * corners[0] + 3);
      const lit =
        0.45 +
        0.6 *
          Math.max(
            0,
            axes.reduce((sum, axis, k) => sum + light[k] * dot(axis, normal), 0),
          );
      const shade = lit * ((shades[corners[0]] + shades[corners[1]] + shades[corners[2]]) / 3);
      triangles.push({ depth: a[2] + b[2] + c[2], corners: [a, b, c], shade });
    }
    triangles.sort((one, other) => other.depth - one.depth);
    for (const { corners, shade } of triangles) {
      const parts = [red, green, blue].map((part) => Math.min(255, Math.round(part * shade)));
      target.fillStyle = target.strokeStyle = `rgb(${parts})`;
      target.beginPath();
      corners.forEach(([x, y]) => target.lineTo(x, y));
      target.closePath();
      target.fill();
      target.stroke(); // closes the hair between triangles
    }
  }
}

/** Lets pointer and keys turn a view, and with `zoom` the wheel, + and - bring it nearer; each time calls `changed`. */
export function orbit(element, view, changed, zoom = false) {
  const turn = (dx, dy) => {
    view.azimuth -= dx;
    view.elevation = Math.min(Math.max(view.elevation + dy, -1.5), 1.5);
    changed();
  };
  const scale = (factor) => {
    view.distance = Math.min(Math.max(view.distance * factor, 0.35), 3);
    changed();
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    element.dataset.turning = "";
  });
  element.addEventListener("pointermove", (event) => {
    if (!element.hasPointerCapture(event.pointerId)) return;
    turn(event.movementX / 110, event.movementY / 110);
  });
  const end = () => delete element.dataset.turning;
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", end);
  element.addEventListener("keydown", (event) => {
    const keys = {
      ArrowLeft: () => turn(0.15, 0),
      ArrowRight: () => turn(-0.15, 0),
      ArrowUp: () => turn(0, 0.15),
      ArrowDown: () => turn(0, -0.15),
      Home: () => (Object.assign(view, startView()), changed()),
      "+": () => zoom && scale(0.9),
      "-": () => zoom && scale(1 / 0.9),
    };
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  if (!zoom) return;
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      scale(Math.exp(event.deltaY / 900));
    },
    { passive: false },
  );
}

/** Calls `draw` for what was asked for, a few milliseconds in each frame, so that a page is never held up. */
export function makeQueue(draw) {
  const waiting = new Set();
  let running = false;
  const step = () => {
    const begin = performance.now();
    for (const item of waiting) {
      waiting.delete(item);
      draw(item);
      if (performance.now() - begin > 10) break;
    }
    running = waiting.size > 0;
    if (running) soon(step);
  };
  return (item) => {
    waiting.add(item);
    if (running) return;
    running = true;
    soon(step);
  };
}

/** Calls back with the next frame, or a little later where a browser that is short of time shows none. */
function soon(step) {
  let called = false;
  const once = () => {
    if (!called) step();
    called = true;
  };
  requestAnimationFrame(once);
  setTimeout(once, 100);
}
