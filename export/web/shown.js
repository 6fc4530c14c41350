/** A shape and what is shown of it, made when it is first drawn. */

import { framing } from "./stage.js";
import { blocks, smooth } from "./surface.js";

export class Shown {
  constructor(voxels, resolution, origin) {
    Object.assign(this, { voxels, resolution, origin, meshes: {} });
  }

  /** `style` is "blocks" or "smooth". */
  mesh(style) {
    this.meshes[style] ??= (style === "smooth" ? smooth : blocks)(this.voxels, this.resolution);
    return this.meshes[style];
  }

  /** Lets go of the meshes, which are many times as large as the voxels and made again in a moment. */
  forget() {
    this.meshes = {};
  }

  get frame() {
    return (this.framed ??= framing(this.mesh("blocks")));
  }
}
