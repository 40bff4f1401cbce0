FROM python:3.13-slim
RUN pip install --no-cache-dir 'functrace-cli[watch,s3]'
USER 10001
ENTRYPOINT ["functrace", "watch"]
