package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/intake"
	"responsehub/sim"
	"responsehub/sim/teams"
)

// headerSource is a second detector that cannot sign.
const headerSource = `  - {name: custom, kind: header, header: X-Token, token: "a-token-of-a-detector-that-cannot-sign"}
`

// TestBadInput throws what strangers throw at the hub's doors. Whatever is the sender's
// fault is answered 4xx, nothing takes effect, nothing crashes, and afterwards a
// takeover is dealt with as ever.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{extra: headerSource})
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.persistenceDone(in)
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓", "3 Disable persistence — ✓")
	before := s.outside()

	var wg sync.WaitGroup
	for _, attack := range []func(){
		s.bodies, s.strangers, func() { s.forgers(in) }, s.slowSenders, s.noise, func() { s.badRequests(in) },
	} {
		wg.Go(attack)
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	if after := s.outside(); after != before {
		t.Errorf("bad input had effects: %d became %d", before, after)
	}
	if r := s.api(http.MethodGet, "/healthz", nil); r.status != http.StatusOK {
		t.Errorf("/healthz afterwards: %s", r)
	}
	next := s.alert(s.world.Alert("manual"))
	s.click("ann", next.Ref, "Publish Incident", nil)
	s.click("ann", next.Ref, "1 Revoke sessions and lock account", nil)
	s.is(next.Incident, responsehub.Lock, responsehub.Done)
}

// outside counts the effects on Microsoft.
func (s *stage) outside() int {
	n := 0
	for _, e := range s.world.Wire.Effects() {
		if e.Vendor == "graph" || e.Vendor == "exchange" {
			n++
		}
	}
	return n
}

// send sends raw bytes of a request and expects one of the statuses.
func (s *stage) send(what, method, path string, header http.Header, body []byte, want ...int) {
	s.Helper()
	r, err := s.try(method, path, header, body)
	if err != nil {
		// A server may hang up on a sender that goes on after its answer.
		if len(body) < 1<<20 && len(fmt.Sprint(header)) < 32<<10 {
			s.Errorf("%s: %v", what, err)
		}
		return
	}
	for _, w := range want {
		if r.status == w {
			return
		}
	}
	s.Errorf("%s: answered %d %.200s, want %v", what, r.status, r.body, want)
}

