// Ends by an error, after its handlers have run and all output is out.
process.on('exit', (code) => console.log('ending with', code));
console.log('x'.repeat(100_000).length);

class ConfigError extends Error {
  name = 'ConfigError';
}

function load(name) {
  throw new ConfigError(`cannot load ${name}`, { cause: new Error('the disk is on fire') });
}

setTimeout(() => load('settings.json'), 1);
console.log('waiting');
