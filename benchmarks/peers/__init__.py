"""Other ways to call code in another process: one process on the far side, driven in the way that is fastest for each."""
