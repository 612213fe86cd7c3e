# Rendered from deploy/docker/service.Dockerfile by `python -m deploy_checks --write`: change it there.
# A digest may replace the tag: --build-arg PYTHON_IMAGE=python:3.13.9-slim-trixie@sha256:…
ARG PYTHON_IMAGE=python:3.13.9-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
COPY requirements-services.lock ./
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install --require-hashes --only-binary=:all: --no-compile \
       --requirement requirements-services.lock
# The packages are read where they are in the repository, because a service finds its migrations beside its source.
RUN site="$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && for lib in @LIBS@; do echo "/app/libs/$lib/src"; done > "$site/ibora.pth" \
    && echo "/app/@ROOT@/src" >> "$site/ibora.pth" \
    && printf '#!/opt/venv/bin/python\nimport sys\n\nfrom @ENTRY@ import @FUNCTION@\n\nsys.exit(@FUNCTION@())\n' > /opt/venv/bin/@COMMAND@ \
    && chmod 0755 /opt/venv/bin/@COMMAND@

FROM ${PYTHON_IMAGE} AS run
ARG VERSION=0.1.0
ARG REVISION=unknown
# Root owns the source. Tilt, which syncs changes into running containers, builds with 10001.
ARG APP_OWNER=0
LABEL org.opencontainers.image.title="ibora-@NAME@" \
      org.opencontainers.image.description="Ibora, an open backend for ride-hailing: @NAME@" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1@ENV@
WORKDIR /app
RUN chown "${APP_OWNER}" /app
COPY --from=build /opt/venv /opt/venv
@COPY@
COPY deploy/docker/healthcheck.py ./healthcheck.py
@EXTRA@USER 10001:10001
EXPOSE @PORTS@
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["python", "/app/healthcheck.py"]
ENTRYPOINT ["@COMMAND@"]
CMD ["@DEFAULT@"]
