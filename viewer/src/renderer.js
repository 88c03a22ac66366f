// One WebGL context for the whole page, since browsers allow only a few. It draws each figure's
// picture into a corner of its own canvas and copies that to the figure's 2-D canvas.
import { PCFShadowMap, WebGLRenderer } from "three";
import { refreshClocks } from "./clock.js";

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
// Where a CPU draws, it draws few pixels while a picture moves, and more than are shown when it
// rests: their mean has smooth edges.
const MOVING = 0.6;
const RESTING = 2;

let shared;

/** Return the page's renderer, or null where the browser has no WebGL. */
export function sharedRenderer() {
  if (shared === undefined) shared = created();
  return shared;
}

function created() {
  const name = rendererName();
  if (name === null) return null;
  try {
    return new SharedRenderer(SOFTWARE.test(name));
  } catch {
    return null; // the driver refused a second context
  }
}

function rendererName() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return null;
  const details = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(details ? details.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return String(name);
}

class SharedRenderer {
  constructor(isSoftware) {
    this.isSoftware = isSoftware;
    this.webgl = new WebGLRenderer({ antialias: !isSoftware });
    this.webgl.setPixelRatio(1);
    this.webgl.setScissorTest(true);
    this.webgl.shadowMap.enabled = true;
    this.webgl.shadowMap.type = PCFShadowMap;
    // A graphics card that slept has forgotten all; three.js sends the scenes again.
    this.webgl.domElement.addEventListener("webglcontextrestored", refreshClocks);
    this.width = 0;
    this.height = 0;
  }

  /** Pixels of a picture per CSS pixel. */
  get density() {
    return this.isSoftware ? 1 : Math.min(2, devicePixelRatio || 1);
  }

  /** Draw a scene into a 2-D canvas; `moves` allows fewer pixels. */
  draw(scene, camera, canvas, moves) {
    const scale = this.isSoftware ? (moves ? MOVING : RESTING) : 1;
    const width = Math.ceil(canvas.width * scale);
    const height = Math.ceil(canvas.height * scale);
    this.grow(width, height);
    this.webgl.setViewport(0, 0, width, height);
    this.webgl.setScissor(0, 0, width, height);
    this.webgl.render(scene, camera);
    const source = this.webgl.domElement;
    const top = this.height - height; // WebGL counts from below
    const context = canvas.getContext("2d", { alpha: false });
    context.imageSmoothingQuality = moves ? "low" : "high";
    context.drawImage(source, 0, top, width, height, 0, 0, canvas.width, canvas.height);
  }

  grow(width, height) {
    if (width <= this.width && height <= this.height) return;
    this.width = Math.max(width, this.width);
    this.height = Math.max(height, this.height);
    this.webgl.setSize(this.width, this.height, false);
  }
}
