// A run's scene as checked records: bodies, geoms, meshes, height fields and the camera.
import { index, list, name, number, numbers, positive } from "./checks.js";
import { demand } from "./errors.js";
import { isCount, isRecord, unpack } from "./unpack.js";

const MOST_BODIES = 2000;
const MOST_GEOMS = 2000;
const MOST_MESHES = 1000;
const MOST_TRIANGLES = 3e6; // of all meshes, and of all geoms that show them
const TYPES = ["plane", "sphere", "capsule", "ellipsoid", "cylinder", "box", "mesh", "hfield"];

/** Read a scene pack. Throws ReplayError. */
export async function readScene(bytes) {
  const { header, array } = await unpack(bytes);
  const bodies = list(header.bodies, MOST_BODIES, "the list of bodies").map(name);
  const meshes = list(header.meshes ?? [], MOST_MESHES, "the list of meshes");
  const hfields = list(header.hfields ?? [], MOST_MESHES, "the list of height fields");
  const budget = { triangles: 0 };
  const camera = readCamera(header.camera, bodies.length);
  const scene = {
    bodies,
    camera,
    size: camera.distance / 1.5, // m: what the picture shows, a model may be much larger
    meshes: meshes.map((mesh) => readMesh(mesh, array, budget)),
    hfields: hfields.map((field) => readField(field, array, budget)),
  };
  const entries = list(header.geoms, MOST_GEOMS, "the list of geoms");
  const geoms = entries.map((geom) => readGeom(geom, scene));
  const shown = { triangles: 0 };
  for (const { mesh } of geoms) {
    if (mesh !== null) spend(shown, scene.meshes[mesh].faces.length / 3);
  }
  return { ...scene, geoms };
}

function readCamera(camera, bodies) {
  demand(isRecord(camera), "it has no camera");
  const track = camera.track ?? -1;
  const fovy = number(camera.fovy, "the camera's angle");
  const position = numbers(camera.pos, 3, "the camera's position");
  const target = numbers(camera.target, 3, "the camera's target");
  const distance = Math.hypot(...position.map((part, i) => part - target[i]));
  return {
    position,
    target,
    distance: positive(distance, "the camera's distance"),
    fovy: Math.min(120, Math.max(5, fovy)),
    track: track === -1 ? -1 : index(track, bodies, "the camera's body"),
  };
}

function readGeom(geom, scene) {
  demand(isRecord(geom) && TYPES.includes(geom.type), "it has a geom of an unknown type");
  const { type } = geom;
  return {
    type,
    body: index(geom.body, scene.bodies.length, "a geom's body"),
    size: numbers(geom.size, 3, "a geom's size").map(Math.abs),
    position: numbers(geom.pos, 3, "a geom's position"),
    quaternion: numbers(geom.quat, 4, "a geom's orientation"),
    colour: numbers(geom.rgba, 4, "a geom's colour").map((part) => Math.min(1, Math.max(0, part))),
    mesh: type === "mesh" ? index(geom.mesh, scene.meshes.length, "a geom's mesh") : null,
    hfield: type === "hfield" ? index(geom.hfield, scene.hfields.length, "a geom's field") : null,
    isSite: geom.site === true,
  };
}

function readMesh(mesh, array, budget) {
  demand(isRecord(mesh), "a mesh is missing");
  const vertices = array(mesh.vert, "i16", "a mesh");
  const faces = array(mesh.face, "u16 u32", "a mesh");
  const count = vertices.length / 3;
  demand(vertices.length % 3 === 0 && faces.length % 3 === 0, "a mesh is incomplete");
  spend(budget, faces.length / 3 + count);
  demand(faces.every((vertex) => vertex < count), "a mesh's face has no such vertex");
  return {
    vertices,
    faces,
    scale: numbers(mesh.scale, 3, "a mesh's scale"),
    offset: numbers(mesh.off, 3, "a mesh's place"),
  };
}

function readField(field, array, budget) {
  demand(isRecord(field), "a height field is missing");
  const { rows, cols } = field;
  const fine = isCount(rows) && isCount(cols) && rows >= 2 && cols >= 2;
  demand(fine, "a height field has no size");
  spend(budget, 2 * rows * cols);
  const heights = array(field.data, "f32", "a height field");
  demand(heights.length === rows * cols, "a height field is incomplete");
  demand(heights.every((height) => height >= 0 && height <= 1), "a height is not within 0 and 1");
  return { rows, cols, size: numbers(field.size, 4, "a height field's size"), heights };
}

function spend(budget, triangles) {
  budget.triangles += triangles;
  demand(budget.triangles <= MOST_TRIANGLES, "it has too many triangles");
}
