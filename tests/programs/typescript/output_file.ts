// Writes a bitmap and a report in JSON, both brought back.
import { writeFile } from 'node:fs/promises';

type Colour = readonly [red: number, green: number, blue: number];

class Bitmap {
  private readonly pixels: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = new Uint8Array(this.stride * height);
  }

  private get stride(): number {
    return Math.ceil((this.width * 3) / 4) * 4;
  }

  set(x: number, y: number, [red, green, blue]: Colour): void {
    this.pixels.set([blue, green, red], (this.height - 1 - y) * this.stride + x * 3);
  }

  encode(): Uint8Array {
    const header = new DataView(new ArrayBuffer(54));
    header.setUint16(0, 0x424d);
    for (const [offset, value] of [[2, 54 + this.pixels.length], [10, 54], [14, 40], [18, this.width], [22, this.height], [26, (24 << 16) | 1], [34, this.pixels.length]] as const) {
      header.setUint32(offset, value, true);
    }
    return Buffer.concat([new Uint8Array(header.buffer), this.pixels]);
  }
}

const picture = new Bitmap(30, 20);
for (let y = 0; y < picture.height; y++) {
  for (let x = 0; x < picture.width; x++) {
    const inside = (x - 15) ** 2 + (y - 10) ** 2 < 49;
    picture.set(x, y, inside ? [255, 200, 0] : [x * 8, 0, y * 12]);
  }
}
await writeFile('sun.bmp', picture.encode());
await writeFile('report.json', JSON.stringify({ width: picture.width, colours: ['sun', 'sky'] }));
console.log(picture.encode().length);
