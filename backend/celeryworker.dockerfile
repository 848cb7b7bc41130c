# The worker: the backend's image, which docker-compose.yml hands over under this name, and another command.
# hadolint ignore=DL3006
FROM backend

# What only the worker needs is installed here:
# USER root
# RUN pip install --no-cache-dir some-package==1.2.3
# USER 10001

CMD ["/app/worker-start.sh"]
