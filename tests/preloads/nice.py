"""A module that is nice, and for good where root alone could undo that."""

import os

os.nice(3)
