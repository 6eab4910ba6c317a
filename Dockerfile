# The console as an image: `docker build -t spillway .`, then see docs/deploy.md. What is built stays behind; the image is its
# base and /app, runs as nobody in particular and writes to /data alone, so its root may be read-only.
ARG NODE=24

FROM node:${NODE}-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY agent/package.json agent/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build \
 && npm pack --ignore-scripts --pack-destination /tmp \
 && mkdir /app && tar -xzf /tmp/spillway-*.tgz -C /app --strip-components=1
WORKDIR /app
COPY package-lock.json ./
# The packages of the lock file that run. Types and maps are for those who develop, musl is another libc than the base's.
RUN npm pkg delete devDependencies workspaces \
 && npm install --omit=dev --ignore-scripts --no-audit --no-fund \
 && find node_modules \( -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.map' \) -delete \
 && rm -rf node_modules/@libsql/*-musl

FROM node:${NODE}-bookworm-slim
LABEL org.opencontainers.image.title="spillway" \
      org.opencontainers.image.description="Operator console for BullMQ back-pressure" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /app /app
RUN ln -s /app/server/spillway.sh /usr/local/bin/spillway && install -d -o 1000 -g 1000 -m 0700 /data
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 SPILLWAY_DATA=/data
# By number: Kubernetes can tell that it is not root.
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 3000
# It asks where the environment and the file say that the console is: give settings there, not as flags.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["spillway", "health"]
ENTRYPOINT ["spillway"]
