import { APP_IMAGES } from '../images/app-image.ts';
import type { Git } from './git.ts';
import { changedInputs, readImageInputs } from './image-inputs.ts';

/** What becomes of the image of one app in a release. */
export interface ImagePlan {
  /** Name of the app and of its image: `coordinator-api`. */
  readonly app: string;
  /** Build it, or give the image of the release before the new version. */
  readonly action: 'build' | 're-tag';
  /** What has changed since the release before: files and npm packages. Empty for the first release. */
  readonly changed: readonly string[];
}

/**
 * Decides for the image of each app whether it has to be built. All images of a release have its version, so that one whose
 * content stays as it was is re-tagged.
 *
 * @param before tag of the release before; undefined for the first one
 * @param commit what is released
 */
export function planImages(git: Git, before: string | undefined, commit = 'HEAD'): ImagePlan[] {
  return APP_IMAGES.map(({ app }) => {
    const folder = `apps/${app}`;
    if (before === undefined || git.ask('cat-file', '-e', `${before}:${folder}/package.json`) === undefined) {
      return { app, action: 'build', changed: [] };
    }
    const changed = changedInputs(readImageInputs(git, before, folder), readImageInputs(git, commit, folder));
    return { app, action: changed.length > 0 ? 'build' : 're-tag', changed };
  });
}
