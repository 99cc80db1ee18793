# The server, without a build tool in it: python -m edge.serve as a user without rights, who needs to
# write nothing. Builds for every platform that onnxruntime has a wheel for (docs/container.md).
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE LICENSE-WEIGHTS NOTICE ./
COPY edge edge
RUN python -m venv /opt/edge-keypoints \
    && /opt/edge-keypoints/bin/pip install --no-cache-dir '.[serve]' \
    && /opt/edge-keypoints/bin/pip uninstall --yes pip

FROM ${BASE}
LABEL org.opencontainers.image.title="edge-keypoints" \
    org.opencontainers.image.description="Faces and 15 facial keypoints over HTTP" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/edge-keypoints /opt/edge-keypoints
# The faster precision is measured at each start, unless /tmp is kept.
ENV PATH=/opt/edge-keypoints/bin:$PATH \
    EDGE_CACHE=/tmp/edge-keypoints \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["edge-keypoints"]
CMD ["serve", "--host", "0.0.0.0"]
