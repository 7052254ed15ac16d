"""A command line tool: subcommands, environment, files beside it, logging, exit code."""

import argparse
import logging
import os
import sys

parser = argparse.ArgumentParser(prog="tool")
parser.add_argument("-v", "--verbose", action="count", default=0)
commands = parser.add_subparsers(dest="command", required=True)
add = commands.add_parser("add", help="add numbers")
add.add_argument("numbers", nargs="+", type=float)
add.add_argument("--places", type=int, default=int(os.environ.get("PLACES", "0")))
options = parser.parse_args()

logging.basicConfig(
    level=[logging.WARNING, logging.INFO, logging.DEBUG][options.verbose],
    format="%(levelname)s %(name)s: %(message)s",
    stream=sys.stdout,
)
log = logging.getLogger("tool")
log.debug("arguments %s", sys.argv[1:])
log.info("adding %d numbers", len(options.numbers))
print(f"{sum(options.numbers):.{options.places}f}", os.getcwd(), os.environ["HOME"], sys.argv[0])
try:
    parser.parse_args(["add", "x"])
except SystemExit as error:
    log.warning("a wrong argument exits with %s", error.code)
sys.exit(4)
