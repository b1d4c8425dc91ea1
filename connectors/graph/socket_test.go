package graph

import (
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"responsehub"
	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
)

// sockets returns a client over real connections: a login that speaks TLS with a root of
// its own, and a Graph on loopback.
func sockets(tb testing.TB, graph http.HandlerFunc) *Client {
	tb.Helper()
	var login *httptest.Server
	login = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "openid-configuration") {
			base := login.URL + "/" + tenantID
			fmt.Fprintf(w, `{"token_endpoint":"%s/oauth2/v2.0/token","authorization_endpoint":"%s/a","issuer":"%s/v2.0"}`, base, base, base)
			return
		}
		_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"opaque-1"}`)
	}))
	tb.Cleanup(login.Close)
	srv := httptest.NewServer(graph)
	tb.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(login.Certificate())
	client, err := transport.New(transport.Config{Roots: roots})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.CloseIdleConnections)
	l, err := entra.New(entra.Config{ClientID: clientID, ClientSecret: secret, Authority: login.URL}, client)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := New(Config{Graph: srv.URL}, l, client, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// TestLostAnswer: the move took effect, the answer did not come back, and it was sent
// once only.
func TestLostAnswer(t *testing.T) {
	var moves atomic.Int32
	c := sockets(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			say(w, 200, `{"id":"M","parentFolderId":"TRASH"}`)
			return
		}
		moves.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	for want := range int32(2) { // the second time over a connection that was used before
		if _, _, err := c.Folder(t.Context(), tenantID, "U", "M"); err != nil {
			t.Fatal(err)
		}
		_, err := c.Move(t.Context(), tenantID, "U", "M", "deleteditems")
		if responsehub.KindOf(err) != responsehub.UnknownOutcome || moves.Load() != want+1 {
			t.Errorf("%v after %d moves", err, moves.Load())
		}
	}
}

func BenchmarkLock(b *testing.B) {
	c := sockets(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	if err := c.Warm(b.Context(), tenantID); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.SetEnabled(b.Context(), tenantID, userID, false); err != nil {
			b.Fatal(err)
		}
	}
}
