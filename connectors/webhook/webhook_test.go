package webhook

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"responsehub"
)

var key = []byte("0123456789abcdef0123456789abcdef")

// receive starts a receiver with TLS and a sender that trusts it.
func receive(t *testing.T, loopback bool, h http.HandlerFunc) (*Sender, string) {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{CAFile: ca, Key: key, AllowLoopback: loopback})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.hc.CloseIdleConnections)
	return s, srv.URL + "/secret-path"
}

func TestAReceiverVerifiesTheSignature(t *testing.T) {
	var address string
	var verdict error
	var got string
	s, address := receive(t, true, func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		wh, err := webhooks.NewWebhook(string(Secret(key, address, 0)))
		if err == nil {
			err = wh.Verify(b, r.Header)
		}
		verdict = err
		if r.Header.Get("Webhook-Id") != "evt_1_2" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", r.Header)
		}
	})
	if err := s.Webhook(t.Context(), address, "evt_1_2", time.Now(), []byte(`{"type":"incident.opened"}`)); err != nil || verdict != nil {
		t.Fatalf("sent: %v, verified: %v", err, verdict)
	}
	if got != `{"type":"incident.opened"}` {
		t.Errorf("received %s", got)
	}
	if Secret(key, address, 0) == Secret(key, address+"x", 0) {
		t.Error("two addresses share a secret")
	}
}

// TestWhileASecretIsRotatedBothVerify: a receiver with the old secret and one with the new
// take the same delivery, one with neither does not.
func TestWhileASecretIsRotatedBothVerify(t *testing.T) {
	var header http.Header
	s, address := receive(t, true, func(_ http.ResponseWriter, r *http.Request) { header = r.Header })
	s.cfg.Generations = func(string) []int { return []int{3, 2} }
	if err := s.Webhook(t.Context(), address, "evt_1_2", time.Now(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	for generation, want := range map[int]bool{0: false, 1: false, 2: true, 3: true, 4: false} {
		wh, err := webhooks.NewWebhook(string(Secret(key, address, generation)))
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify([]byte("{}"), header); (err == nil) != want {
			t.Errorf("with the secret of generation %d: %v", generation, err)
		}
	}
}

func TestWhatAnswersMean(t *testing.T) {
	var status atomic.Int64
	s, address := receive(t, true, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Location", "https://elsewhere.example/")
		w.WriteHeader(int(status.Load()))
	})
	for code, want := range map[int]struct{ webhook, chat responsehub.Kind }{
		200: {}, 204: {},
		302: {responsehub.Unavailable, responsehub.Unavailable}, 400: {responsehub.Unavailable, responsehub.Unavailable},
		403: {responsehub.Unavailable, responsehub.Gone}, 404: {responsehub.Unavailable, responsehub.Gone}, 410: {responsehub.Gone, responsehub.Gone},
		429: {responsehub.Unavailable, responsehub.Unavailable}, 500: {responsehub.Unavailable, responsehub.Unavailable},
	} {
		status.Store(int64(code))
		err, err2 := s.Webhook(t.Context(), address, "id", time.Now(), []byte("{}")), s.Chat(t.Context(), address, []byte("{}"))
		if (err == nil) != (want.webhook == "") || (err2 == nil) != (want.chat == "") || err != nil && (responsehub.KindOf(err) != want.webhook || responsehub.KindOf(err2) != want.chat) {
			t.Errorf("%d: webhook %v, chat %v", code, err, err2)
		}
		for _, err := range []error{err, err2} {
			if err != nil && strings.Contains(err.Error()+responsehub.Sentence(err), "secret-path") {
				t.Errorf("%d: the error shows the address: %v", code, err)
			}
		}
		if e, ok := errors.AsType[*responsehub.Error](err); ok && code == 429 && e.RetryAfter != 7*time.Second {
			t.Errorf("429 asks for %s", e.RetryAfter)
		}
	}
}

func TestNoConnectionIsMadeToThisMachine(t *testing.T) {
	var reached atomic.Bool
	s, address := receive(t, false, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	for _, a := range []string{address, strings.Replace(address, "127.0.0.1", "localhost", 1)} {
		err := s.Webhook(t.Context(), a, "id", time.Now(), []byte("{}"))
		if err == nil || reached.Load() || !strings.Contains(responsehub.Sentence(err), "no public address") {
			t.Errorf("reached %t: %v", reached.Load(), err)
		}
	}
	for _, a := range []string{"http://receiver.example/", "ftp://receiver.example/", "https:///x", "://", "http://127.0.0.1/"} {
		if err := s.Chat(t.Context(), a, nil); responsehub.KindOf(err) != responsehub.Gone {
			t.Errorf("%s: %v", a, err)
		}
	}
}

func TestAReceiverThatIsNotTrustedGetsNothing(t *testing.T) {
	var reached atomic.Bool
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	srv.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	defer srv.Close()
	s, err := New(Config{Key: key, AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Chat(t.Context(), srv.URL, []byte("{}")); err == nil || reached.Load() {
		t.Errorf("reached %t, %v", reached.Load(), err)
	}
}

func TestASlowReceiverIsLeft(t *testing.T) {
	over := make(chan struct{})
	s, address := receive(t, true, func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Webhook(ctx, address, "id", time.Now(), []byte("{}")); responsehub.KindOf(err) != responsehub.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestAllowed(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.215.14": true, "2606:2800:21f:cb07:6820:80da:af6b:8b2c": true, "52.10.1.1": true,
		"10.0.0.1": false, "172.16.5.4": false, "192.168.1.1": false, "127.0.0.1": false, "169.254.169.254": false, "100.64.1.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false,
		"::1": false, "fe80::1": false, "fc00::1": false, "fd00:ec2::254": false, "::ffff:169.254.169.254": false, "::ffff:10.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "2002:a00:1::1": false, "::": false, "ff02::1": false,
	} {
		if err := allowed(netip.MustParseAddr(address), false); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if allowed(netip.MustParseAddr("127.0.0.1"), true) != nil || allowed(netip.MustParseAddr("10.0.0.1"), true) == nil {
		t.Error("loopback opens this machine and no other")
	}
}
