"""Closed forms: what theory says of supervised actors, to hold a simulation against.

Times are in seconds, rates per second.  `failures` is the rate at which one actor fails while it is up, `repair`
the mean time of its restart.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..actors.backoff import Backoff

# -- availability ------------------------------------------------------------------------------------


def availability(mttf: float, mttr: float) -> float:
    """The share of time that one actor is up (an alternating renewal process: Cox, Renewal Theory, 1962)."""
    return mttf / (mttf + mttr)


def one_for_one(count: int, failures: float, repair: float) -> float:
    """The share of time that all are up, each restarted on its own and beside the others: independent units."""
    return availability(1 / failures, repair) ** count


def one_at_a_time(count: int, failures: float, repair: float) -> float:
    """The same where only one can be started at a time (machine repair, M/M/1//n; Feller, volume 1, XVII.7)."""
    ratio = failures * repair
    return 1 / sum(math.perm(count, k) * ratio**k for k in range(count + 1))


def one_for_all(count: int, failures: float, repair: float) -> float:
    """The share of time that all are up: one failure stops all, they start one by one, and none fails meanwhile."""
    return availability(1 / (count * failures), count * repair)


def rest_for_one(count: int, failures: float, repair: float) -> float:
    """As `one_for_all`, where only those after the one that failed are started again: half of them, on average."""
    return availability(1 / (count * failures), repair * (count + 1) / 2)


# -- the time until restarts run out -----------------------------------------------------------------


def time_to_give_up(failures: float, within: float, intensity: int) -> float:
    """Mean seconds until more than `intensity` restarts fell within the window, for 0 and 1; restarts take no time.

    With one restart allowed, what counts is how many gaps are longer than the window before one is not (Wald).

    Raises:
        ValueError: for a higher intensity, which has no closed form; see FAILURES_TO_GIVE_UP.
    """
    if intensity == 0:
        return 1 / failures
    if intensity == 1:
        return (1 + 1 / -math.expm1(-failures * within)) / failures
    raise ValueError(f"there is a closed form for intensity 0 and 1 only, not {intensity!r}")


# Mean number of failures until restarts run out, by failures expected in a window, and intensity; from up to
# 27 million runs of a program of its own, without this library.  Divided by the rate it is the mean time (Wald).
FAILURES_TO_GIVE_UP: dict[tuple[float, int], float] = {
    (0.10, 1): 11.51, (0.10, 2): 229.0, (0.10, 3): 6784.0,
    (0.25, 1): 5.520, (0.25, 2): 44.55, (0.25, 3): 524.8,  (0.25, 5): 1.60e5,
    (0.50, 1): 3.542, (0.50, 2): 15.27, (0.50, 3): 89.98,  (0.50, 5): 6889.0,
    (1.00, 1): 2.582, (1.00, 2): 6.658, (1.00, 3): 20.70,  (1.00, 5): 392.8,
    (2.00, 1): 2.156, (2.00, 2): 3.943, (2.00, 3): 7.515,  (2.00, 5): 39.72,
}  # fmt: skip


def no_give_up(failures: float, within: float, intensity: int, horizon: float) -> float:
    """The probability that restarts do not run out by `horizon` (Alm 1983, for the scan statistic; good if rare)."""
    expected = failures * within
    point = math.exp(-expected) * expected**intensity / math.factorial(intensity)
    below = math.exp(-expected) * sum(expected**k / math.factorial(k) for k in range(intensity + 1))
    rate = (1 - expected / (intensity + 1)) * failures * point
    return below * math.exp(-rate * (horizon - within))


# -- rejuvenation ------------------------------------------------------------------------------------


def aged(ageing: float, failures: float, repair: float, renewing: float, renewal: float) -> float:
    """The share of time that an actor which ages is up (Huang, Kintala, Kolettis, Fulton, FTCS 1995).

    Rates: robust to aged `ageing`, aged to failed `failures`, failed to robust `repair`, aged to being renewed
    `renewing`, renewed to robust `renewal`.
    """
    aged = 1 / (1 + failures / repair + renewing / renewal + (failures + renewing) / ageing)
    return 1 - aged * (failures / repair + renewing / renewal)


def is_worth_renewing(ageing: float, failures: float, repair: float, renewal: float) -> bool:
    """In that model downtime is monotone in the rate of renewing: at once, or never."""
    return repair * (ageing + failures) < failures * renewal


def renewed(age: float, scale: float, shape: float, repair: float, renewal: float) -> float:
    """The share of time up, of one with Weibull failures that is renewed at this age (Dohi et al. 2000).

    `repair` and `renewal` are the mean times of a restart after a failure, and of a planned one.
    """
    up = integral(lambda t: math.exp(-((t / scale) ** shape)), 0.0, age)
    fails = -math.expm1(-((age / scale) ** shape))
    return up / (up + repair * fails + renewal * (1 - fails))


def integral(f: Callable[[float], float], low: float, high: float, steps: int = 1000) -> float:
    """Simpson's rule."""
    width = (high - low) / steps
    inner = sum((4 if k % 2 else 2) * f(low + k * width) for k in range(1, steps))
    return width / 3 * (f(low) + inner + f(high))


# -- backoff -----------------------------------------------------------------------------------------


def storm(backoff: Backoff, outage: float) -> int:
    """Restarts tried in vain while nothing can start, by an actor that fell as the outage began; without jitter.

    The sum of a geometric series until the waits reach their maximum, and a division from there on.
    """
    growing = math.inf
    if backoff.factor > 1:
        growing = math.ceil(math.log(backoff.max / backoff.min, backoff.factor))
    tried, at, wait = 0, backoff.min, backoff.min
    while at < outage and tried < growing:
        tried, wait = tried + 1, min(backoff.max, wait * backoff.factor)
        at += wait
    return tried if at >= outage else tried + math.ceil((outage - at) / wait)


def jittered_storm(wait: float, jitter: float, outage: float) -> float:
    """The mean of the same for waits that do not grow, each up to `jitter` longer (Cox: the renewal function)."""
    mean = wait * (1 + jitter / 2)
    variance = (wait * jitter) ** 2 / 12
    return outage / mean + (variance - mean**2) / (2 * mean**2)


# -- calls -------------------------------------------------------------------------------------------


def waiting(arrivals: float, service: float, squared_variation: float = 1.0) -> float:
    """Mean seconds from a call to its reply, one at a time in order (Pollaczek and Khinchine; 1.0: exponential)."""
    load = arrivals * service
    return service + load * service * (1 + squared_variation) / (2 * (1 - load))
