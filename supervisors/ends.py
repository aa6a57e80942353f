"""Why a supervisor ended, as an exit reason for the one above: OTP's *shutdown*, with the whole cause in it."""

from __future__ import annotations

from dataclasses import replace

from ..actors.reasons import ERROR, NORMAL_EXIT, SHUTDOWN, ExitReason
from .rules import FLAW, INTENSITY, SECOND, SIGNIFICANT, START, STRATEGY, Flags
from .steps import Cause

# Why it ended, to how that is told: {child}, {reason}, {intensity}, {within}.
WORDS: dict[str, str] = {
    START: "{child} did not start: {reason}",
    INTENSITY: "{child} ended too often ({intensity} restarts in {within:g} s): {reason}",
    STRATEGY: "its strategy gave up, for {child}: {reason}",
    FLAW: "its strategy failed: {reason}",
    SIGNIFICANT: "{child}, which is significant, has ended: {reason}",
}


def end_of(cause: Cause, flags: Flags, kind: str | None = None) -> ExitReason:
    """The reason; a start that failed is an error, all else *shutdown* unless another `kind` is wanted."""
    reason = cause.reason if isinstance(cause.reason, ExitReason) else NORMAL_EXIT
    if isinstance(cause.reason, BaseException):
        reason = ExitReason(ERROR, str(cause.reason), cause.reason)
    shown = cause.reason if cause.reason is not None else "nobody fell"
    text = WORDS[cause.why].format(
        child=cause.child or "all", reason=shown, intensity=flags.intensity, within=flags.within / SECOND
    )
    if cause.why == SIGNIFICANT:
        return ExitReason(SHUTDOWN, text, ordered=True)
    kind = ERROR if cause.why in (START, FLAW) else kind or SHUTDOWN
    return replace(reason, kind=kind, text=text, ordered=False, uprooted=False)
