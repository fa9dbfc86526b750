// Runs before anything is installed or built, perhaps on a Node that is too old: nothing but Node itself is imported, and no
// syntax is used that an old Node cannot read, so that it can still say so.
import { spawn, spawnSync } from 'child_process';
import { createHash } from 'crypto';
import fs from 'fs';
import path from 'path';
import { fileURLToPath } from 'url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const MINIMUM_NODE = [20, 19];
const NODE_FLAGS = ['--disable-proto=delete', '--enable-source-maps'];

const COMMANDS = {
  start: { does: 'Redis, sandbox, API and worker in one terminal; Ctrl-C drains', main: 'tools/dist/start.js' },
  demo: {
    does: 'orders and events through a running stack, with a service failing in the middle',
    main: 'tools/dist/demo.js',
  },
  test: { does: 'lint, typecheck, format and all tests', main: 'tools/dist/test.js' },
  'test:node': { does: 'the same under another Node, such as 24', main: 'tools/dist/test-node.js' },
  api: { does: 'the API alone', main: 'apps/coordinator-api/dist/main.js', flags: NODE_FLAGS },
  worker: { does: 'a worker alone', main: 'apps/coordinator-worker/dist/main.js', flags: NODE_FLAGS },
  sandbox: {
    does: 'the sandbox alone: the services that the extensions call',
    main: 'apps/sandbox/dist/main.js',
    flags: NODE_FLAGS,
  },
  erase: { does: 'what is stored about a subject, such as an order, is erased', main: 'tools/dist/erase.js' },
  audit: { does: 'checks the books of a live system, and repairs its indexes', main: 'tools/dist/audit.js' },
  cancel: { does: 'calls a job off', main: 'tools/dist/cancel.js' },
  'dead-letters': { does: 'lists the jobs that failed for good', main: 'tools/dist/dead-letters.js' },
  replay: { does: 'begins dead letters anew', main: 'tools/dist/replay.js' },
  'release:rehearse': {
    does: 'a release in a scratch clone, rolled out and back under load',
    main: 'prove/dist/rehearsal/main.js',
  },
  release: { does: 'a version, a changelog, a commit and a tag', main: 'tools/dist/release.js' },
  'check:dependencies': {
    does: 'lock, licenses and known vulnerabilities of npm packages',
    main: 'tools/dist/check-dependencies.js',
  },
  'personal-data': { does: 'lists which fields hold personal data', main: 'tools/dist/personal-data.js' },
  images: { does: 'the container images of API, worker and sandbox', main: 'tools/dist/images.js' },
  'images:check': { does: 'an order through the images, as containers', main: 'tools/dist/images-check.js' },
  'check:packages': {
    does: 'an extension elsewhere, built on the packed libraries',
    main: 'tools/dist/check-packages.js',
  },
  bench: { does: 'the benchmarks', main: 'bench/dist/main.js' },
  prove: { does: 'shows that the promises hold, with real processes being killed', main: 'prove/dist/main.js' },
};

function usage() {
  const lines = Object.keys(COMMANDS).map((name) => `  ${name.padEnd(18)} ${COMMANDS[name].does}`);
  return `Usage: node tools/run.mjs <command> [arguments]\n\n${lines.join('\n')}\n\nInstalls and builds first where that is needed.`;
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function stop(code, line) {
  say(line);
  process.exit(code);
}

function checkNode() {
  const parts = process.versions.node.split('.').map(Number);
  const old = parts[0] < MINIMUM_NODE[0] || (parts[0] === MINIMUM_NODE[0] && parts[1] < MINIMUM_NODE[1]);
  if (old) stop(1, `Node ${MINIMUM_NODE.join('.')} or newer is needed; this is Node ${process.versions.node}.`);
}

function readText(file) {
  try {
    return fs.readFileSync(path.join(ROOT, file), 'utf8');
  } catch (error) {
    return '';
  }
}

const STAMP = 'node_modules/.cache/coordinator/lock.sha256';

function lockHash() {
  return createHash('sha256').update(readText('package-lock.json')).digest('hex');
}

function isInstalled() {
  if (readText(STAMP) === lockHash()) return true;
  if (!installedByNpm()) return false;
  stampInstall();
  return true;
}

/** npm writes down what it has installed; where that is what the lock file says, someone's own `npm ci` was enough. */
function installedByNpm() {
  try {
    const wanted = JSON.parse(readText('package-lock.json')).packages;
    const present = JSON.parse(readText('node_modules/.package-lock.json')).packages;
    return Object.keys(wanted).every((key) => {
      if (!key.startsWith('node_modules/') && key.indexOf('/node_modules/') < 0) return true;
      if (present[key] === undefined)
        return Boolean(wanted[key].optional || wanted[key].peer || wanted[key].extraneous);
      return present[key].version === wanted[key].version && present[key].integrity === wanted[key].integrity;
    });
  } catch (error) {
    return false;
  }
}

function stampInstall() {
  fs.mkdirSync(path.dirname(path.join(ROOT, STAMP)), { recursive: true });
  fs.writeFileSync(path.join(ROOT, STAMP), lockHash());
}

/** Runs a program and gives back its code and what it printed; where it takes longer than a moment, one line tells the seconds. */
function runQuietly(label, command, args) {
  return new Promise((settle) => {
    const began = Date.now();
    let told = 0;
    const tell = (what) => {
      told += 1;
      if (process.stderr.isTTY) process.stderr.write(`\r${label} ${what}`);
      else if (told === 1) say(label);
    };
    const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
    const ticker = setInterval(() => tell(seconds()), 1000);
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      clearInterval(ticker);
      if (told > 0) {
        tell(code === 0 ? `done in ${seconds()}` : `failed after ${seconds()}`);
        if (process.stderr.isTTY) say('');
      }
      settle({ code, output });
    });
  });
}

