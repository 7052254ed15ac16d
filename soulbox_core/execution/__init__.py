"""From a request to what came of it: plan the step, run it in a cell, judge the facts."""
