"""An actor that knows whether its guest spins."""

from understudy import Actor, Process, method
from understudy.transports.guests.context import present


class Eye(Actor, executor=Process()):
    def __init__(self) -> None:
        self.sum = 0

    @method
    def add(self, n: int) -> int:
        self.sum += n
        return self.sum

    @method
    def spins(self) -> bool:
        return "Eager" in present().asker.receive.__qualname__
