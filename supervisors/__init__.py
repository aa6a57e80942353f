"""More than one actor: specs, strategies, the core that decides, the shell that does it, the tree, names and events."""

if __name__ == "supervisors":
    raise ImportError("`supervisors` is a room of understudy: write `from understudy.supervisors import …`")
