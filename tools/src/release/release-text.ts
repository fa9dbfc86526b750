import type { ImagePlan } from './image-plan.ts';
import type { ReleasePlan } from './release-plan.ts';

const SHOWN_CHANGES = 5;

/** A plan for people. */
export function releaseText({ version, previous, commits, changelog, images }: ReleasePlan): string {
  const count = `${commits.length} ${commits.length === 1 ? 'commit' : 'commits'}`;
  const head = previous === undefined ? `${version}, the first release` : `${previous} → ${version}`;
  const lines = images.flatMap((image) => imageLines(image, previous));
  return `${head} (${count})\n\n${changelog}\nImages\n${lines.join('\n')}\n`;
}

function imageLines({ app, action, changed }: ImagePlan, previous: string | undefined): string[] {
  if (action === 're-tag') return [`  ${app}: re-tag, as nothing of it has changed since ${previous}`];
  if (changed.length === 0) return [`  ${app}: build`];
  const more = changed.length - SHOWN_CHANGES;
  const shown = [...changed.slice(0, SHOWN_CHANGES), ...(more > 0 ? [`and ${more} more`] : [])];
  return [`  ${app}: build, because of`, ...shown.map((input) => `    ${input}`)];
}
