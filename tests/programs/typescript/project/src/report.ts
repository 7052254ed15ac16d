import type { Inventory } from './inventory.ts';

export function report(inventory: Inventory): string {
  return [...inventory].map((item) => {
    const detail = item.kind === 'book' ? `${item.pages} pages` : `${item.players.join('-')} players`;
    return `${item.title.padEnd(10)}${item.price.toFixed(2).padStart(6)}  ${detail}`;
  }).join('\n');
}
