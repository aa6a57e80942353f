"""The file that guests and keepers start from: `python -I -S -E bootstrap.py MODULE ARGUMENT...`."""

import sys

OLDEST = (3, 11)


def main() -> None:
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        sys.exit(f"understudy needs Python {wanted} or newer; {sys.executable} is {sys.version.split()[0]}")
    package = type(sys)("understudy_guest")
    package.__path__ = [__file__.rpartition("/")[0]]
    sys.modules["understudy_guest"] = package
    name, *arguments = sys.argv[1:]
    # Imported, not run from here, so that its compiled form is cached.
    __import__(f"understudy_guest.{name}")
    follow = sys.modules[f"understudy_guest.{name}"].main(arguments)
    while follow is not None:
        follow = follow()  # from down here: a forked child has none of the keeper's frames below its own


if __name__ == "__main__":
    main()
