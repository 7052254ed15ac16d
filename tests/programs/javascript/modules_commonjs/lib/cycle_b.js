exports.seen = `b sees ${require('./cycle_a').seen}`;
