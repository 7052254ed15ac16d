'use strict';
// Makes a request's own dependencies found from the program: by require, and by import, which
// looks for node_modules in the directories above a file and nowhere else.

const fs = require('node:fs');
const path = require('node:path');

const VARIABLE = 'SOULBOX_NODE_MODULES';

/** Take the variable that tells where they are, if there are any, and link them to where we are. */
function linkDependencies() {
  const directory = process.env[VARIABLE];
  if (directory !== undefined) {
    delete process.env[VARIABLE];
    link(directory, path.resolve('node_modules'));
  }
}

/** Where the caller sent a node_modules of their own, theirs wins package by package. */
function link(target, place) {
  try {
    fs.symlinkSync(target, place);
  } catch (error) {
    if (error.code !== 'EEXIST') {
      throw error;
    }
    for (const name of fs.readdirSync(target).filter((name) => !name.startsWith('.'))) {
      if (name.startsWith('@') || !fs.existsSync(path.join(place, name))) {
        link(path.join(target, name), path.join(place, name));
      }
    }
  }
}

module.exports = { linkDependencies };
