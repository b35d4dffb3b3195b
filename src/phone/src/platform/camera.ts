const side = 600;

/** What the browser's own detector looks like where there is one; no TypeScript library knows it yet. */
type Detector = { detect(source: HTMLCanvasElement): Promise<{ rawValue: string }[]> };
declare global {
  interface Window { BarcodeDetector?: new (options: { formats: string[] }) => Detector }
}

export type CameraFault = 'refused' | 'none';

/** Shows the camera in `video` and calls `found` with the text of each QR code seen, until stopped. */
export async function scan(video: HTMLVideoElement, found: (text: string) => void): Promise<{ stop(): void } | CameraFault> {
  const reader = import('./picture');
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(
      { audio: false, video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } } });
  } catch (error) {
    return error instanceof DOMException && error.name === 'NotAllowedError' ? 'refused' : 'none';
  }
  video.srcObject = stream;

  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const read = (await reader).default;
  // In some browsers the detector is there and sees nothing: it may only help, and counts once it has read something.
  const detector = window.BarcodeDetector ? new window.BarcodeDetector({ formats: ['qr_code'] }) : null;
  let running = true;
  let second = false;

  const next = () => {
    if (!running) return;
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(frame);
    else requestAnimationFrame(frame);
  };
  const frame = () => {
    if (!running) return;
    const { videoWidth: width, videoHeight: height } = video;
    const crop = Math.min(width, height) * 0.9;
    if (crop > 0) {
      const text = read(context, video, (width - crop) / 2, (height - crop) / 2, crop, second);
      if (!second) detector?.detect(canvas).then(codes => codes.forEach(code => running && found(code.rawValue)), () => undefined);
      second = !second;
      if (text !== null) found(text);
    }
    next();
  };
  await video.play().catch(() => undefined); // Interrupted by leaving the screen: then nothing plays, and nothing should.
  next();
  return {
    stop() {
      running = false;
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    },
  };
}