func bearer(key string) http.Header {
	return http.Header{"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}}
}

// signed is the header of a correctly signed message.
func (s *stage) signed(body []byte) http.Header {
	s.Helper()
	h, err := intake.Sign(responsehub.Secret(s.world.WebhookSecret()), fmt.Sprintf("msg_%d", time.Now().UnixNano()), time.Now(), body)
	if err != nil {
		s.Error(err)
	}
	return h
}

// bodies: far too big, packed, nested, broken.
func (s *stage) bodies() {
	big := bytes.Repeat([]byte("A"), 10<<20)
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = io.Copy(w, bytes.NewReader(make([]byte, 50<<20)))
	_ = w.Close()
	packed := func(h http.Header) http.Header { h.Set("Content-Encoding", "gzip"); return h }
	nested := []byte(strings.Repeat("[", 200_000))
	teamsToken := http.Header{"Authorization": {"Bearer a.b.c"}, "Content-Type": {"application/json"}}

	s.send("10 MB alert", "POST", "/v1/alerts/petra", s.signed(big), big, 413)
	s.send("10 MB alert of the other source", "POST", "/v1/alerts/custom", http.Header{"X-Token": {"a-token-of-a-detector-that-cannot-sign"}, "Content-Type": {"application/json"}}, big, 413)
	s.send("10 MB activity", "POST", "/api/messages", teamsToken, big, 401, 413)
	s.send("10 MB request", "POST", "/v1/incidents/x/steps/lock", bearer(s.key), big, 413)
	s.send("10 MB without a key", "POST", "/v1/incidents/x/steps/lock", nil, big, 401, 413)
	s.send("packed alert", "POST", "/v1/alerts/petra", packed(s.signed(bomb.Bytes())), bomb.Bytes(), 415)
	s.send("packed activity", "POST", "/api/messages", packed(teamsToken.Clone()), bomb.Bytes(), 400, 401, 415)
	s.send("packed request", "POST", "/v1/incidents/x/steps/lock", packed(bearer(s.key)), bomb.Bytes(), 400, 415)
	for _, body := range [][]byte{nested, []byte(`{"version":`), []byte("null"), []byte("\xff\xfe{}"), []byte(`{}{}`), nil, []byte(`{"version":1e999999}`), []byte(`{"a":"\u0000"}`)} {
		s.send(fmt.Sprintf("alert %.20q", body), "POST", "/v1/alerts/petra", s.signed(body), body, 400, 422)
		s.send(fmt.Sprintf("activity %.20q", body), "POST", "/api/messages", teamsToken, body, 400, 401)
		s.send(fmt.Sprintf("request %.20q", body), "POST", "/v1/incidents/RH-AAAA/steps/lock", bearer(s.key), body, 400, 404, 413, 429)
	}
	s.send("alert as a form", "POST", "/v1/alerts/petra", func() http.Header {
		h := s.signed([]byte("a=b"))
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		return h
	}(), []byte("a=b"), 415)
}

// strangers: no proof, a wrong one, an old one, one for something else.
func (s *stage) strangers() {
	body := s.world.Alert("takeover")
	sign := func(secret string, at time.Time) http.Header {
		h, err := intake.Sign(responsehub.Secret(secret), "msg_stranger", at, body)
		if err != nil {
			s.Error(err)
		}
		return h
	}
	other := "whsec_" + strings.Repeat("QUJD", 11)
	tampered := s.signed(append([]byte("x"), body...))
	for what, h := range map[string]http.Header{
		"unsigned": {"Content-Type": {"application/json"}}, "another secret": sign(other, time.Now()),
		"an hour old": sign(s.world.WebhookSecret(), time.Now().Add(-time.Hour)), "from the future": sign(s.world.WebhookSecret(), time.Now().Add(time.Hour)),
		"another body's": tampered, "the API's key": bearer(s.key),
	} {
		s.send("alert, "+what, "POST", "/v1/alerts/petra", h, body, 401)
	}
	s.send("alert, wrong token", "POST", "/v1/alerts/custom", http.Header{"X-Token": {"wrong"}, "Content-Type": {"application/json"}}, body, 401)
	s.send("alert, no such source", "POST", "/v1/alerts/nobody", s.signed(body), body, 404)
	s.send("alert by GET", "GET", "/v1/alerts/petra", nil, nil, 405)
	for _, key := range []string{"", "x", "rh_", "rh_abc_def", s.key + "x", strings.Repeat("k", 5000), "\x00"} {
		for _, at := range []struct{ method, path string }{{"GET", "/v1/incidents"}, {"POST", "/v1/incidents/RH-AAAA/steps/lock"}, {"GET", "/v1/tenants"}, {"PATCH", "/v1/tenants/contoso"}} {
			h := bearer(key)
			if key == "\x00" {
				h = http.Header{"Authorization": {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}
			}
			s.send(fmt.Sprintf("%s %s with key %.10q", at.method, at.path, key), at.method, at.path, h, []byte("{}"), 401)
		}
	}
	s.send("a header of 1 MB", "GET", "/v1/incidents", http.Header{"Authorization": {strings.Repeat("x", 1<<20)}}, nil, 431)
}

// forgers: clicks whose token Teams did not make for this bot, now.
func (s *stage) forgers(in opened) {
	card := s.cards(in.Ref)[0].ID
	for what, tamper := range map[string]teams.Tamper{
		"alg none": {Alg: "none"}, "alg HS256": {Alg: "HS256"}, "another issuer": {Issuer: "https://evil.example"}, "another audience": {Audience: "00000000-0000-4000-8000-000000000000"},
		"an unrelated key": {Key: "unrelated"}, "a key without endorsement": {Key: "webchat"}, "an unknown kid": {Kid: "nobody"}, "an hour old": {AgeSeconds: 3600 * 3}, "no expiry": {NoExpiry: true},
		"another service": {ServiceURL: "https://evil.example/teams"}, "no service": {ServiceURL: "-"}, "no token": {NoToken: true}, "basic": {Scheme: "Basic"},
		"another tenant": {TenantID: "eeeeeeee-0000-4000-8000-00000000000e"}, "an address elsewhere": {Activity: "https://evil.example/"},
	} {
		seen, err := s.world.Play(s.Context(), sim.Act{Do: "click", Press: teams.Press{Person: "ann", Activity: card, Verb: "password", Tamper: tamper}})
		if err != nil {
			s.Errorf("forged click, %s: %v", what, err)
			continue
		}
		if out := seen.(teams.Outcome); out.Status/100 != 4 || out.Replaced {
			s.Errorf("forged click, %s: answered %d", what, out.Status)
		}
	}
	if st := s.step(in.Incident, responsehub.Password); st.State != responsehub.Waiting {
		s.Errorf("a forged click brought the reset to %s", st.State)
	}
}

// slowSenders hold a connection each with a byte now and then. The hub ends them all.
func (s *stage) slowSenders() {
	addr := strings.TrimPrefix(s.url, "http://")
	var wg sync.WaitGroup
	for _, head := range []string{
		"POST /v1/alerts/petra HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nContent-Length: 100000\r\nwebhook-id: msg_1\r\nwebhook-timestamp: " + fmt.Sprint(time.Now().Unix()) + "\r\nwebhook-signature: v1,QUJD\r\n\r\n",
		"POST /api/messages HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer a.b.c\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
		"POST /v1/incidents/RH-AAAA/steps/lock HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " + s.key + "\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: hub\r\nX-Slow: ", // a header that never ends
	} {
		for range 5 {
			wg.Go(func() { s.drip(addr, head) })
		}
	}
	wg.Wait()
}

// drip sends a byte a second until the hub hangs up, which it has to within 40 s.
func (s *stage) drip(addr, head string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		s.Errorf("slow sender: %v", err)
		return
	}
	defer func() { _ = conn.Close() }()
	start := time.Now()
	_, _ = io.WriteString(conn, head)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answer, _ := io.ReadAll(io.LimitReader(conn, 64<<10))
		if strings.HasPrefix(string(answer), "HTTP/1.1 5") {
			s.Errorf("slow sender %.40q was answered %.100s", head, answer)
		}
	}()
	for {
		select {
		case <-ended:
			return
		case <-time.After(time.Second):
			if time.Since(start) > 40*time.Second {
				s.Errorf("slow sender %.40q still holds its connection after 40 s", head)
				_ = conn.Close()
				<-ended
				return
			}
			_, _ = io.WriteString(conn, "a")
		}
	}
}

