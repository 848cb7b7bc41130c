# The worker uses the backend's image with another command. docker-compose.yml provides it under the name "backend".
# hadolint ignore=DL3006
FROM backend

# To install packages that only the worker needs:
# USER root
# RUN pip install --no-cache-dir some-package==1.2.3
# USER 10001

CMD ["/app/worker-start.sh"]
