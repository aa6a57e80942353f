"""A look into running actors, as OTP's `sys` gives it: `get_state`, `replace_state`, `suspend`, `resume`, `trace`.

Example:
    from understudy import inspection

    await inspection.suspend(worker)
    print(await inspection.get_state(worker))
    await inspection.resume(worker)
"""

from __future__ import annotations

from .actors.inspection import Opaque as Opaque
from .actors.inspection import get_state as get_state
from .actors.inspection import is_suspended as is_suspended
from .actors.inspection import replace_state as replace_state
from .actors.inspection import resume as resume
from .actors.inspection import suspend as suspend
from .supervisors.tracing import Trace as Trace
from .supervisors.tracing import Traced as Traced
from .supervisors.tracing import trace as trace
