import { expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/warehouse');

interface Quote {
  readonly guide: string;
  /** As the first line of the block names it: from the example's folder, or from that of the repository. */
  readonly file: string;
  readonly code: string;
}

/** The TypeScript blocks of a guide; one that names no file is a quote of nothing. */
function quotesOf(guide: string): Quote[] {
  const markdown = readFileSync(join(ROOT, 'docs/guides', guide), 'utf8');
  return [...markdown.matchAll(/^ *```(?:ts|typescript)\b.*\n([^]*?)^ *```$/gm)].map(([, block = '']) => {
    const [, file = 'a file that the first line does not name', code = block] =
      /^\/\/ (\S+\.ts)\n([^]*)$/.exec(block) ?? [];
    return { guide, file, code };
  });
}

function contentOf(file: string): string {
  return readFileSync(join(file.startsWith('src/') ? EXAMPLE : ROOT, file), 'utf8');
}

const extensionGuide = quotesOf('write-an-extension.md');
const testGuide = quotesOf('test-a-task.md');
const scheduleGuide = quotesOf('schedule-a-task.md');
const changeGuide = quotesOf('change-a-task.md');

test.each([...extensionGuide, ...testGuide, ...scheduleGuide, ...changeGuide])(
  '$guide quotes $file as it is',
  ({ file, code }) => {
    // Lines of their own on both sides, so that half a statement is no quote.
    expect(`\n${contentOf(file)}`).toContain(`\n${code}`);
  },
);

test('who follows write-an-extension.md to its end has the whole extension', () => {
  const files = readdirSync(join(EXAMPLE, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('fixtures'))
    .map((file) => `src/${file}`);
  const quoted = extensionGuide.map(({ file, code }) => [file, code]);

  expect(Object.fromEntries(quoted)).toEqual(Object.fromEntries(files.map((file) => [file, contentOf(file)])));
});

const guides = readdirSync(join(ROOT, 'docs/guides'));

/** What GitHub makes of the headings of a document. */
function anchorsOf(markdown: string): string[] {
  return Array.from(markdown.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

test.each(guides)('each link of %s leads somewhere', (guide) => {
  const folder = join(ROOT, 'docs/guides');
  const links = readFileSync(join(folder, guide), 'utf8').matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g);
  const lost = Array.from(links, ([, path = '', anchor = '']) => ({
    file: join(folder, path || guide),
    anchor,
  })).filter(
    ({ file, anchor }) =>
      !existsSync(file) || (anchor !== '' && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor)),
  );
  expect(lost).toEqual([]);
});

test.each(guides)('each variable of the Coordinator that %s names stands in the reference', (guide) => {
  const named = readFileSync(join(ROOT, 'docs/guides', guide), 'utf8').matchAll(
    /`((?:API|ADMIN|WORKER|REDIS|SHUTDOWN|QUEUE|DOWNSTREAM|PAYLOAD|COMPLETED|DEAD)_[A-Z_]+)\b/g,
  );
  const reference = readFileSync(join(ROOT, 'docs/reference/configuration.md'), 'utf8');
  const known = Array.from(reference.matchAll(/`([A-Z][A-Z_]+)`/g), ([, name = '']) => name);
  const isKnown = (name: string) => known.includes(name) || known.includes(name.replace(/_FILE$/, ''));
  expect(Array.from(named, ([, name = '']) => name).filter((name) => !isKnown(name))).toEqual([]);
});
