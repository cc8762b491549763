"""What the processes of a training agree on before they go on: an error, an interruption.

One process alone may run out of memory, lose a worker, or meet a file that it cannot read, while
the others wait for it in an exchange. So between two exchanges every process works by itself, and
then tells the others how it went:

    with agreement(group):
        ...  # no exchange in here, but for agreements and steps of a GradientExchange

If one of them has failed, all of them raise the same error. What is raised outside of every inner
agreement is told in the next one of the others, which must come before any other exchange; so an
error is caught between two agreements, never inside of one. An agreement costs one exchange of
three bytes between CPUs; words are exchanged only after an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from harness.training.distributed import World, is_of_exchange
from harness.training.failure import Failure, of_all

Key = TypeVar("Key")

#: A note on errors that every process has raised.
TOLD = "every process of this training has raised this error"


@contextmanager
def agreement(group: World) -> Iterator[None]:
    """Raises the same error in every process if one of them raises inside. Of one process alone
    it is the error as it is; else one of harness.core.errors, OutOfMemory or KeyboardInterrupt.
    """
    if group.size == 1:
        yield
        return
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if is_told(error) or is_of_exchange(error):
            raise
        group.any_of([True, False, False])
        raise shared_error(group, error) from error
    agree(group)


@dataclass(frozen=True)
class Turn:
    """What is to be done before the next step, in every process."""

    interrupted: bool = False
    save: bool = False


def agree(group: World, *, interrupted: bool = False, save: bool = False) -> Turn:
    """What any process asks for.

    Raises the error that another process met since the last agreement.
    """
    has_failed, *asked = group.any_of([False, interrupted, save])
    if has_failed:
        raise shared_error(group, None)
    return Turn(*asked)


def shared_error(group: World, error: BaseException | None) -> BaseException:
    """The error that every process raises, when all know that some process has failed; from that
    of this process, if it has one.
    """
    mine = None if error is None else Failure.of(error)
    shared = of_all(group.of_each(mine)).error()
    shared.add_note(TOLD)
    return shared


def errors_of_any(
    group: World, errors: Mapping[Key, Exception], keys: Sequence[Key]
) -> dict[Key, Exception]:
    """The errors that any process has met, by what they are about, in all processes. `keys` are
    the same in all of them, and need not be ones that can be sent.
    """
    if group.size == 1:
        return dict(errors)
    each = group.of_each([Failure.of(errors[key]) if key in errors else None for key in keys])
    by_key = {key: list(met) for key, *met in zip(keys, *each, strict=True) if any(met)}
    shared = {key: of_all(met).error() for key, met in by_key.items()}
    return {key: error for key, error in shared.items() if isinstance(error, Exception)}


def is_told(error: BaseException) -> bool:
    """Whether every process has raised this error."""
    return TOLD in getattr(error, "__notes__", ())
