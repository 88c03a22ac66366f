// The moving picture of one figure.
import { PerspectiveCamera, Quaternion, Vector3 } from "three";
import { Marks } from "./marks.js";
import { SceneView } from "./scene.js";

const NEAREST = 0.01; // of the picture's size
const FARTHEST = 400;

/** Draws an episode's poses into a 2-D canvas. */
export class Player {
  constructor(canvas, model, view, renderer) {
    this.canvas = canvas;
    this.view = view;
    this.renderer = renderer;
    this.track = model.record.camera.track;
    this.sceneView = new SceneView(model, renderer.isSoftware);
    this.marks = new Marks(this.sceneView.scene, this.sceneView.size);
    const { size, camera } = model.record;
    this.camera = new PerspectiveCamera(camera.fovy, 1, NEAREST * size, FARTHEST * size);
    this.camera.up.set(0, 0, 1);
    this.moved = new Vector3();
  }

  /** Take over the page's colours. */
  paint(colours) {
    this.sceneView.paint(colours);
    this.marks.paint(colours);
  }

  /** Show another episode. */
  use(episode) {
    this.episode = episode;
    this.marks.use(episode);
    this.moved.set(0, 0, 0);
  }

  /** Draw a time (s). `options`: isFollowing, showsContacts, moves. */
  draw(time, options) {
    this.fit();
    this.pose(time);
    if (options.isFollowing) this.follow();
    const target = this.view.place(this.camera, this.moved);
    this.sceneView.lookAt(target, this.view.distance, options.moves);
    this.marks.place(this.episode, this.frameAt(time).first, options.showsContacts);
    this.renderer.draw(this.sceneView.scene, this.camera, this.canvas, options.moves);
  }

  fit() {
    const { canvas, renderer } = this;
    const width = Math.max(1, Math.round(canvas.clientWidth * renderer.density));
    const height = Math.max(1, Math.round(canvas.clientHeight * renderer.density));
    if (canvas.width === width && canvas.height === height) return;
    canvas.width = width;
    canvas.height = height;
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
  }

  frameAt(time) {
    const last = this.episode.frames - 1;
    const place = Math.min(last, Math.max(0, time / this.episode.frameLength));
    const first = Math.floor(place);
    return { first, second: Math.min(last, first + 1), part: place - first };
  }

  pose(time) {
    const frame = this.frameAt(time);
    const turned = new Quaternion();
    this.sceneView.bodies.forEach((body, index) => {
      this.read(frame.first, index, body.position, body.quaternion);
      if (frame.part === 0) return;
      const next = new Vector3();
      this.read(frame.second, index, next, turned);
      body.position.lerp(next, frame.part);
      body.quaternion.slerp(turned, frame.part);
    });
  }

  read(frame, body, position, quaternion) {
    const { poses, scale, offset } = this.episode;
    const start = 7 * (frame * this.sceneView.bodies.length + body);
    position.set(poses[start], poses[start + 1], poses[start + 2]);
    position.set(
      position.x * scale[0] + offset[0],
      position.y * scale[1] + offset[1],
      position.z * scale[2] + offset[2],
    );
    quaternion.set(poses[start + 4], poses[start + 5], poses[start + 6], poses[start + 3]);
    quaternion.normalize();
  }

  // The camera goes along over the ground, so that a hop can be seen as one.
  follow() {
    if (this.track < 0) return;
    const start = new Vector3();
    this.read(0, this.track, start, new Quaternion());
    this.moved.subVectors(this.sceneView.bodies[this.track].position, start).setZ(0);
  }
}
