# One static binary and nothing else: no shell, no libraries, and no user but a number.
ARG RUST=rust:1.95-slim-bookworm
FROM ${RUST} AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY benches benches
COPY migrations migrations
COPY src src
ENV RUSTFLAGS="-C target-feature=+crt-static"
# With a target named, the flag does not reach build scripts and macros, which cannot be static.
RUN target=$(rustc --print host-tuple) \
    && cargo build --release --locked --bin diunbox --features postgres --target "$target" \
    && install -D "target/$target/release/diunbox" /program/usr/bin/diunbox \
    && install -d -m 0700 /owned/data

FROM scratch
COPY --from=build /program /
COPY --from=build --chown=65532:65532 /owned /
USER 65532:65532
ENV PATH=/usr/bin \
    DIUNBOX_DB=/data/diunbox.db \
    DIUNBOX_LISTEN=0.0.0.0:3486
VOLUME /data
EXPOSE 3486
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["diunbox", "healthcheck"]
ENTRYPOINT ["diunbox"]
CMD ["serve"]
