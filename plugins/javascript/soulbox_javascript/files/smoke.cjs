'use strict';
// Whether the snapshot does: worker threads start from it, too, and must be able to load whatever
// Node has. What cannot be loaded twice aborts the process.

const { builtinModules } = require('node:module');
const { Worker, isMainThread } = require('node:worker_threads');

const GLOBALS = ['Blob', 'Request', 'WebSocket', 'crypto', 'fetch', 'navigator', 'performance'];

for (const name of builtinModules.filter((name) => !/^(node:)?(_|inspector|sys)/.test(name))) {
  try {
    require(name);
  } catch {
    // Some are for the main thread alone, and say so.
  }
}
for (const name of GLOBALS) {
  void globalThis[name];
}
if (isMainThread) {
  new Worker(__filename);
}
