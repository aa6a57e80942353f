"""Settings of the whole test run: what it says about itself, and that crashes leave nothing behind."""

import os
import sys


def pytest_configure() -> None:
    """Processes crash here on purpose: none of them may leave a core file."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def pytest_report_header() -> str:
    portable = os.environ.get("UNDERSTUDY_PORTABLE") == "1"
    return f"understudy: {'portable means only' if portable else 'every means of this system'}"
