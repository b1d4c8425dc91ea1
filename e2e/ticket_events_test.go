package e2e

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"responsehub"
	"responsehub/sim"
	"responsehub/sim/desk"
	"responsehub/ticket"
)

// TestTicketEventsOverTheWire: events are verified over the bytes as they came, escaped as
// .NET escapes them; a key that lies elsewhere is never asked for. Somebody, or another
// program, sets the status to and fro: the hub leaves it alone, says so, and goes on with
// its notes.
func TestTicketEventsOverTheWire(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	in := s.takeover()
	s.persistenceSettled(in)
	p := products[0]
	s.told(in, "lock.1.done")
	s.stands(p, in, string(ticket.Contained))
	s.until("events come", func() bool { return s.eventsOn(p) })
	id := s.oneTicket(in).ID
	for i := range 6 {
		status := []string{"In Progress", "Waiting on Technician"}[i%2]
		s.atDesk("omar", sim.Act{Do: "ticket_status", Ticket: id, Value: status})
		s.until("the hub knows the status", func() bool { return s.ticketRef(in).Status == status })
	}
	s.recorded(in.Incident, responsehub.EventNoticeFailed, "was changed 6 times", "leaves it alone")
	changes := s.count("ticket.status", "")
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.told(in, "password.1.done")
	s.quietAtDesk(in)
	if more := s.count("ticket.status", "") - changes; more != 0 {
		t.Errorf("the hub set the status %d times more", more)
	}

	var last desk.Delivery // of what a person did: the hub's own are taken for that
	for _, d := range s.world.ConnectWise.Snapshot().Deliveries {
		if strings.Contains(d.Body, `"MemberId":"OReyes"`) {
			last = d
		}
	}
	var event struct {
		Message  string `json:"MessageId"`
		Metadata struct {
			Key string `json:"key_url"`
		}
	}
	if err := json.Unmarshal([]byte(last.Body), &event); err != nil {
		t.Fatal(err)
	}
	key := s.signingKey(event.Metadata.Key)
	fresh := strings.Replace(last.Body, event.Message, rand.Text(), 1)
	escaped := strings.Replace(fresh, `"FromUrl":"`, `"FromUrl":"O\u0027Neil \u0026 S\u00F6hne \u003C\u002B\u003E `, 1)
	plain := strings.Replace(fresh, `"FromUrl":"`, `"FromUrl":"O'Neil & Söhne <+> `, 1)
	heard := s.ticketRef(in).Heard
	if got := s.postEvent(last.URL, plain, escaped, key); got != http.StatusUnauthorized {
		t.Errorf("the event written anew under its old signature is answered %d", got)
	}
	if got := s.postEvent(last.URL, escaped, escaped, key); got != http.StatusNoContent {
		t.Errorf("the event as .NET escapes it is answered %d", got)
	}
	s.until("the hub has read the ticket", func() bool { return s.ticketRef(in).Heard > heard })

	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"signing_key":"mine"}`))
	}))
	t.Cleanup(elsewhere.Close)
	body := strings.Replace(strings.Replace(last.Body, event.Message, rand.Text(), 1), event.Metadata.Key, elsewhere.URL+"/v2025_1/system/callbackkey/index.rails", 1)
	if got := s.postEvent(last.URL, body, body, "mine"); got != http.StatusUnauthorized || asked.Load() != 0 {
		t.Errorf("a key elsewhere: answered %d, asked for %d times", got, asked.Load())
	}
}

// signingKey reads a key as anybody may who trusts the world's authority.
func (s *stage) signingKey(address string) string {
	s.Helper()
	authority, err := os.ReadFile(s.world.CAFile())
	if err != nil {
		s.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr, Timeout: 10 * time.Second}).Get(address)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	var key struct {
		Key string `json:"signing_key"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&key); err != nil || key.Key == "" {
		s.Fatalf("no key at %s: %v", address, err)
	}
	return key.Key
}

// postEvent posts a body under the signature of another, and returns the answer.
func (s *stage) postEvent(address, body, signed, key string) int {
	s.Helper()
	hashed := sha256.Sum256([]byte(key))
	mac := hmac.New(sha256.New, hashed[:])
	mac.Write([]byte(signed))
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("x-content-signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
