/** An image that is built from this repository. */
export interface AppImage {
  /** What people call it on the command line. */
  readonly short: string;
  /** Name of the app's folder below `apps`. */
  readonly app: string;
  /** Name of the image, without registry and tag. */
  readonly name: string;
  /** For the label of that name. */
  readonly description: string;
  /** Default of the variable in a container. */
  readonly nodeEnv: 'production' | 'development';
}

/** All images. */
export const APP_IMAGES: readonly AppImage[] = [
  {
    ...{ short: 'api', app: 'coordinator-api', name: 'coordinator-api', nodeEnv: 'production' },
    description: 'Commerce Coordinator: accepts requests and webhooks, and writes jobs to the queue',
  },
  {
    ...{ short: 'worker', app: 'coordinator-worker', name: 'coordinator-worker', nodeEnv: 'production' },
    description: 'Commerce Coordinator: runs jobs and calls the services',
  },
  {
    // It refuses production.
    ...{ short: 'sandbox', app: 'sandbox', name: 'coordinator-sandbox', nodeEnv: 'development' },
    description: 'Commerce Coordinator: plays the services that the extensions call, never in production',
  },
];

/** Picks images by their short names. @throws Error that names those there are */
export function imagesNamed(shorts: readonly string[]): AppImage[] {
  return shorts.map((short) => {
    const image = APP_IMAGES.find((known) => known.short === short);
    if (image) return image;
    throw new Error(`There is no image "${short}": ${APP_IMAGES.map((known) => known.short).join(', ')}.`);
  });
}
