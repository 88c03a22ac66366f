// A pack: gzip(u32 header length | header, JSON | zeros to a multiple of 4 | binary).
// Packs may be damaged or hostile: every size is limited and every number checked before use.
import { ReplayError, demand } from "./errors.js";

const LARGEST_PACK = 64 << 20; // bytes, compressed
const LARGEST_CONTENT = 128 << 20; // bytes, uncompressed
const LARGEST_HEADER = 8 << 20; // bytes
const TYPES = { i16: Int16Array, u16: Uint16Array, u32: Uint32Array, f32: Float32Array };

/** Load the bytes of a pack from a script element (`#id`) or a URL. */
export async function load(source) {
  if (!source) throw new ReplayError("This figure names no replay.");
  return source.startsWith("#") ? fromElement(source.slice(1)) : fromAddress(source);
}

/** Read a pack: its header, and a function that returns the array that the header refers to. */
export async function unpack(bytes) {
  const buffer = await decompressed(bytes);
  demand(buffer.byteLength >= 4, "it is empty");
  const length = new DataView(buffer).getUint32(0, true);
  demand(length <= LARGEST_HEADER && 4 + length <= buffer.byteLength, "its header is cut off");
  const header = parsed(new Uint8Array(buffer, 4, length));
  demand(isRecord(header) && header.v === 1, "it has an unknown format");
  const start = 4 + length + ((4 - (length % 4)) % 4);
  return { header, array: (reference, type, what) => view(buffer, start, reference, type, what) };
}

function view(buffer, start, reference, types, what) {
  demand(isRecord(reference), `${what} is missing`);
  const { t: type, o: offset, n: count } = reference;
  demand(types.split(" ").includes(type), `${what} has the wrong type`);
  demand(isCount(offset) && offset % 4 === 0 && isCount(count), `${what} has no valid place`);
  const Kind = TYPES[type];
  const end = start + offset + count * Kind.BYTES_PER_ELEMENT;
  demand(end <= buffer.byteLength, `${what} is cut off`);
  return new Kind(buffer, start + offset, count);
}

function fromElement(id) {
  const element = document.getElementById(id);
  if (!element) throw new ReplayError("The page does not hold this replay.");
  const text = element.textContent.trim();
  demand(text.length <= LARGEST_PACK * 1.4, "it is too large");
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new ReplayError("This replay is damaged: it is not base64 text.");
  }
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

async function fromAddress(address) {
  let response;
  try {
    response = await fetch(address, { credentials: "same-origin" });
  } catch {
    throw new ReplayError("The replay cannot be loaded: the server does not answer.");
  }
  if (!response.ok) {
    throw new ReplayError(`The replay cannot be loaded: the server answers ${response.status}.`);
  }
  return new Uint8Array(await collected(response.body, LARGEST_PACK));
}

async function decompressed(bytes) {
  if (typeof DecompressionStream === "undefined") {
    throw new ReplayError("This browser is too old for replays: it cannot unpack gzip.");
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  try {
    return await collected(stream, LARGEST_CONTENT);
  } catch (error) {
    if (error instanceof ReplayError) throw error;
    throw new ReplayError("This replay is damaged: it is not a complete gzip file.");
  }
}

// Counts while it reads: a small file may unpack to an endless one.
async function collected(stream, limit) {
  const reader = stream.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel();
      throw new ReplayError("This replay is damaged: it is too large.");
    }
  }
  return new Blob(parts).arrayBuffer();
}

function parsed(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new ReplayError("This replay is damaged: its header is not JSON.");
  }
}

/** Whether a value is a plain JSON object. */
export function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a whole number of things. */
export function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
