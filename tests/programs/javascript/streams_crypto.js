// Streams, compression, hashes and ciphers of Node's own.
const crypto = require('node:crypto');
const { Readable, Transform, Writable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const zlib = require('node:zlib');

class Lines extends Transform {
  #rest = '';

  constructor() {
    super({ readableObjectMode: true });
  }

  _transform(chunk, _, done) {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) this.push(line);
    done();
  }

  _flush(done) {
    if (this.#rest) this.push(this.#rest);
    done();
  }
}

async function main() {
  const text = Array.from({ length: 2000 }, (_, i) => `line ${i}: ${'ab'.repeat(i % 17)}`).join('\n');
  const packed = zlib.gzipSync(text);
  console.log(packed.length < text.length / 5, zlib.brotliDecompressSync(zlib.brotliCompressSync(text)).toString() === text);

  let count = 0;
  let longest = '';
  await pipeline(
    Readable.from([packed.subarray(0, 100), packed.subarray(100)]),
    zlib.createGunzip(),
    new Lines(),
    new Writable({
      objectMode: true,
      write(line, _, done) {
        count++;
        if (line.length > longest.length) longest = line;
        done();
      },
    }),
  );
  console.log(count, longest);

  for (const name of ['md5', 'sha1', 'sha256', 'sha3-256']) {
    console.log(name, crypto.createHash(name).update(text).digest('hex').slice(0, 24));
  }
  console.log('hmac', crypto.createHmac('sha256', 'key').update('message').digest('base64'));
  console.log('pbkdf2', crypto.pbkdf2Sync('password', 'salt', 1000, 16, 'sha256').toString('hex'));

  const key = crypto.scryptSync('secret', 'salt', 32);
  const cipher = crypto.createCipheriv('aes-256-gcm', key, Buffer.alloc(12, 1));
  const sealed = Buffer.concat([cipher.update('Grüße, 世界', 'utf8'), cipher.final()]);
  const opener = crypto.createDecipheriv('aes-256-gcm', key, Buffer.alloc(12, 1)).setAuthTag(cipher.getAuthTag());
  console.log(sealed.toString('hex'), Buffer.concat([opener.update(sealed), opener.final()]).toString());

  const { privateKey, publicKey } = crypto.generateKeyPairSync('ed25519');
  const signature = crypto.sign(null, Buffer.from('signed'), privateKey);
  console.log(signature.length, crypto.verify(null, Buffer.from('signed'), publicKey, signature), crypto.verify(null, Buffer.from('forged'), publicKey, signature));
  console.log(crypto.randomUUID() !== crypto.randomUUID(), crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a')));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('web'));
  console.log(Buffer.from(digest).toString('base64url'));

  await pipeline(Readable.from(['x']), new Transform({ transform: (chunk, _, done) => done(new Error('broken pipe stage')) }), new Writable()).catch((error) => console.log(error.message));
}

main();
