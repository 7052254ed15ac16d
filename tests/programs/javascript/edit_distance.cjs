// How far words are apart, the longest common subsequence, and a diff of two texts.
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row.at(-1);
}

function diff(a, b) {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const lines = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i++]}`);
      j++;
    } else if (j === b.length || (i < a.length && lengths[i + 1][j] >= lengths[i][j + 1])) lines.push(`- ${a[i++]}`);
    else lines.push(`+ ${b[j++]}`);
  }
  return { common: lengths[0][0], lines };
}

const words = ['kitten', 'sitting', 'mitten', 'written', 'smitten', 'bitten'];
console.log(words.map((a) => words.map((b) => distance(a, b)).join(' ')).join('\n'));
const near = (word) => words.filter((w) => w !== word).sort((a, b) => distance(a, word) - distance(b, word) || a.localeCompare(b))[0];
console.log(words.map((word) => `${word} ~ ${near(word)}`).join(', '));
const before = 'the quick brown fox jumps over the lazy dog'.split(' ');
const after = 'the slow brown fox walks around the very lazy dog'.split(' ');
const { common, lines } = diff(before, after);
console.log(common, '\n' + lines.join('\n'));
console.log(diff([...'ACCGGTCGAGTGCGCGGAAGCCGGCCGAA'.repeat(20)], [...'GTCGTTCGGAATGCCGTTGCTCTGTAAA'.repeat(20)]).common);
