# Build from the folder examples/: docker build -f production/shop.Dockerfile .
FROM python:3.13-slim
RUN pip install --no-cache-dir functrace-cli
COPY orders /app
WORKDIR /app
USER 10001
CMD ["functrace", "run", "app.py", "load"]
