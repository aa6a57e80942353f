"""What tests of programs with actors need: real faults, on order and on record."""

from .inject import Injection as Injection
from .inject import InjectionError as InjectionError
from .inject import Injector as Injector
from .inject import inject as inject
from .inject import injected as injected
