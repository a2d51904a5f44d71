"""Long operations: an action runs a moment later, its status is polled in the same session."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ml_sandbox.acumatica.errors import Problem, missing
from ml_sandbox.acumatica.ledger import LedgerBrokenError
from ml_sandbox.acumatica.sessions import Session
from ml_sandbox.acumatica.wire import Answer
from ml_sandbox.acumatica.world import World


@dataclass
class Operation:
    """One operation: still running, done, or failed with a problem."""

    screen: str
    done: bool = False
    problem: Problem | None = None


class Operations:
    """Starts operations and answers for them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.broken: LedgerBrokenError | None = None

    def start(self, session: Session, screen: str, work: Callable[[], Any]) -> str:
        """Runs `work` after the switch's time and returns the operation's id."""
        operation = Operation(screen)
        operation_id = self._world.guid()
        session.operations[operation_id] = operation
        session.busy[screen] = session.busy.get(screen, 0) + 1

        def finish() -> None:
            try:
                work()
            except Problem as problem:
                operation.problem = problem
            except LedgerBrokenError as error:
                self.broken = error
                operation.problem = Problem(500, str(error), "LedgerBrokenError")
                raise
            finally:
                operation.done = True
                session.busy[screen] -= 1

        delay = self._world.switches.operation_ms / 1000
        if delay <= 0:
            finish()
        else:
            asyncio.get_running_loop().call_later(delay, finish)
        return operation_id

    def status(self, session: Session, operation_id: str, *, with_trace: bool) -> Answer:
        """202 while running, 204 when done, or its failure; another session's is unknown."""
        operation = session.operations.get(operation_id)
        if not isinstance(operation, Operation):
            raise missing()
        if not operation.done:
            return Answer(202)
        if operation.problem is not None:
            return operation.problem.to_answer(with_trace=with_trace)
        return Answer(204)


def check_idle(session: Session, screen: str) -> None:
    """Raises while an operation of the same form runs in the session."""
    if session.busy.get(screen):
        raise Problem(
            500,
            "The previous operation has not been completed yet.",
            "PX.Data.PXInvalidOperationException",
        )
