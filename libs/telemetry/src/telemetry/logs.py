"""Structured logs: one JSON object a line, for our own loggers and for those of every library."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, Literal

import structlog
from opentelemetry import trace
from structlog.contextvars import bind_contextvars, bound_contextvars, merge_contextvars, unbind_contextvars

from telemetry.masking import mask_named

Event = MutableMapping[str, Any]
_OWN_FIELDS: Final = frozenset({"timestamp", "level", "service", "trace_id", "span_id"})
_QUIET_LOGGERS: Final = {
    "uvicorn.access": logging.CRITICAL,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("accept_ride", ride_id=…)`. The event is named after the verb."""
    return structlog.stdlib.get_logger(name)


def bind(**ids: object) -> None:
    """Add context variables (request_id, ride_id, user_id …) to every later line of this task."""
    bind_contextvars(**ids)


def unbind(*names: str) -> None:
    """Remove context variables; unknown names are ignored."""
    unbind_contextvars(*names)


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """Bind for the length of a block, then put back what was there."""
    with bound_contextvars(**ids):
        yield


def add_trace(_logger: object, _method: str, event: Event) -> Event:
    """Add the ids of the current span."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


def mask_event(_logger: object, _method: str, event: Event) -> Event:
    """Mask every field of a line, the event's own text and a traceback included."""
    return {
        name: value if name in _OWN_FIELDS else mask_named(name, value) for name, value in dict(event).items()
    }


def configure_logs(*, service: str, level: str, style: Literal["json", "console"]) -> None:
    """Route structlog and the standard library through one handler on standard output."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(service),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _Handler()
    handler.setFormatter(make_formatter(service=service, style=style))
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    root.setLevel(level.upper())
    _adopt_library_loggers()


def configure_plain() -> None:
    """Before `configure`: masked `key=value` lines through the standard library's own handlers."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            mask_event,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def make_formatter(*, service: str, style: Literal["json", "console"]) -> logging.Formatter:
    """Renders any record of the standard library, and ours, as a masked line."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        if style == "console"
        else structlog.processors.JSONRenderer(serializer=_dumps)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(service), structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _drop_colour,
            mask_event,
            renderer,
        ],
    )


class _Handler(logging.StreamHandler[Any]):
    """Writes to whatever standard output is now, so that a captured stream is never kept after its end."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stdout

    @stream.setter
    def stream(self, _value: object) -> None:
        raise AttributeError("the stream is standard output")


def _shared(service: str) -> list[Any]:
    def add_service(_logger: object, _method: str, event: Event) -> Event:
        event.setdefault("service", service)
        return event

    return [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        add_trace,
    ]


def _drop_colour(_logger: object, _method: str, event: Event) -> Event:
    # uvicorn sends a second copy of its message, with ANSI colours.
    event.pop("color_message", None)
    return event


def _dumps(event: Mapping[str, Any], **_options: object) -> str:
    return json.dumps(event, default=str)


def _adopt_library_loggers() -> None:
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "aiokafka", "alembic"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name, level in _QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)


# structlog's own default prints the local variables of every frame of a traceback, unmasked.
configure_plain()
