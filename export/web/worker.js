/** Decodes beside the page: models come first, then streams and blocks; each shape is sent as soon as it is there. */

import { FormatError, checkStream, decode, decodeShapes, hex, loadModel, origin } from "./decoder.js";
import { turnBack } from "./origin.js";

const models = [];

/** The model that wrote a file, by the three bytes that the file says of it. */
function modelOf(fingerprint) {
  const found = models.find((model) => fingerprint.every((byte, i) => byte === model.fingerprint[i]));
  if (found) return found;
  const known = models.map((model) => hex(model.fingerprint.subarray(0, 3))).join(", ") || "none";
  throw new FormatError(
    `written with model ${hex(fingerprint)}; this page has ${known}. Drop that model's .g3m file first.`,
  );
}

const works = {
  async model({ bytes }, send) {
    const model = await loadModel(bytes);
    models.unshift(model);
    send({ resolution: model.resolution, fingerprint: hex(model.fingerprint) });
  },
  stream({ bytes }, send) {
    checkStream(bytes);
    const model = modelOf(bytes.subarray(2, 5));
    const voxels = decode(bytes, model);
    send({ voxels, resolution: model.resolution, origin: origin(bytes) }, [voxels.buffer]);
  },
  block({ payload, origins, fingerprint }, send) {
    const model = modelOf(fingerprint);
    const { resolution } = model;
    let row = 0;
    for (const coded of decodeShapes(payload, origins.length, model)) {
      const voxels = turnBack(coded, resolution, origins[row].pose);
      send({ voxels, resolution, origin: origins[row++] }, [voxels.buffer]);
    }
  },
};

let last = Promise.resolve();
self.onmessage = ({ data }) => {
  let place = 0;
  const send = (content, moved) => self.postMessage({ id: data.id, place: place++, ...content }, moved);
  // One after the other, so that a model is there before what follows it.
  last = last
    .then(() => works[data.work](data, send))
    .then(
      () => self.postMessage({ id: data.id, done: true }),
      (error) => self.postMessage({ id: data.id, error: error.message, expected: error instanceof FormatError }),
    );
};
