"""A module that changes the process which loads it."""

import os
import resource
import signal

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, lambda number, frame: None)
signal.setitimer(signal.ITIMER_REAL, 1000.0)
os.umask(0)
os.chdir("/")
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
