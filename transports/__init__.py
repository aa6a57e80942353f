"""Bytes and places: links, the guest on their far side, the processes it lives in. Nothing here knows an actor."""

if __name__ == "transports":
    raise ImportError("`transports` is a room of understudy: write `from understudy.transports import …`")
