// Other programs: a shell, another Node, one that is killed.
const { execFile, execFileSync, execSync, fork, spawn } = require('node:child_process');
const { once } = require('node:events');
const { promisify } = require('node:util');

async function main() {
  console.log(execSync('echo "$((6 * 7))"; printf "%s\\n" "$0"', { encoding: 'utf8', shell: '/bin/sh' }).trim().split('\n'));
  console.log(execFileSync('sort', ['-r'], { input: 'b\na\nc\n', encoding: 'utf8' }).trim().split('\n').join());
  const { stdout } = await promisify(execFile)(process.execPath, ['--print', '[1, 2, 3].map((n) => n * n).join()']);
  console.log(stdout.trim());

  const failed = await promisify(execFile)('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3']).catch((error) => error);
  console.log(failed.code, failed.stdout.trim(), failed.stderr.trim());
  const missing = await promisify(execFile)('no-such-program').catch((error) => error);
  console.log(missing.code);

  const sleeper = spawn('sleep', ['60']);
  sleeper.kill('SIGTERM');
  console.log(await new Promise((resolve) => sleeper.once('exit', (code, signal) => resolve([code, signal]))));

  const child = fork(__filename, ['child'], { env: { ...process.env, ANSWER: '42' } });
  child.send({ question: [1, 2, 3] });
  const [[message], [code]] = await Promise.all([once(child, 'message'), once(child, 'exit')]);
  console.log('from the child', message, 'ended with', code);

  const cat = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
  cat.stdin.end('through a pipe\n');
  for await (const chunk of cat.stdout) process.stdout.write(chunk);
}

if (process.argv[2] === 'child') {
  process.once('message', ({ question }) => {
    process.send({ sum: question.reduce((a, b) => a + b), answer: process.env.ANSWER });
    process.exitCode = 5;
    process.disconnect();
  });
} else {
  main();
}
