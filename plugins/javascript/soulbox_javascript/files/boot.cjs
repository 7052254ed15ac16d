'use strict';
// What a parked cell does: gets ready, says so, waits for its step, and becomes the program.
// Node itself starts the program, by the same function as for `node main.js`, from a tick of the
// event loop: no frame of ours is below the program's.
//
//     node --snapshot-blob snapshot.blob boot.cjs

const fs = require('node:fs');
const Module = require('node:module');
const net = require('node:net');
const path = require('node:path');
const { openSync, writeSync } = fs; // the program may replace them
const { linkDependencies } = require('./dependencies.cjs');
const { blockStdio } = require('./stdio.cjs');

const STEP = 3;
const READY = 4;
const EXIT = '/soulbox/exit';
const { O_NONBLOCK, O_WRONLY } = fs.constants;
const REHEARSALS = path.join(__dirname, 'rehearsal');

boot();

async function boot() {
  await importFacades(adoptPreloads());
  await rehearse();
  forgetRehearsal();
  pretend();
  await sayReady();
  const step = fs.readFileSync(STEP, 'utf8');
  fs.closeSync(STEP);
  setImmediate(Module.runMain.bind(Module), become(step));
}

/** Take on the step, but for running it; return the file to run. */
function become(step) {
  const { entrypoint, args, env } = JSON.parse(step);
  const main = path.resolve(entrypoint);
  process.argv.push(main, ...args);
  Object.assign(process.env, env);
  linkDependencies();
  return main;
}

/** Let `require` know the snapshot's packages; see snapshot.cjs. */
function adoptPreloads() {
  const key = Symbol.for('soulbox');
  const { modules, facades, Console, useRequire } = globalThis[key];
  delete globalThis[key];
  console.Console = Console;
  useRequire(Module.createRequire);
  for (const [file, module] of modules) {
    Module._cache[file] = Object.setPrototypeOf(module, Module.prototype);
  }
  return facades;
}

/** Let the loader of ES modules know the snapshot's packages by their own URLs. */
async function importFacades(facades) {
  const sources = new Map(facades.map(({ url, source }) => [url, source]));
  const hooks = Module.registerHooks({
    load(url, context, next) {
      const source = sources.get(url);
      return source === undefined
        ? next(url, context)
        : { format: 'module', source, shortCircuit: true };
    },
  });
  await Promise.all(facades.map(({ url }) => import(url)));
  hooks.deregister();
}

/** Run small programs as the caller's will be run, so that what they touch is warm. */
async function rehearse() {
  const names = ['main.cjs', 'main.mjs'];
  if (process.features.typescript === 'transform') {
    names.push('main.cts', 'main.mts');
  }
  for (const name of names) {
    const step = JSON.stringify({
      entrypoint: path.join(REHEARSALS, name),
      args: [name],
      env: { PATH: process.env.PATH },
    });
    // pretend() takes away what this leaves behind.
    const file = become(step);
    await new Promise((resolve) => {
      setImmediate(() => resolve(Module.runMain(file)));
    });
    await import(file);
  }
  reportSuccess();
}

/** The console writes the byte: that is its rehearsal. */
function sayReady() {
  return new Promise((resolve) => {
    const ready = new net.Socket({ fd: READY, readable: false, writable: true });
    new console.Console(ready).log();
    ready.end().once('close', resolve);
  });
}

/** What was looked up before the caller's files were there must be looked up again. */
function forgetRehearsal() {
  delete process.mainModule;
  for (const key of Object.keys(Module._pathCache)) {
    delete Module._pathCache[key];
  }
  for (const file of Object.keys(Module._cache)) {
    if (file.startsWith(`${__dirname}/`) && !file.startsWith(`${__dirname}/node_modules/`)) {
      delete Module._cache[file];
    }
  }
}

/** Look like a process that has just been started, as far as that goes before the step is there. */
function pretend() {
  process.argv.length = 1;
  process.execArgv.length = 0;
  for (const name of Object.keys(process.env)) {
    delete process.env[name];
  }
  blockStdio();
  process.on('exit', reportSuccess);
}

/**
 * Tell the core of a clean end, ahead of Node's teardown. Only if nobody else listens: handlers
 * that were added after ours run after it.
 */
function reportSuccess(code) {
  if (code === 0 && process.listenerCount('exit') === 1) {
    try {
      writeSync(openSync(EXIT, O_WRONLY | O_NONBLOCK), '0');
    } catch {
      // Then the core learns of it a little later, from the kernel.
    }
  }
}
