// Floors. MuJoCo's planes have no edge, so the tiles reach the horizon and move with the camera.
import { DataTexture, Mesh, MeshLambertMaterial, PlaneGeometry, Vector3 } from "three";
import { LinearMipmapLinearFilter, NearestFilter, RepeatWrapping, SRGBColorSpace } from "three";

const TEXELS = 32; // of one tile
const TILES = 400; // along each side

/** The length of a tile: 1, 2 or 5 times a power of ten, near half of the scene's size. */
export function tileLength(size) {
  const power = 10 ** Math.floor(Math.log10(size / 2));
  const step = [5, 2, 1].find((each) => each * power <= size / 2);
  return step * power;
}

/** A tiled plane, drawn around the point that the camera looks at. */
export class Ground {
  constructor(geom, size, parent) {
    const side = TILES * tileLength(size);
    this.period = 2 * tileLength(size);
    this.texture = null;
    this.material = new MeshLambertMaterial();
    this.mesh = new Mesh(new PlaneGeometry(side, side), this.material);
    this.mesh.receiveShadow = true;
    this.origin = new Vector3(...geom.position);
    const [w, x, y, z] = geom.quaternion;
    this.mesh.quaternion.set(x, y, z, w).normalize();
    parent.add(this.mesh);
  }

  /** Take over the tiles' colours. */
  paint(tiles) {
    this.texture?.dispose();
    this.texture = checkers(tiles);
    this.texture.repeat.set(TILES / 2, TILES / 2);
    this.material.map = this.texture;
    this.material.needsUpdate = true;
  }

  /** Move under a point by whole tiles, so that the pattern stays where it is. */
  moveUnder(point) {
    const turned = this.mesh.quaternion;
    const local = new Vector3().subVectors(point, this.origin);
    local.applyQuaternion(turned.clone().invert());
    local.x = Math.round(local.x / this.period) * this.period;
    local.y = Math.round(local.y / this.period) * this.period;
    local.z = 0;
    this.mesh.position.copy(local.applyQuaternion(turned)).add(this.origin);
  }
}

function checkers([first, second]) {
  const side = 2 * TEXELS;
  const pixels = new Uint8Array(4 * side * side);
  for (let i = 0; i < side * side; i++) {
    const isFirst = i % side < TEXELS === i < side * TEXELS;
    pixels.set([...(isFirst ? first : second), 255], 4 * i);
  }
  const texture = new DataTexture(pixels, side, side);
  texture.wrapS = RepeatWrapping;
  texture.wrapT = RepeatWrapping;
  texture.magFilter = NearestFilter;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.generateMipmaps = true;
  texture.anisotropy = 4;
  texture.colorSpace = SRGBColorSpace;
  texture.needsUpdate = true;
  return texture;
}