// noise is no HTTP, or hardly.
func (s *stage) noise() {
	addr := strings.TrimPrefix(s.url, "http://")
	for _, raw := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "SSH-2.0-x\r\n", strings.Repeat("\x00", 4096), "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"POST /v1/alerts/petra HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
		"POST /v1/alerts/petra HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /v1/alerts/petra HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZZZZ\r\n",
		"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			s.Errorf("noise: %v", err)
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(conn, raw)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		answer, _ := io.ReadAll(io.LimitReader(conn, 64<<10))
		if strings.HasPrefix(string(answer), "HTTP/1.1 5") && !strings.HasPrefix(string(answer), "HTTP/1.1 505") && !strings.HasPrefix(string(answer), "HTTP/1.1 501") {
			s.Errorf("noise %.40q was answered %.100s", raw, answer)
		}
		_ = conn.Close()
	}
}

// badRequests are those of somebody who has a key and gets it wrong.
func (s *stage) badRequests(in opened) {
	long := strings.Repeat("x", 20_000)
	lock := "/v1/incidents/" + in.Incident + "/steps/lock"
	for _, c := range []struct {
		method, path, body string
		want               []int
	}{
		{"POST", lock, `{"command_id":"` + long + `"}`, []int{400}},
		{"POST", lock, `{"reason":"` + long + `"}`, []int{400}},
		{"POST", lock, `{"items":["nobody"]}`, []int{400}},
		{"POST", lock, `{"action":"explode"}`, []int{400}},
		{"POST", lock, `{"skip":"yes"}`, []int{400}},
		{"POST", lock, `{"nonsense":1}`, []int{400}},
		{"POST", "/v1/incidents/" + in.Incident + "/steps/explode", `{}`, []int{404}},
		{"POST", "/v1/incidents/" + long + "/steps/lock", `{}`, []int{404, 414}},
		{"POST", "/v1/incidents/RH-ZZZZ/steps/lock", `{}`, []int{404}},
		{"GET", "/v1/incidents/%00", "", []int{400, 404}},
		{"GET", "/v1/incidents/a%2Fb%7D%7Bh00%7D", "", []int{400, 404}},
		{"GET", "/v1/incidents?limit=99999999999999999999", "", []int{400}},
		{"GET", "/v1/incidents?cursor=" + long, "", []int{400}},
		{"GET", "/v1/incidents?cursor=%00%ff", "", []int{400}},
		{"GET", "/v1/incidents?since=yesterday", "", []int{400}},
		{"GET", "/v1/incidents?status=explode", "", []int{400}},
		{"GET", "/v1/incidents?tenant=%27%20OR%201", "", []int{400, 404}},
		{"PATCH", "/v1/tenants/nobody", `{"response":true}`, []int{404}},
		{"PATCH", "/v1/tenants/contoso", `{"response":"maybe"}`, []int{400}},
		{"POST", "/v1/lanes/nobody%7Clock/retry", `{}`, []int{400, 404}},
		{"POST", "/v1/lanes/%7C%7C/retry", `{}`, []int{400, 404}},
		{"DELETE", "/v1/incidents", "", []int{404, 405}},
		{"GET", "/v2/anything", "", []int{404}},
		{"BREW", "/v1/incidents", "", []int{404, 405, 501}},
	} {
		for {
			r, err := s.try(c.method, c.path, bearer(s.key), []byte(c.body))
			if err == nil && r.status == http.StatusTooManyRequests {
				time.Sleep(200 * time.Millisecond)
				continue
			}
			fits := false
			for _, w := range c.want {
				fits = fits || r.status == w
			}
			if err != nil || !fits {
				s.Errorf("%s %.60s %.40s: %d %.200s, %v; want %v", c.method, c.path, c.body, r.status, r.body, err, c.want)
			}
			break
		}
	}
}
