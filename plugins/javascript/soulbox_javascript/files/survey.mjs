// What the preloads consist of, for the snapshot. Run once, while the image is built:
//
//     node --no-experimental-require-module survey.mjs OUTPUT NAME...
//
// A module may go into the snapshot if all cells may share what it computed when it was loaded,
// and V8 can serialise it. Those that may not are left out, with all that need them: a program
// that asks for one loads it as any other file.

import { createRequire, Module } from 'node:module';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import crypto from 'node:crypto';
import { performance } from 'node:perf_hooks';

// Builtin modules that may go along. The others hold something that V8 cannot serialise (http, tls),
// or that a worker thread, which starts from the same snapshot, would make a second time and then
// abort (child_process, crypto, net, stream/web, tty, v8), or look at stderr (assert).
const FIT = new Set([
  'async_hooks', 'buffer', 'console', 'constants', 'diagnostics_channel', 'dns', 'events', 'fs',
  'fs/promises', 'os', 'path', 'path/posix', 'perf_hooks', 'process', 'punycode', 'querystring',
  'readline', 'readline/promises', 'stream', 'stream/promises', 'string_decoder', 'timers',
  'timers/promises', 'url', 'util', 'util/types', 'vm', 'worker_threads', 'zlib',
]);
// Looked at by hand: what these read while they are loaded may be the same everywhere. lodash
// counts how often a function is called by the clock, immutable draws a start for its hashes.
const HARMLESS = /\/node_modules\/(lodash|immutable)\//;
const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

/** For each file, what it required while it was loaded: the request to the file or builtin. */
const edges = {};
const order = [];
const unfit = new Set();
const loading = [];

const require = createRequire(import.meta.url);
watchLoading();
watchChance();

const entries = [];
for (const name of process.argv.slice(3)) {
  entries.push(await survey(name));
}
spreadUnfitness();
const modules = order.filter((file) => !unfit.has(file));
const facades = entries
  .filter(({ file, url }) => file !== undefined && !unfit.has(file) && url !== undefined)
  .map((entry) => ({ url: entry.url, file: entry.file, source: facade(entry) }))
  .filter(({ source }) => source !== undefined);
fs.writeFileSync(process.argv[2], JSON.stringify({ modules, edges, facades }));
process.exit(); // whatever a package may have begun

/** Load a package both ways. It may lack either, or both if it is there for its types alone. */
async function survey(name) {
  const entry = { name };
  try {
    entry.file = require.resolve(name);
    require(name);
  } catch {
    entry.file = undefined;
  }
  try {
    entry.url = import.meta.resolve(name);
    entry.namespace = await import(entry.url);
  } catch {
    entry.url = undefined;
  }
  return entry;
}

function watchLoading() {
  const { require: load, load: loadFile } = Module.prototype;
  Module.prototype.require = function (request) {
    const target = Module._resolveFilename(request, this);
    (edges[this.filename] ??= {})[request] = target;
    return load.call(this, request);
  };
  Module.prototype.load = function (file) {
    loading.push(file);
    try {
      loadFile.call(this, file);
    } finally {
      loading.pop();
    }
    order.push(file);
    if (!isPlain(file)) {
      unfit.add(file);
    }
  };
}

/** What tells the time or draws lots while it is loaded would be the same in every cell. */
function watchChance() {
  const mark = () => {
    const file = loading.at(-1);
    if (file !== undefined && !HARMLESS.test(file)) {
      unfit.add(file);
    }
  };
  const watch = (holder, name) => {
    const original = holder[name];
    const value = function (...args) {
      mark();
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(holder, name, { value });
  };
  watch(Math, 'random');
  watch(Date, 'now');
  watch(performance, 'now');
  watch(process, 'hrtime');
  for (const name of Object.keys(crypto).filter((name) => name.startsWith('random'))) {
    watch(crypto, name);
  }
  for (const name of ['getRandomValues', 'randomUUID']) {
    watch(Crypto.prototype, name);
  }
  globalThis.Date = new Proxy(Date, {
    construct(target, args, newTarget) {
      if (!args.length) {
        mark();
      }
      return Reflect.construct(target, args, newTarget);
    },
  });
}

function isPlain(file) {
  if (file.endsWith('.json')) {
    return true;
  }
  try {
    vm.compileFunction(fs.readFileSync(file, 'utf8'), PARAMETERS);
    return true;
  } catch {
    return false; // an ES module, or an addon
  }
}

/** Whatever was loaded by help of something unfit is unfit. */
function spreadUnfitness() {
  const isUnfit = (target) =>
    target.startsWith('/') ? unfit.has(target) : !FIT.has(target.replace(/^node:/, ''));
  let size;
  do {
    size = unfit.size;
    for (const [file, requests] of Object.entries(edges)) {
      if (Object.values(requests).some(isUnfit)) {
        unfit.add(file);
      }
    }
  } while (unfit.size > size);
}

/**
 * An ES module of the package's URL and exports that takes them from its CommonJS variant, or
 * undefined if that one does not have the same.
 */
function facade({ file, url, namespace }) {
  const exports = require(file);
  const isItself = fileURLToPath(url) === file;
  const lines = [
    "import { createRequire } from 'node:module';",
    `const all = createRequire(import.meta.url)(${JSON.stringify(file)});`,
  ];
  for (const [index, name] of Object.keys(namespace).entries()) {
    const whole = isItself && (name === 'default' || name === 'module.exports');
    const value = whole ? exports : exports?.[name];
    if (typeof value !== typeof namespace[name]) {
      return undefined;
    }
    const quoted = JSON.stringify(name);
    lines.push(`const $${index} = all${whole ? '' : `[${quoted}]`};`);
    lines.push(`export { $${index} as ${quoted} };`);
  }
  return lines.join('\n');
}
