# The chaincode as a service. Its bundle is built before (`npm run build`): chaincode/lib/index.js.
#   docker build -f network/docker/chaincode.Dockerfile -t waymark/chaincode:0.1.0 .

FROM node:24.21.0-bookworm-slim AS manifests
WORKDIR /source
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY --from=manifests /source ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --workspace chaincode \
  && npm cache clean --force

FROM node:24.21.0-bookworm-slim
WORKDIR /app/chaincode
COPY --from=dependencies /app /app
COPY chaincode/start.js chaincode/README.md LICENSE ./
COPY chaincode/lib ./lib
COPY network/docker/chaincode-health.mjs ./
ENV NODE_ENV=production NODE_OPTIONS="--disable-warning=ExperimentalWarning --disable-warning=DEP0123"
USER 10001:10001
ENTRYPOINT ["node"]
CMD ["start.js"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "chaincode-health.mjs"]
STOPSIGNAL SIGTERM
