'use strict';
// What a program prints into a pipe arrives, whatever ends the program. Node writes to pipes without
// waiting, and process.exit() then loses what the reader has not taken yet.

/** Have the stream block from its first use on; until then it is not even made. */
function blockStdio() {
  for (const name of ['stdout', 'stderr']) {
    const original = Object.getOwnPropertyDescriptor(process, name);
    Object.defineProperty(process, name, {
      ...original,
      get() {
        Object.defineProperty(process, name, original);
        const stream = process[name];
        stream._handle?.setBlocking?.(true);
        return stream;
      },
    });
  }
}

module.exports = { blockStdio };
