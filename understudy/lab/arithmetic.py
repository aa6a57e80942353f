"""Logarithm, exponential and power from additions, multiplications and divisions alone.

IEEE 754 fixes those to the last bit; libraries of mathematics differ there, and a log of events must not.
"""

from __future__ import annotations

from math import frexp, ldexp

LN2 = 0.6931471805599453
LN2_HIGH = 0.693147180369123816490  # with its last bits zero, so that products with small integers are exact
LN2_LOW = 1.90821492927058770002e-10
SQRT_HALF = 0.7071067811865476

# The series of atanh, and of exp: enough terms for 53 bits.
C3, C5, C7, C9, C11, C13, C15, C17, C19, C21, C23 = (1.0 / k for k in range(3, 24, 2))
FACTORIAL = tuple(1.0 / f for f in (87178291200.0, 6227020800.0, 479001600.0, 39916800.0, 3628800.0,
                                    362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0))  # fmt: skip


def ln(x: float) -> float:
    """The natural logarithm of a number above 0."""
    mantissa, exponent = frexp(x)
    if mantissa < SQRT_HALF:
        mantissa *= 2.0
        exponent -= 1
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    # Written out, for it is drawn from a million times: a loop takes twice as long.
    series = z * (C15 + z * (C17 + z * (C19 + z * (C21 + z * C23))))
    series = z * (C3 + z * (C5 + z * (C7 + z * (C9 + z * (C11 + z * (C13 + series))))))
    return exponent * LN2 + 2.0 * s * (1.0 + series)


def exp(x: float) -> float:
    """E to the power of x."""
    exponent = round(x / LN2)
    rest = (x - exponent * LN2_HIGH) - exponent * LN2_LOW
    total = 0.0
    for term in FACTORIAL:
        total = total * rest + term
    return ldexp(total, exponent)


def power(x: float, p: float) -> float:
    """A number from 0, to the power of p, a number above 0."""
    return exp(p * ln(x)) if x > 0.0 else 0.0
