# responsehub in an image with nothing else in it: one static binary, the public
# certificate authorities, and a user that is not root.
#
#   docker build -t responsehub .
#   docker run -p 8080:8080 -v ./responsehub.yaml:/etc/responsehub.yaml:ro responsehub
#
# Secrets come in by environment or as files; the configuration names them. All times
# are UTC, so no time zones are needed.

FROM golang:1.26-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
COPY go.mod go.sum ./
RUN go mod download
# The generated models of the Graph SDK take most of the build. They change only with
# go.mod, so they get a layer of their own, ahead of our code.
RUN go build github.com/microsoftgraph/msgraph-sdk-go/models \
             github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors \
             github.com/microsoftgraph/msgraph-sdk-go/users \
             github.com/microsoftgraph/msgraph-sdk-go/applications \
             github.com/microsoftgraph/msgraph-sdk-go/applicationswithappid \
             github.com/microsoftgraph/msgraph-sdk-go/serviceprincipals \
             github.com/microsoftgraph/msgraph-sdk-go/oauth2permissiongrants
COPY . .
RUN go build -ldflags "-s -w" -o /responsehub ./cmd/responsehub

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /responsehub /responsehub
USER 65532:65532
EXPOSE 8080
# SIGTERM drains within 15 s; give the container 20.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=5s CMD ["/responsehub", "health"]
ENTRYPOINT ["/responsehub"]
CMD ["serve", "--config", "/etc/responsehub.yaml"]
