/** A video of the stage, made by the browser. */

const FRAMES_PER_SECOND = 30;
const BITS_PER_SECOND = 8e6;

/** Films a canvas for some seconds and saves the film under a name. */
export async function saveVideo(
  canvas: HTMLCanvasElement,
  seconds: number,
  name: string,
): Promise<void> {
  const recorder = new MediaRecorder(canvas.captureStream(FRAMES_PER_SECOND), {
    mimeType: 'video/webm',
    videoBitsPerSecond: BITS_PER_SECOND,
  });
  const parts: Blob[] = [];
  recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
  const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve));
  recorder.start();
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  recorder.stop();
  await stopped;
  const url = URL.createObjectURL(new Blob(parts, { type: 'video/webm' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
