// Where the camera is, relative to what it looks at. Figures on one clock share a view, so that
// they are seen from the same side.
import { Vector3 } from "three";

const STEEPEST = 1.55; // rad
const LOWEST = -0.15; // rad below the horizon
const CLOSEST = 0.15; // of the first distance
const FARTHEST = 6;

/** The place of a camera around a point. Angles are in rad, lengths in m; z is up. */
export class View {
  constructor(camera) {
    this.target = new Vector3(...camera.target);
    const offset = new Vector3(...camera.position).sub(this.target);
    const flat = Math.hypot(offset.x, offset.y);
    this.home = {
      azimuth: Math.atan2(offset.y, offset.x),
      elevation: Math.atan2(offset.z, flat),
      distance: camera.distance,
    };
    this.lead = new Vector3();
    this.reset();
  }

  /** Go back to where the camera was at first. */
  reset() {
    Object.assign(this, this.home);
    this.lead.set(0, 0, 0);
  }

  /** Turn around the target, in rad. */
  turn(right, up) {
    this.azimuth -= right;
    this.elevation = clamp(this.elevation + up, LOWEST, STEEPEST);
  }

  /** Multiply the distance from the target. */
  zoom(factor) {
    const { distance } = this.home;
    this.distance = clamp(this.distance * factor, CLOSEST * distance, FARTHEST * distance);
  }

  /** Move the target in the picture's plane, in units of the distance. */
  shift(right, up) {
    const sideways = new Vector3(-Math.sin(this.azimuth), Math.cos(this.azimuth), 0);
    this.lead.addScaledVector(sideways, right * this.distance);
    this.lead.z += up * this.distance;
    this.lead.clampLength(0, FARTHEST * this.home.distance);
  }

  /** Place a three.js camera; `moved` is how far the followed body has moved. Returns the target. */
  place(camera, moved) {
    const target = new Vector3().copy(this.target).add(this.lead).add(moved);
    const flat = Math.cos(this.elevation);
    const direction = new Vector3(
      flat * Math.cos(this.azimuth),
      flat * Math.sin(this.azimuth),
      Math.sin(this.elevation),
    );
    camera.position.copy(target).addScaledVector(direction, this.distance);
    camera.lookAt(target);
    return target;
  }
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
