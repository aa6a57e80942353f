"""Settings of the whole test run: what it says about itself, and that crashes leave nothing behind."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from understudy.transports.places.greenroom import GREEN_ROOM


def pytest_configure() -> None:
    """Processes crash here on purpose: none of them may leave a core file."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


@pytest.fixture(autouse=True)
def keepers_of_its_own(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test marked `cold` is about what starts guests, or about what is left at a runtime's end."""
    with GREEN_ROOM.kept_shut() if request.node.get_closest_marker("cold") else nullcontext():
        yield


def pytest_report_header() -> str:
    portable = os.environ.get("UNDERSTUDY_PORTABLE") == "1"
    return f"understudy: {'portable means only' if portable else 'every means of this system'}"
