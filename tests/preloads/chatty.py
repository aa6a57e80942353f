"""A module that talks while it is loaded."""

import sys

print("a word of mine")
print("a complaint", file=sys.stderr)
print("no end of line", end="")
