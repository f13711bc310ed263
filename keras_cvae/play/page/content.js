// What the page knows of its model: read from the page or from the server, and unpacked.

/** The page's set-up: which engine runs the model, and what that needs. */
export function readSetup() {
  return JSON.parse(document.getElementById("setup").textContent);
}

/**
 * The content of the model. The server has it at content.json; a page that is one file has it in
 * its set-up, as JSON or as base64 of its gzip.
 */
export async function readContent(setup) {
  let content = setup.content;
  if (setup.engine === "remote") content = await fetchJson("content.json");
  else if (typeof content === "string") {
    content = JSON.parse(new TextDecoder().decode(await inflate(content, "gzip")));
  }
  return unpack(content);
}

/** Whether the server still has the model of this page: it may have been started with another. */
export async function sameModel(content) {
  const what = ({ name, frame_size, latent_shape }) =>
    JSON.stringify([name, frame_size, latent_shape]);
  return what(await fetchJson("content.json")) === what(content);
}

/** A random dance: from the server, or one of those in the content. */
export async function readDance(setup, content, seed) {
  if (setup.engine === "remote") return unpack(await fetchJson(`dance.json?seed=${seed}`));
  return content.dances[seed % content.dances.length];
}

/** Bytes from base64 of compressed bytes; `format` is "deflate" (zlib) or "gzip". */
export async function inflate(text, format) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser is too old for the page: it has no DecompressionStream.");
  }
  try {
    const stream = new Blob([fromBase64(text)]).stream();
    const unpacked = stream.pipeThrough(new DecompressionStream(format));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch { // browsers say little: "Failed to fetch"
    throw new Error("A part of this page is damaged. Get the page again.");
  }
}

// Not by Uint8Array.from and a function: a page that is one file has megabytes, and that takes a
// second for each five.
function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

async function fetchJson(address) {
  let answer;
  try {
    answer = await fetch(address);
  } catch {
    throw new Error("The server does not answer. Is play.py still running?");
  }
  if (!answer.ok) throw new Error(`The server answered ${answer.status} for ${address}.`);
  return answer.json();
}

const KINDS = { uint8: Uint8Array, float32: Float32Array };

/** Replaces every packed array, at any depth, by {shape, data}. */
async function unpack(value) {
  if (Array.isArray(value)) return Promise.all(value.map(unpack));
  if (value === null || typeof value !== "object") return value;
  if ("dtype" in value && "data" in value) {
    const bytes = await inflate(value.data, "deflate");
    return { shape: value.shape, data: new KINDS[value.dtype](bytes.buffer) };
  }
  const entries = Object.entries(value).map(async ([key, each]) => [key, await unpack(each)]);
  return Object.fromEntries(await Promise.all(entries));
}
