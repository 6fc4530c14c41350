/** How a shape lay in its file, and where (docs/g3c.md): read from a stream or an archive, and undone. */

const PLAIN = 3;
const POSES = 24;

// Rows: where the new x, y and z come from, as (axis, sign) of the old.
const SIDES = [
  [[0, 1], [1, 1], [2, 1]], // z up, as it is
  [[0, 1], [2, -1], [1, 1]], // y up
  [[0, 1], [1, -1], [2, -1]], // -z up
  [[0, 1], [2, 1], [1, -1]], // -y up
  [[2, -1], [1, 1], [0, 1]], // x up
  [[2, 1], [1, 1], [0, -1]], // -x up
];

/** Whether a byte is the mark of some origin. */
export const isMark = (mark) => mark === PLAIN || ((mark & 4) > 0 && mark >> 3 < POSES);

const isPlaced = (mark) => mark !== PLAIN && (mark & 2) > 0;

/** How many of the bytes behind a mark are a placement; null if there are too few. */
export function placeLength(mark, bytes) {
  if (!isPlaced(mark)) return 0;
  const length = Math.ceil((24 + 3 * ((bytes[2] ?? 0) & 15)) / 8);
  return length <= bytes.length ? length : null;
}

/** `pose`, `up` ("y" or "z") and `placement` (null, or the `centre` and `side` of the cube that the grid fills). */
export function readOrigin(mark, bytes) {
  if (mark === PLAIN) return { pose: 0, up: "z", placement: null };
  return { pose: mark >> 3, up: mark & 1 ? "y" : "z", placement: isPlaced(mark) ? readPlacement(bytes) : null };
}

function readPlacement(bytes) {
  let at = 0;
  const take = (count) => {
    let value = 0;
    for (; count > 0; count--, at++) value = 2 * value + ((bytes[at >> 3] >> (7 - (at & 7))) & 1);
    return value;
  };
  const exponent = take(8) - 128;
  const side = (1 + take(12) / 4096) * 2 ** exponent;
  const width = take(4);
  const centre = [0, 1, 2].map(() => {
    const step = take(width);
    return ((width > 0 && step >= 2 ** (width - 1) ? step - 2 ** width : step) * side) / 512;
  });
  return { centre, side };
}

/** The n^3 voxels of a decoded grid as they were before they were turned into a pose. */
export function turnBack(voxels, n, pose) {
  if (pose === 0) return voxels;
  let rows = SIDES[pose >> 2];
  // A quarter turn about z: the new x is minus the old y, the new y the old x.
  for (let turn = pose & 3; turn > 0; turn--) rows = [[rows[1][0], -rows[1][1]], rows[0], rows[2]];
  const steps = [n * n, n, 1];
  const back = new Uint8Array(voxels.length);
  const old = [0, 0, 0];
  let from = 0;
  for (let x = 0; x < n; x++) {
    for (let y = 0; y < n; y++) {
      for (let z = 0; z < n; z++, from++) {
        const place = [x, y, z];
        for (let c = 0; c < 3; c++) old[rows[c][0]] = rows[c][1] > 0 ? place[c] : n - 1 - place[c];
        back[old[0] * steps[0] + old[1] * steps[1] + old[2]] = voxels[from];
      }
    }
  }
  return back;
}
