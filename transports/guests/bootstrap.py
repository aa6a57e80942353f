"""The file a guest starts from: `python -I -S -E bootstrap.py LINK [PAGE]`, with descriptors as numbers."""

import sys


def main() -> None:
    here = __file__.rpartition("/")[0]
    package = type(sys)("understudy_guest")
    package.__path__ = [here]
    sys.modules["understudy_guest"] = package
    # Imported, not run from here, so that its compiled form is cached.
    __import__("understudy_guest.main")
    sys.modules["understudy_guest.main"].run([int(number) for number in sys.argv[1:]])


if __name__ == "__main__":
    main()
