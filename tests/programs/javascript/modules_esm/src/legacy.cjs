module.exports = { kind: 'commonjs', again: require('./shapes.js').area({ kind: 'square', size: 3 }) };
