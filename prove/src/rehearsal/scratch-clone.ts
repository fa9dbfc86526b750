import { REPOSITORY, writeAppTree } from '@coordinator/tools';
import { execFile } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { linkPackages } from '../planted/linked-packages.ts';

const run = promisify(execFile);
/** The change, as a patch of this repository. */
export const PATCH = join(REPOSITORY, 'prove', 'rehearsal', 'enrol-opt-in.patch');

/** The change that is released: the payload of a task of one extension gets another shape. */
export const CHANGE = {
  task: 'lms.enrol',
  project: '@coordinator/extension-open-edx-lms',
  jestProject: 'extension-open-edx-lms',
  message: 'feat(open-edx-lms): ask the LMS to write to those who want it',
} as const;

/** What `npm run release -- --json` tells, as far as it is looked at here. */
export interface ToldRelease {
  readonly version: string;
  readonly tag: string;
  readonly changelog: string;
  readonly images: readonly { readonly app: string; readonly action: string }[];
}

/** Where node runs the apps of a release from. */
export type AppTrees = Readonly<Record<'coordinator-api' | 'coordinator-worker', string>>;

/** A clone of this repository in a temporary folder, in which a release may be made: nothing of it comes back. */
export class ScratchClone {
  /** Holds the clone and what is made of it. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'coordinator-rehearsal-'));
  readonly root = join(this.#folder, 'clone');

  /** Clones what is committed. */
  async make(): Promise<void> {
    await run('git', ['clone', '--quiet', REPOSITORY, this.root]);
    await this.#git('checkout', '--quiet', '-B', 'main');
    // Nothing can be pushed by mistake.
    await this.#git('remote', 'remove', 'origin');
    await this.#git('config', 'user.name', 'Rehearsal');
    await this.#git('config', 'user.email', 'rehearsal@example.test');
    // Whoever signs commits, or has hooks for all repositories, does not have them here.
    await this.#git('config', 'commit.gpgsign', 'false');
    await this.#git('config', 'tag.gpgsign', 'false');
    await this.#git('config', 'core.hooksPath', '/dev/null');
    // .gitignore means folders, and these are links.
    appendFileSync(join(this.root, '.git', 'info', 'exclude'), 'node_modules\n');
    const { packages } = JSON.parse(readFileSync(join(this.root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>;
    };
    const ours = Object.keys(packages).filter((folder) => folder !== '' && !folder.includes('node_modules/'));
    linkPackages(this.root, ours);
    const installed = join(REPOSITORY, 'node_modules');
    symlinkSync(join(installed, '.bin'), join(this.root, 'node_modules', '.bin'));
    copyFileSync(join(installed, '.package-lock.json'), join(this.root, 'node_modules', '.package-lock.json'));
  }

  /** Commits the change. @throws Error when the patch does not fit what is there */
  async commitChange(): Promise<void> {
    await this.#git('apply', '--index', PATCH).catch((error: Error) => {
      throw new Error(`The patch does not fit its extension any more, make it anew: ${PATCH}\n${error.message}`);
    });
    await this.#git('commit', '--quiet', '--message', CHANGE.message);
  }

  /** Names of the projects that the last commit affects. */
  async affected(): Promise<string[]> {
    const { stdout } = await this.#run('node_modules/.bin/nx', 'show', 'projects', '--affected', '--base=HEAD~1');
    return stdout.split('\n').filter(Boolean).sort();
  }

  /** Runs the tests of the extension that was changed. @throws Error with what Jest said */
  async testChange(): Promise<void> {
    await this.#run('node_modules/.bin/jest', '--forceExit', '--selectProjects', CHANGE.jestProject);
  }

  /** Makes a release of what is committed; undefined when it is one already. @throws Error with what the command said */
  async release(): Promise<ToldRelease | undefined> {
    const { stdout } = await this.#run('npm', 'run', '--silent', 'release', '--', '--tested', '--json').catch(
      (error: Error) => {
        if (error.message.includes('There is nothing to release')) return { stdout: 'null' };
        throw error;
      },
    );
    return (JSON.parse(stdout) as ToldRelease | null) ?? undefined;
  }

  /** What its apps tell as their release. */
  version(): string {
    const manifest = readFileSync(join(this.root, 'apps', 'coordinator-api', 'package.json'), 'utf8');
    return (JSON.parse(manifest) as { version: string }).version;
  }

  /** Messages of a tag, the tag itself and what it is a release of. @throws Error when there is no such tag */
  async tagged(tag: string): Promise<string> {
    return (await this.#git('show', '--no-patch', '--format=%H %s', tag)).stdout;
  }

  /** The whole changelog. */
  changelog(): string {
    return readFileSync(join(this.root, 'CHANGELOG.md'), 'utf8');
  }

  /** Writes what is deployed of API and worker, as images hold it. */
  async writeTrees(version: string): Promise<AppTrees> {
    const write = async (app: keyof AppTrees) => {
      const directory = join(this.#folder, 'trees', version, app);
      const { release } = await writeAppTree({ workspace: this.root, app, directory });
      if (release !== version) throw new Error(`The tree of ${app} is of ${release}, and not of ${version}`);
      return directory;
    };
    const [api, worker] = [await write('coordinator-api'), await write('coordinator-worker')];
    return { 'coordinator-api': api, 'coordinator-worker': worker };
  }

  /** Removes it with all that was made of it. */
  remove(): void {
    // A command that was interrupted may still write.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  #git(...args: string[]) {
    return this.#run('git', ...args);
  }

  async #run(command: string, ...args: string[]): Promise<{ stdout: string }> {
    // What npm and nx tell the processes that they start is about the repository in which the rehearsal was started.
    const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NX_|INIT_CWD$|NODE_PATH$)/i.test(name));
    const env = { ...Object.fromEntries(own), NX_DAEMON: 'false' };
    try {
      return await run(command, args, { cwd: this.root, env, maxBuffer: 64 * 1024 * 1024 });
    } catch (error) {
      const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
      const said = `${stderr}\n${stdout}`.trim().split('\n').slice(-20).join('\n');
      throw new Error(`${command} ${args.join(' ')} failed:\n${said}`, { cause: error });
    }
  }
}
