// Draws a picture as SVG and a table as CSV, and leaves both behind.
const fs = require('node:fs');
const path = require('node:path');

fs.mkdirSync('out/tables', { recursive: true });
const points = Array.from({ length: 9 }, (_, i) => [i * 20, Math.round(50 - 40 * Math.sin((i * Math.PI) / 4))]);
fs.writeFileSync('out/wave.svg', `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 100"><polyline fill="none" stroke="#06c" points="${points.join(' ')}"/></svg>\n`);
const table = fs.openSync(path.join('out', 'tables', 'wave.csv'), 'w');
fs.writeSync(table, 'x,y\n');
for (const point of points) fs.writeSync(table, `${point}\n`);
fs.closeSync(table);
fs.writeFileSync('out/bytes.bin', Uint8Array.from([0, 255, 1, 254]));
fs.appendFileSync('scratch.txt', 'not asked for');
fs.unlinkSync('scratch.txt');
console.log(fs.readdirSync('out', { recursive: true }).sort(), fs.statSync('out/bytes.bin').size);
