"""A module that is never loaded."""

import time

time.sleep(1000)
