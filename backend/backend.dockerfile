# The build context is this folder.
FROM python:3.13-slim AS packages

WORKDIR /lock
COPY app/pyproject.toml app/poetry.lock app/scripts/requirements.py ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python requirements.py . main >requirements.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --require-hashes --requirement requirements.txt

# Install the optional packages in a separate layer, so that all images share the layer above.
ARG INSTALL_DEV=false
ARG INSTALL_JUPYTER=false
RUN --mount=type=cache,target=/root/.cache/pip \
    set -- main \
    && if [ "$INSTALL_DEV" = true ]; then set -- "$@" dev; fi \
    && if [ "$INSTALL_JUPYTER" = true ]; then set -- "$@" jupyter; fi \
    && if [ "$#" != 1 ]; then \
      python requirements.py . "$@" >requirements.txt \
      && /venv/bin/pip install --require-hashes --requirement requirements.txt; \
    fi

# Remove files in a separate stage: a file removed in a later layer would stay in the image.
FROM python:3.13-slim AS source
WORKDIR /app
COPY app .
ARG INSTALL_DEV=false
RUN if [ "$INSTALL_DEV" != true ]; then \
      rm -r app/tests app/tests_pre_start.py scripts tests-start.sh mypy.ini; \
    fi

FROM python:3.13-slim
# A new volume at /files gets the owner of this folder.
RUN useradd --uid 10001 --no-create-home --home-dir /tmp app && install --directory --owner=app /files
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1

COPY --from=packages /venv /venv
COPY --chmod=755 start.sh start-reload.sh /
COPY gunicorn_conf.py /

WORKDIR /app
COPY --from=source /app .
# In production, containers are read-only and can't write the bytecode later.
RUN python -m compileall -q app alembic

USER 10001
EXPOSE 80
CMD ["/start.sh"]
