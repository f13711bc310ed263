// Small pictures: of what the model gets, of first frames to choose from, and of the user's own.

/** Shows a frame on a canvas, pixel for pixel. */
export function show(canvas, rgb, [height, width]) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let i = 0, at = 0; i < rgb.length; i += 3, at += 4) {
    image.data.set([rgb[i], rgb[i + 1], rgb[i + 2], 255], at);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Shows z on a canvas: a tile for each channel, in which grey is 0 and white is 3; about 2 : 1. */
export function showLatent(canvas, latent, [height, width, channels]) {
  const wide = (across) => (across * (width + 1)) / ((channels / across) * (height + 1));
  const across = Array.from({ length: channels }, (_, i) => i + 1)
    .filter((count) => channels % count === 0)
    .reduce((a, b) => (Math.abs(Math.log(wide(b) / 2)) < Math.abs(Math.log(wide(a) / 2)) ? b : a));
  const down = channels / across;
  const size = [down * (height + 1) - 1, across * (width + 1) - 1];
  const rgb = new Uint8ClampedArray(3 * size[0] * size[1]);
  latent.forEach((value, i) => {
    const [pixel, channel] = [Math.floor(i / channels), i % channels];
    const y = Math.floor(channel / across) * (height + 1) + Math.floor(pixel / width);
    const x = (channel % across) * (width + 1) + pixel % width;
    rgb.fill(128 + 42 * value, 3 * (y * size[1] + x), 3 * (y * size[1] + x) + 3);
  });
  show(canvas, rgb, size);
}

/** A picture of the user's, cut to the frame's shape: its middle, as H * W * 3 bytes. */
export async function readPicture(file, [height, width]) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name} is no picture that this browser can read.`);
  }
  const scale = Math.max(width / picture.width, height / picture.height);
  const [w, h] = [width / scale, height / scale];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, (picture.width - w) / 2, (picture.height - h) / 2, w, h, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => data[4 * Math.floor(i / 3) + i % 3]);
}
