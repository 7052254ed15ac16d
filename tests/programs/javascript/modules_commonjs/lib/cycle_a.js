exports.seen = 'half of a';
exports.seen = `a sees ${require('./cycle_b').seen}`;
