'use strict';
// Finishes the image while it is built: installs packages, and makes the snapshot from which
// parked cells start.
//
//     node setup.cjs TOOL... -- PRELOAD...

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const NPM = path.join(path.dirname(process.execPath), '../lib/node_modules/npm');
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const SNAPSHOT = path.join(__dirname, 'snapshot.blob');
const SURVEY = '/tmp/survey.json';
const LOG = '/tmp/snapshot.log';
// A package that sets a timer when it is loaded would keep us here for ever.
const PATIENCE_MS = 120_000;

const separator = process.argv.indexOf('--');
const tools = process.argv.slice(2, separator);
const preloads = process.argv.slice(separator + 1);
const names = preloads.map((preload) => preload.replace(/(?<=.)@[^/]*$/, ''));

process.chdir(__dirname);
fs.symlinkSync(NPM, 'npm');
install([...tools, ...preloads]);
// Node looks for packages in the directories above a file, so all programs find those in /.
fs.symlinkSync(path.join(__dirname, 'node_modules'), '/node_modules');
// The compiler itself, without the program in JavaScript that starts it.
const compiler = `@typescript/typescript-${process.platform}-${process.arch}/lib/tsc`;
fs.symlinkSync(path.join(__dirname, 'node_modules', compiler), '/usr/local/bin/tsc');
if (!makeSnapshot(names)) {
  const fit = names.filter((name) => makeSnapshot([name]));
  console.error(`not in the snapshot: ${names.filter((name) => !fit.includes(name)).join(' ')}`);
  if (!makeSnapshot(fit) && !makeSnapshot([])) {
    throw new Error('no snapshot can be made');
  }
}

function install(packages) {
  run([
    ...['npm/bin/npm-cli.js', 'install', '--ignore-scripts', '--no-save', '--no-package-lock'],
    ...['--no-audit', '--no-fund', '--no-update-notifier'],
    ...['--cache=/tmp/npm', `--cafile=${CERTIFICATES}`, '--', ...packages],
  ]);
  for (const file of fs.globSync('node_modules/**/*.map')) {
    fs.rmSync(file);
  }
}

/** Whether there is one now, that holds these packages as far as may be, and that works. */
function makeSnapshot(packages) {
  const options = ['--no-warnings', '--snapshot-blob', SNAPSHOT];
  // What looks at its stderr while it is loaded must not find a pipe: that would stay in the heap.
  const log = fs.openSync(LOG, 'w');
  try {
    run(['--no-experimental-require-module', 'survey.mjs', SURVEY, ...packages], log);
    run([...options, '--build-snapshot', 'snapshot.cjs'], log);
    run([...options, 'smoke.cjs'], log);
    return true;
  } catch (error) {
    console.error(error.message, fs.readFileSync(LOG, 'utf8'));
    return false;
  }
}

function run(argv, stderr = 'inherit') {
  execFileSync(process.execPath, argv, {
    env: { ...process.env, SURVEY },
    stdio: ['ignore', 'ignore', stderr],
    timeout: PATIENCE_MS,
  });
}