function npmCommand() {
  const cli = process.env.npm_execpath;
  return cli && cli.endsWith('npm-cli.js') ? [process.execPath, [cli]] : ['npm', []];
}

async function install() {
  const [command, args] = npmCommand();
  const all = [...args, 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await runQuietly(
    'Installing the packages of package-lock.json (a minute or so) …',
    command,
    all,
  );
  // After the first lines npm explains its options.
  const told = output.trim().split('\n').slice(0, 12).join('\n');
  if (code !== 0) stop(1, `${told}\nnpm ci could not install the packages of package-lock.json.`);
  stampInstall();
}

async function build(command) {
  const compiler = path.join(ROOT, 'node_modules', '.bin', 'tsc');
  const { code, output } = await runQuietly('Building …', compiler, ['--build', ROOT, '--pretty', 'false']);
  if (code === 0) return;
  say(`${output}The build failed.`);
  // Whoever reads the last line of a test run finds one, whatever happened.
  if (command.startsWith('test')) process.stdout.write('tests: 0 passed, 1 failed\n');
  process.exit(1);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two commands started at once on a fresh checkout must not install or build into each other's files. */
async function prepareAlone(work) {
  const lock = path.join(ROOT, 'tmp', 'prepare.lock');
  fs.mkdirSync(path.dirname(lock), { recursive: true });
  for (let told = false; ; told = true) {
    try {
      // Made and given our pid in one step, so that a killed holder is told from a busy one.
      fs.symlinkSync(String(process.pid), lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let holder = 0;
    try {
      holder = Number(fs.readlinkSync(lock));
    } catch (error) {
      continue;
    }
    if (!isAlive(holder)) {
      fs.rmSync(lock, { force: true });
      continue;
    }
    if (!told) say(`Waiting for process ${holder}, which installs or builds here …`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
  const release = () => fs.rmSync(lock, { force: true });
  process.once('exit', release);
  await work();
  process.removeListener('exit', release);
  release();
}

/** Starts a program so that the kernel ends it when this process is killed, where util-linux can do that. */
function tiedToParent(command, args) {
  const tie = ['--pdeathsig', 'TERM', '--'];
  const works = spawnSync('setpriv', [...tie, 'true'], { stdio: 'ignore' }).status === 0;
  return works ? ['setpriv', [...tie, command, ...args]] : [command, args];
}

/** As good as exec: the program has the terminal, gets the signals, and its end is ours. */
function become(main, flags, args) {
  if (!fs.existsSync(path.join(ROOT, main))) stop(1, `There is no ${main}: it is not part of this checkout yet.`);
  const [command, all] = tiedToParent(process.execPath, [...flags, path.join(ROOT, main), ...args]);
  const child = spawn(command, all, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // Ctrl-C reaches every process of the terminal by itself; sent again, it would look like a second one.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => stop(1, error.message));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code === null ? 1 : code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

async function main() {
  checkNode();
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`${usage()}\n`);
    process.exit(0);
  }
  const command = Object.prototype.hasOwnProperty.call(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) stop(2, `There is no command "${name}".\n\n${usage()}`);
  await prepareAlone(async () => {
    if (!isInstalled()) await install();
    await build(name);
  });
  become(command.main, command.flags || [], args);
}

main().catch((error) => stop(1, error.message));
