"""A module that starts a thread as it is loaded."""

import threading

threading.Thread(target=threading.Event().wait, name="busybody", daemon=True).start()
