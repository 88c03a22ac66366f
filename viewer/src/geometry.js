// The shapes of geoms. MuJoCo's sizes are half sizes, and its capsules and cylinders lie along z.
import {
  BoxGeometry,
  BufferAttribute,
  BufferGeometry,
  CapsuleGeometry,
  CylinderGeometry,
  PlaneGeometry,
  SphereGeometry,
} from "three";
import { toCreasedNormals } from "three/addons/utils/BufferGeometryUtils.js";

const CREASE = 0.6; // rad: sharper edges stay edges
const SMALLEST = 1e-6; // m

/** Make the shapes of a scene's meshes and height fields once, for all figures that show them. */
export class Shapes {
  constructor(scene) {
    this.meshes = scene.meshes.map(meshShape);
    this.hfields = scene.hfields.map(fieldShape);
  }

  /** Return the shape of a geom. */
  of(geom) {
    const [x, y, z] = geom.size.map((size) => Math.max(size, SMALLEST));
    switch (geom.type) {
      case "plane":
        return new PlaneGeometry(2 * x, 2 * y);
      case "sphere":
        return new SphereGeometry(x, 32, 20);
      case "ellipsoid":
        return new SphereGeometry(1, 32, 20).scale(x, y, z);
      case "capsule":
        return new CapsuleGeometry(x, 2 * y, 8, 24).rotateX(Math.PI / 2);
      case "cylinder":
        return new CylinderGeometry(x, x, 2 * y, 32).rotateX(Math.PI / 2);
      case "box":
        return new BoxGeometry(2 * x, 2 * y, 2 * z);
      case "mesh":
        return this.meshes[geom.mesh];
      default:
        return this.hfields[geom.hfield];
    }
  }
}

function meshShape({ vertices, faces, scale, offset }) {
  const positions = new Float32Array(vertices.length);
  for (let i = 0; i < vertices.length; i++) {
    positions[i] = vertices[i] * scale[i % 3] + offset[i % 3];
  }
  const shape = new BufferGeometry();
  shape.setAttribute("position", new BufferAttribute(positions, 3));
  shape.setIndex(new BufferAttribute(faces, 1));
  return toCreasedNormals(shape, CREASE);
}

// Rows run along y, columns along x; size is half of x, half of y, the height of 1, the depth of
// the solid below 0.
function fieldShape({ rows, cols, size, heights }) {
  const [halfX, halfY, top] = size;
  const positions = new Float32Array(3 * rows * cols);
  const faces = new Uint32Array(6 * (rows - 1) * (cols - 1));
  let face = 0;
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const i = row * cols + col;
      positions[3 * i] = halfX * ((2 * col) / (cols - 1) - 1);
      positions[3 * i + 1] = halfY * ((2 * row) / (rows - 1) - 1);
      positions[3 * i + 2] = top * heights[i];
      if (row + 1 === rows || col + 1 === cols) continue;
      faces.set([i, i + 1, i + cols + 1, i, i + cols + 1, i + cols], face);
      face += 6;
    }
  }
  const shape = new BufferGeometry();
  shape.setAttribute("position", new BufferAttribute(positions, 3));
  shape.setIndex(new BufferAttribute(faces, 1));
  shape.computeVertexNormals();
  return shape;
}
