"""From the configured encoder class to encoders of the sizes that a task needs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from seqforge.encoders.base import Encoder, EncoderError
from seqforge.errors import UserError

Configured = Callable[[int], Encoder]
"""An encoder class, or a `functools.partial` of one, that still wants its input size."""


class _Choice(NamedTuple):
    """A class and the keyword values it was configured with."""

    encoder: type[Encoder]
    keywords: dict[str, Any]


class EncoderFactory:
    """Builds the encoders of a task, all from one configuration.

    Args:
        encoder: Normally `functools.partial(LSTM, hidden_size=512)`, or the class itself.
        roles: Other configurations for some roles, such as "decoder".
    """

    def __init__(self, encoder: Configured, roles: Mapping[str, Configured] | None = None) -> None:
        self.encoder = encoder
        self.roles = dict(roles or {})
        self._instances: dict[tuple[str, object], Encoder] | None = None

    def __call__(
        self, input_size: int, *, role: str = "encoder", causal: bool | None = None
    ) -> Encoder:
        """Build an encoder; a shared factory builds each one once.

        Args:
            input_size: `I`.
            role: What the task uses it for; `roles` may configure it on its own.
            causal: True: one that can step, so not bidirectional. False: bidirectional, where the
                class offers it. None: as configured.

        Returns:
            The encoder.

        Raises:
            EncoderError: If the class refuses its arguments, if `causal` is asked for and the class
                is never causal, if what was built is not an encoder, or if a shared encoder is
                asked for with another input size.
        """
        if self._instances is None:
            return self._build(input_size, role, causal)
        encoder, keywords = self._resolve(role, causal)
        default = inspect.signature(encoder).parameters.get("bidirectional")
        # By what is built, not by what is asked for: a causal configuration is shared with a task
        # that does not care.
        key = (role, keywords.get("bidirectional", default and default.default))
        if key not in self._instances:
            self._instances[key] = self._build(input_size, role, causal)
        shared = self._instances[key]
        if shared.input_size != input_size:
            raise EncoderError(
                f"the shared encoder of role '{role}' reads {shared.input_size} features, "
                f"and another task asks for {input_size}",
                todo="give the tasks inputs of one size, or encoders of their own",
            )
        return shared

    def shared(self) -> EncoderFactory:
        """Give a factory that hands out one instance per role and direction, for joint training."""
        factory = EncoderFactory(self.encoder, self.roles)
        factory._instances = {}
        return factory

    def describe(self) -> dict[str, Any]:
        """Say what is configured, for a checkpoint.

        Returns:
            `{"encoder": {"class": …, "init_args": {…}}, "roles": {name: {"class": …, …}}}`.

        Raises:
            EncoderError: If a configuration is not a class or a partial of one.
        """
        return {
            "encoder": _described(self.encoder),
            "roles": {role: _described(configured) for role, configured in self.roles.items()},
        }

    def _resolve(self, role: str, causal: bool | None) -> _Choice:
        encoder, keywords = _choice(self.roles.get(role, self.encoder))
        if causal is not None and "bidirectional" in inspect.signature(encoder).parameters:
            keywords["bidirectional"] = not causal
        return _Choice(encoder, keywords)

    def _build(self, input_size: int, role: str, causal: bool | None) -> Encoder:
        encoder, keywords = self._resolve(role, causal)
        key = f"model.roles.{role}" if role in self.roles else "model.encoder"
        try:
            built = encoder(input_size, **keywords)
        except UserError as error:
            error.where = error.where or key
            raise
        except ValueError as error:
            raise EncoderError(f"{encoder.__name__} refuses: {error}", where=key) from error
        for attribute in ("input_size", "output_size"):
            if not isinstance(getattr(built, attribute, None), int):
                raise EncoderError(
                    f"{encoder.__name__} has no int attribute '{attribute}'",
                    todo=f"set self.{attribute} in its constructor",
                )
        if causal and not built.causal:
            raise EncoderError(
                f"{encoder.__name__} is not causal, and role '{role}' needs an encoder that is",
                where=f"model.roles.{role}",
                todo="configure a causal encoder there",
            )
        return built


def encoder_class(factory: Configured) -> type[Encoder]:
    """Find the encoder class that a configuration builds.

    Args:
        factory: An encoder class, or a `functools.partial` that has one as its function or among
            its arguments, as parsers make them.

    Returns:
        The class.

    Raises:
        EncoderError: If there is none.
    """
    return _choice(factory).encoder


def _choice(configured: Configured) -> _Choice:
    candidates: list[Any] = [configured]
    keywords: dict[str, Any] = {}
    if isinstance(configured, functools.partial):
        candidates = [configured.func, *configured.args]
        keywords = dict(configured.keywords)
    for position, candidate in enumerate(candidates):
        if isinstance(candidate, type) and issubclass(candidate, Encoder):
            if candidates[position + 1 :]:
                raise EncoderError(
                    f"{candidate.__name__} is configured with positional arguments",
                    todo="give its arguments by name; the input size comes from the task",
                )
            return _Choice(candidate, keywords)
    raise EncoderError(
        f"an encoder is configured as a class or a functools.partial of one, not {configured!r}",
        todo="write functools.partial(LSTM, hidden_size=512)",
    )


def _described(configured: Configured) -> dict[str, Any]:
    encoder, keywords = _choice(configured)
    return {"class": encoder, "init_args": keywords}
