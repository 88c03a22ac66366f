// One figure's scene: a group per body with the shapes of its geoms, light, and a floor.
import { Color, DirectionalLight, Fog, Group, HemisphereLight, Mesh, Scene, SRGBColorSpace } from "three";
import { MeshLambertMaterial, MeshStandardMaterial } from "three";
import { Shapes } from "./geometry.js";
import { Ground } from "./ground.js";

const HORIZON = [4, 22]; // distances at which the fog begins and hides all, in camera distances

/** What figures of the same scene share: its records and its shapes. */
export class SceneModel {
  constructor(record) {
    this.record = record;
    this.shapes = new Shapes(record);
  }
}

/** The scene of one figure. */
export class SceneView {
  constructor(model, isSoftware) {
    const { record } = model;
    this.isSoftware = isSoftware;
    this.size = record.size;
    this.scene = new Scene();
    this.scene.background = new Color();
    this.scene.fog = new Fog(0, 1, 2);
    this.grounds = [];
    this.bodies = record.bodies.map(() => this.add(new Group()));
    for (const geom of record.geoms) this.addGeom(geom, model.shapes, isSoftware);
    this.addLight(isSoftware);
  }

  add(object) {
    this.scene.add(object);
    return object;
  }

  addGeom(geom, shapes, isSoftware) {
    if (geom.colour[3] === 0) return;
    const parent = this.bodies[geom.body];
    if (geom.type === "plane" && geom.body === 0 && !geom.isSite) {
      this.grounds.push(new Ground(geom, this.size, parent));
      return;
    }
    const mesh = new Mesh(shapes.of(geom), materialOf(geom, isSoftware));
    mesh.position.fromArray(geom.position);
    const [w, x, y, z] = geom.quaternion;
    mesh.quaternion.set(x, y, z, w).normalize();
    mesh.castShadow = !geom.isSite && geom.type !== "plane" && geom.colour[3] > 0.5;
    mesh.receiveShadow = !geom.isSite;
    parent.add(mesh);
  }

  addLight(isSoftware) {
    this.sky = this.add(new HemisphereLight(0xffffff, 0x8a94a0, 1.7));
    this.sun = this.add(new DirectionalLight(0xffffff, 2));
    this.add(this.sun.target);
    const side = isSoftware ? 512 : 2048;
    this.sun.shadow.mapSize.set(side, side);
    const reach = 1.5 * this.size;
    const shadow = this.sun.shadow.camera;
    Object.assign(shadow, { left: -reach, right: reach, top: reach, bottom: -reach });
    Object.assign(shadow, { near: 0.01 * reach, far: 6 * reach });
    this.sun.shadow.normalBias = 0.005 * this.size;
  }

  /** Take over the page's colours. */
  paint(colours) {
    this.scene.background.set(colours.sky);
    this.scene.fog.color.set(colours.sky);
    this.sky.intensity = colours.isDark ? 1.3 : 1.7;
    for (const ground of this.grounds) ground.paint(colours.tiles);
  }

  /** Light and fog what the camera looks at. A CPU draws shadows only of a still picture. */
  lookAt(target, distance, moves) {
    this.sun.castShadow = !(moves && this.isSoftware);
    this.sun.target.position.copy(target);
    this.sun.position.copy(target);
    this.sun.position.x += 0.9 * this.size;
    this.sun.position.y -= 0.8 * this.size;
    this.sun.position.z += 2.4 * this.size;
    this.scene.fog.near = HORIZON[0] * distance;
    this.scene.fog.far = HORIZON[1] * distance;
    for (const ground of this.grounds) ground.moveUnder(target);
  }
}

function materialOf(geom, isSoftware) {
  const [red, green, blue, alpha] = geom.colour;
  const color = new Color().setRGB(red, green, blue, SRGBColorSpace);
  const look = { color, transparent: alpha < 1, opacity: alpha, depthWrite: alpha === 1 };
  return isSoftware
    ? new MeshLambertMaterial(look)
    : new MeshStandardMaterial({ ...look, roughness: 0.6, metalness: 0.05 });
}
