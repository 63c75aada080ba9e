# The image of one bot. Build: docker build -t wegwijs . Run: see compose.yaml.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
COPY handlers ./handlers
COPY simulator ./simulator
COPY locales ./locales
COPY content ./content
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && for po in locales/*/LC_MESSAGES/*.po; do \
           /venv/bin/pybabel -q compile --input-file="$po" --output-file="${po%.po}.mo" --locale="$(echo "$po" | cut -d/ -f2)"; \
       done \
    && WEGWIJS_CACHE=var/cache /venv/bin/python -m bot content build \
    && /venv/bin/python -m compileall -q bot handlers \
    && /venv/bin/pip uninstall -q -y pip setuptools

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home wegwijs && mkdir /data && chown wegwijs /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    WEGWIJS_DATABASE_URL=sqlite:////data/wegwijs.db WEGWIJS_CACHE=/data/cache
VOLUME /data
USER wegwijs
HEALTHCHECK --interval=30s --timeout=6s --start-period=20s CMD ["python", "-m", "bot", "health"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
