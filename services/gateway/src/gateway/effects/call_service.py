from gateway import metrics
from gateway.ports import Answer, Call, Services
from kernel.refusals import Refusal
from telemetry import tracing


async def call_service(services: Services, *, call: Call, route: str) -> Answer:
    """Pass a request on and get the head of its answer; ServiceDown, ServiceTooSlow.

    `route` is the path's template: what traces and metrics may say.
    """
    name = f"{call.method} {route}"
    with tracing.span(name, kind=tracing.CLIENT, attributes={"peer.service": call.service}):
        try:
            return await services.call(call)
        except Refusal as refusal:
            metrics.UPSTREAM_FAILURES.labels(service=call.service, code=refusal.code).inc()
            raise
