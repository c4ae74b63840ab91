# Answers from a bundle, without TensorFlow: on the command line or over HTTP.
# docs/deploy.md says how to build and run it.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /source
COPY requirements-predict.txt requirements-serve.txt ./
RUN python -m venv --without-pip /app \
 && python -m pip --python /app/bin/python install --no-cache-dir --no-deps -r requirements-serve.txt
COPY pyproject.toml README.md ./
COPY apple_clf apple_clf
COPY configs configs
RUN python -m pip --python /app/bin/python install --no-cache-dir --no-deps .

FROM python:3.11.14-slim-bookworm
RUN useradd --create-home --uid 10001 apple
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER apple
WORKDIR /work
ENTRYPOINT ["apple-clf"]
CMD ["--help"]
