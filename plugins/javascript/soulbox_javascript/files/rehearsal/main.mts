import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';

const found: Stats = await stat('/dev/null');
export default found satisfies Stats;
