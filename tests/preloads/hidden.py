"""A module that starts a thread of which the `threading` module knows nothing."""

import _thread
import time

_thread.start_new_thread(time.sleep, (1000,))
