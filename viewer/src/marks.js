// Marks in a scene: where bodies touch, and where goals are. They are drawn over the bodies.
import { InstancedMesh, Matrix4, Mesh, MeshBasicMaterial, OctahedronGeometry, SphereGeometry } from "three";

const MOST_CONTACTS = 128; // in one frame
const CONTACT = 0.012; // radius, of the picture's size
const GOAL = 0.03;

/** The marks of one figure. */
export class Marks {
  constructor(scene, size) {
    this.scene = scene;
    this.size = size;
    const look = { transparent: true, depthTest: false, depthWrite: false, fog: false };
    this.contactMaterial = new MeshBasicMaterial({ ...look, opacity: 0.85 });
    this.goalMaterial = new MeshBasicMaterial({ ...look, opacity: 0.8 });
    const dot = new SphereGeometry(CONTACT * size, 12, 8);
    this.contacts = new InstancedMesh(dot, this.contactMaterial, MOST_CONTACTS);
    this.contacts.frustumCulled = false;
    this.contacts.renderOrder = 2;
    this.contacts.count = 0;
    scene.add(this.contacts);
    this.goals = [];
  }

  /** Make a mark for each goal of an episode. */
  use(episode) {
    for (const mark of this.goals) this.scene.remove(mark);
    const shape = new OctahedronGeometry(GOAL * this.size);
    this.goals = episode.goals.map(() => new Mesh(shape, this.goalMaterial));
    for (const mark of this.goals) {
      mark.renderOrder = 1;
      this.scene.add(mark);
    }
  }

  paint(colours) {
    this.contactMaterial.color.set(colours.bad);
    this.goalMaterial.color.set(colours.good);
  }

  /** Place the marks of one frame. */
  place(episode, frame, showsContacts) {
    this.contacts.count = showsContacts ? this.placeContacts(episode.contacts, frame) : 0;
    episode.goals.forEach(({ points }, i) => {
      const point = points.subarray(3 * frame, 3 * frame + 3);
      this.goals[i].visible = point.every(Number.isFinite);
      if (this.goals[i].visible) this.goals[i].position.fromArray(point);
    });
  }

  placeContacts(contacts, frame) {
    if (!contacts) return 0;
    const matrix = new Matrix4();
    let count = 0;
    for (let i = contacts.starts[frame]; i < contacts.starts[frame + 1]; i++) {
      const point = contacts.points.subarray(3 * i, 3 * i + 3);
      if (count === MOST_CONTACTS || !point.every(Number.isFinite)) continue;
      this.contacts.setMatrixAt(count, matrix.makeTranslation(...point));
      count += 1;
    }
    this.contacts.instanceMatrix.needsUpdate = true;
    return count;
  }
}
