'use strict';
// Run once, while the image is built, by `node --build-snapshot`: loads the preloads. The heap that
// this leaves behind is what parked cells start from. boot.cjs finds it in `globalThis`.

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];
// What most programs use, as far as survey.mjs lets it in.
const BUILTINS = [
  'async_hooks', 'dns', 'events', 'fs/promises', 'os', 'perf_hooks', 'readline', 'readline/promises',
  'stream/promises', 'string_decoder', 'timers/promises', 'url', 'util', 'worker_threads', 'zlib',
];

const survey = JSON.parse(fs.readFileSync(process.env.SURVEY, 'utf8'));
/** The preloads' modules by file name: what their code knows as `module`. */
const loaded = new Map();
/** Once it is there: returns the real `require` of a file. */
let createRequire;

for (const name of BUILTINS) {
  require(name);
}
for (const file of survey.modules) {
  try {
    load(file);
  } catch (error) {
    process._rawDebug(`not in the snapshot: ${file}: ${error.message}`);
  }
}
const state = {
  modules: loaded,
  facades: survey.facades.filter(({ file }) => loaded.has(file)),
  Console: console.Console, // which Node loses in a snapshot
  useRequire(make) {
    createRequire = make;
  },
};
Object.defineProperty(globalThis, Symbol.for('soulbox'), { value: state, configurable: true });

function load(file) {
  const known = loaded.get(file);
  if (known !== undefined) {
    return known.exports;
  }
  const module = {
    id: file,
    path: path.dirname(file),
    exports: {},
    filename: file,
    loaded: true,
    children: [],
    paths: [],
  };
  loaded.set(file, module);
  try {
    execute(module);
  } catch (error) {
    loaded.delete(file);
    throw error;
  }
  return module.exports;
}

function execute(module) {
  const content = fs.readFileSync(module.filename, 'utf8');
  if (module.filename.endsWith('.json')) {
    module.exports = JSON.parse(content);
    return;
  }
  const requests = survey.edges[module.filename];
  const ownRequire = (request) => {
    if (createRequire !== undefined) {
      return createRequire(module.filename)(request);
    }
    const target = requests?.[request];
    if (target === undefined) {
      throw new Error(`${request} was not asked for before`);
    }
    return target.startsWith('/') ? load(target) : require(target);
  };
  const wrapper = vm.compileFunction(content.replace(/^#!.*/, ''), PARAMETERS, {
    filename: module.filename,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const { exports, filename } = module;
  Reflect.apply(wrapper, exports, [exports, ownRequire, module, filename, module.path]);
}
