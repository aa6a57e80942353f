"""One actor: its class and methods, handle, mailbox, call records, lifecycle and executors. Nothing here knows a second."""

if __name__ == "actors":
    raise ImportError("`actors` is a room of understudy: write `from understudy.actors import …`")
