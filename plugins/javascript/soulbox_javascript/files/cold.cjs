'use strict';
// Preloaded into a program that starts cold: what boot.cjs does for one that does not.
//
//     node --require cold.cjs main.js

const path = require('node:path');
const { isMainThread } = require('node:worker_threads');
const { linkDependencies } = require('./dependencies.cjs');
const { blockStdio } = require('./stdio.cjs');

if (isMainThread) {
  process.execArgv.length = 0;
  blockStdio();
  linkDependencies();
}
for (const file of Object.keys(require.cache).filter((file) => path.dirname(file) === __dirname)) {
  delete require.cache[file];
}
