// A web server and its clients in one process, over loopback.
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { json } from 'node:stream/consumers';

const notes = new Map();
const server = http.createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const send = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const id = pathname.match(/^\/notes\/(\w+)$/)?.[1];
  try {
    if (request.method === 'PUT' && id) {
      notes.set(id, await json(request));
      return send(201, { id });
    }
    if (request.method === 'GET' && id) return notes.has(id) ? send(200, notes.get(id)) : send(404, { error: `no note ${id}` });
    if (pathname === '/sum') return send(200, searchParams.getAll('n').reduce((sum, n) => sum + Number(n), 0));
    send(405, { error: `${request.method} ${pathname}` });
  } catch (error) {
    send(400, { error: error.name });
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${server.address().port}`;
const ask = async (path, options) => {
  const response = await fetch(base + path, options);
  return [response.status, await response.json()];
};

console.log(await ask('/notes/a', { method: 'PUT', body: JSON.stringify({ text: 'Grüße' }) }));
console.log(await ask('/notes/a'), await ask('/notes/b'), await ask('/notes/c', { method: 'PUT', body: '{' }));
console.log(await ask('/sum?n=1&n=2&n=39'), await ask('/', { method: 'DELETE' }));
const many = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`/sum?n=${i}&n=1`)));
console.log(many.map(([, n]) => n).join(' '));
server.closeAllConnections();
server.close();
await once(server, 'close');

const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
await once(echo, 'listening');
const socket = net.connect(echo.address().port, '127.0.0.1');
socket.end('over a socket');
console.log((await socket.setEncoding('utf8').toArray()).join(''));
echo.close();
console.log(await fetch(base).catch((error) => error.cause.code));
