# Not yet built: there was no Docker engine where it was written. Its pip line was run in a fresh
# venv (no embedded server, no test tool came along), the rest only read.
FROM python:3.12-slim

RUN useradd --system --create-home --home-dir /var/lib/haochaping haochaping
WORKDIR /usr/src/haochaping
COPY pyproject.toml requirements.lock README.md ./
COPY server server
COPY sms sms
# Without extras: neither the embedded servers nor the test tools belong into an image.
RUN pip install --no-cache-dir --disable-pip-version-check -c requirements.lock .

USER haochaping
WORKDIR /var/lib/haochaping
ENV HOST=0.0.0.0 PORT=8000 VAR=/var/lib/haochaping PYTHONUNBUFFERED=1
EXPOSE 8000
# A server whose event loop hangs still accepts connections: only an answer counts.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=3); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["python", "-m", "server", "serve"]
