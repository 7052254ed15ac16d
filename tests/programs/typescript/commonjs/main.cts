import fs = require('node:fs');
import type { Tool, Tools } from './tools.cts';

const tools: Tools = require('./tools.cts');
const tool: Tool = tools.make('hammer', 3);
fs.writeFileSync('tool.json', JSON.stringify(tool));
console.log(tools.describe(JSON.parse(fs.readFileSync('tool.json', 'utf8')) as Tool), require.main === module, typeof exports);
