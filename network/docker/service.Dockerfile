# Centers and outlets: one image, and its command says which of the two runs.
#   docker build -f network/docker/service.Dockerfile -t waymark/service:0.1.0 .

# What decides which dependencies are installed, and nothing else: their layer stays as long as these files do.
FROM node:24.21.0-bookworm-slim AS manifests
WORKDIR /source
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY --from=manifests /source ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
    --workspace services/enterprise --workspace services/department \
  && npm cache clean --force

FROM node:24.21.0-bookworm-slim
WORKDIR /app
COPY --from=dependencies /app ./
COPY packages ./packages
COPY services ./services
COPY network/docker/service-health.mjs LICENSE ./
ENV NODE_ENV=production NODE_OPTIONS="--disable-warning=ExperimentalWarning --disable-warning=DEP0123"
# Sources belong to root: the program cannot change itself.
USER 10001:10001
ENTRYPOINT ["node"]
CMD ["services/enterprise/src/main.ts", "--config", "/etc/waymark/configuration.yaml"]
# Ready means: it follows the channel, and what it depends on is there. The port stands in the configuration.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "/app/service-health.mjs", "/etc/waymark/configuration.yaml"]
STOPSIGNAL SIGTERM
