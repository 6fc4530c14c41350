/** Where shapes come from: single streams and archives, decoded by a worker when they are asked for. */

import { BLOCK, openArchive } from "./archive.js";
import { Shown } from "./shown.js";

const MOST_WORKERS = 3; // each holds the model, some fifty megabytes
const IN_FLIGHT = 2; // jobs that a worker has at a time
const TOGETHER = 250; // what is asked for within so many milliseconds keeps its order; else the latest comes first
const KEPT_BYTES = 2 ** 26; // of voxels

/** Workers, and what they still owe. */
export class Decoder {
  constructor(source) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const count = Math.min(Math.max(navigator.hardwareConcurrency ?? 1, 1), MOST_WORKERS);
    this.workers = Array.from({ length: count }, () => {
      const found = { worker: new Worker(url), jobs: new Map() };
      found.worker.onmessage = ({ data }) => this.receive(found, data);
      return found;
    });
    this.waiting = [];
    this.next = 0;
  }

  /** Makes a model known to all workers; promises its resolution and fingerprint. */
  async model(bytes) {
    const answers = this.workers.map((found) => {
      const [promises, job] = this.job({ work: "model", bytes }, 1);
      this.post(found, job);
      return promises[0];
    });
    return (await Promise.all(answers))[0];
  }

  /** Sends work to a worker that is free, or else later; promises for each of `count` answers. */
  ask(message, count) {
    const [promises, job] = this.job(message, count);
    this.waiting.push(job);
    this.send();
    return promises;
  }

  job(message, count) {
    const answers = Array.from({ length: count }, deferred);
    for (const { promise } of answers) promise.catch(() => {}); // told where it is waited for
    const when = Math.floor(performance.now() / TOGETHER);
    return [answers.map(({ promise }) => promise), { message: { ...message, id: this.next++ }, answers, when }];
  }

  post({ worker, jobs }, { message, answers }) {
    jobs.set(message.id, answers);
    worker.postMessage(message);
  }

  send() {
    for (const found of this.workers) {
      while (found.jobs.size < IN_FLIGHT && this.waiting.length > 0) {
        const latest = this.waiting.at(-1).when;
        this.post(
          found,
          this.waiting.splice(
            this.waiting.findIndex(({ when }) => when === latest),
            1,
          )[0],
        );
      }
    }
  }

  receive({ jobs }, { id, place, done, error, expected, ...content }) {
    const answers = jobs.get(id);
    if (!done && error === undefined) {
      answers[place].resolve(content);
      return;
    }
    if (error !== undefined) {
      if (!expected) console.error(error);
      for (const { reject } of answers) reject(new Error(error));
    }
    jobs.delete(id);
    this.send();
  }
}

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

/** A single stream as a collection of one. */
export function streamCollection(name, bytes, decoder) {
  let shown = null;
  const load = () => {
    shown ??= decoder
      .ask({ work: "stream", bytes }, 1)[0]
      .then(({ voxels, resolution, origin }) => new Shown(voxels, resolution, origin));
    return shown;
  };
  const item = { name, note: `${bytes.length} bytes`, load, file: { name, bytes } };
  return { count: 1, item: () => item };
}

/** The shapes of an archive; `ious`, if known, one a shape. */
export async function archiveCollection(source, decoder, ious = null) {
  const archive = await openArchive(source);
  const kept = new Map();
  const block = (number) => {
    const known = kept.get(number) ?? read(number);
    kept.delete(number);
    kept.set(number, known);
    return known;
  };
  const read = (number) => {
    const count = archive.shapes(number);
    const answers = archive.block(number).then((payload) => {
      const origins = Array.from({ length: count }, (_, place) => archive.origin(number * BLOCK + place));
      const message = { work: "block", payload: payload.slice(), origins, fingerprint: archive.fingerprint };
      return decoder.ask(message, count).map((answer) =>
        answer.then(({ voxels, resolution, origin }) => {
          while (kept.size > 2 && kept.size * BLOCK * voxels.length > KEPT_BYTES) kept.delete(kept.keys().next().value);
          return new Shown(voxels, resolution, origin);
        }),
      );
    });
    answers.catch(() => kept.delete(number)); // told where a shape is waited for; the next time it is tried again
    return answers;
  };
  const item = (row) => {
    const number = Math.floor(row / BLOCK);
    const bytes = archive.bytes(number) / archive.shapes(number);
    const note = `about ${bytes.toFixed(bytes < 20 ? 1 : 0)} bytes${ious ? `, IoU ${ious[row].toFixed(3)}` : ""}`;
    return { name: archive.name(row), note, load: () => block(number).then((shapes) => shapes[row % BLOCK]) };
  };
  return { count: archive.count, item };
}
