# Hilum in a container. `docker build -t hilum .`; how to run it: compose.yaml and docs/operate.md.

# Installs everything, builds the nodes and the console (npm's `prepare`), then drops what only building needs.
FROM node:24-slim AS build
WORKDIR /app
COPY . .
# The npm package `node` pins Node for machines that have another one. This image is Node 24 itself, and
# its 120 MB are not needed twice.
RUN npm ci \
 && npm prune --omit=dev --ignore-scripts \
 && rm -rf node_modules/node node_modules/.bin/node

FROM node:24-slim
ENV NODE_ENV=production \
    HILUM_BIND=0.0.0.0 \
    HILUM_DEMO=off \
    HILUM_DATA=/data
WORKDIR /app
# Each deploy is a commit where the flows lie in a git repository, and revisions are compared by git.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/*
# Owned by root: the program cannot change itself.
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/cli ./cli
COPY --from=build /app/core ./core
COPY --from=build /app/connectors ./connectors
COPY --from=build /app/runtime ./runtime
COPY --from=build /app/console/api ./console/api
COPY --from=build /app/mappings ./mappings
COPY --from=build /app/profiles ./profiles
COPY --from=build /app/flows ./flows
COPY --from=build /app/samples ./samples
COPY --from=build /app/nodes ./nodes
RUN mkdir -m 0700 /data && chown node:node /data
VOLUME /data
USER node
# Console and editor; MLLP of the lab results flow.
EXPOSE 1880 2575
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HILUM_PORT || 1880}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "cli/main.ts", "start"]
