package wire_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub/sim/wire"
)

// vendor answers with what it read and counts its effects.
func vendor(log *wire.Log) http.Handler {
	return log.Middleware("acme", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		log.Effect(wire.Effect{Vendor: "acme", Kind: "ring", Target: r.URL.Path})
		w.Header().Set("X-Own", "yes")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(append([]byte("got "), body...))
	}))
}

func post(t *testing.T, url, body string) (int, string, http.Header, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer 0123456789abcdefghij")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), resp.Header, err
}

func TestRequestIsRecordedWithoutItsSecrets(t *testing.T) {
	log := wire.NewLog()
	ts := httptest.NewServer(vendor(log))
	defer ts.Close()
	if status, answer, _, err := post(t, ts.URL+"/a%20b?x=%24y", "grant_type=x&client_secret=hush&scope=z"); status != 201 || !strings.Contains(answer, "client_secret=hush") || err != nil {
		t.Fatalf("the vendor saw %d %q %v", status, answer, err)
	}
	got := log.Requests()
	if len(got) != 1 {
		t.Fatalf("%d requests", len(got))
	}
	r := got[0]
	want := wire.Request{Seq: 1, Vendor: "acme", Method: "POST", Path: "/a b", Query: "x=%24y", Body: "grant_type=x&client_secret=redacted&scope=z", Status: 201, Answer: "got grant_type=x&client_secret=redacted&scope=z"}
	r.At, r.Header = time.Time{}, nil
	want.Answer = r.Answer // answers are the vendor's own words
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	if a := got[0].Header.Get("Authorization"); a != "Bearer 0123456789ab" {
		t.Errorf("authorization %q", a)
	}
	raw, err := json.Marshal(got[0])
	if err != nil || !bytes.Contains(raw, []byte(`"fault":""`)) || !bytes.Contains(raw, []byte(`"seq":1`)) {
		t.Errorf("%s %v", raw, err)
	}
	log.Reset()
	if len(log.Requests())+len(log.Effects())+len(log.UnexpectedAll()) > 0 {
		t.Error("something survived the reset")
	}
}

func TestFaults(t *testing.T) {
	cases := []struct {
		name    string
		fault   wire.Fault
		status  []int // of three requests; 0 for a broken connection
		effects int
	}{
		{"none matches", wire.Fault{Vendor: "other", Status: 500}, []int{201, 201, 201}, 3},
		{"for ever", wire.Fault{Status: 429, Header: map[string]string{"Retry-After": "3"}}, []int{429, 429, 429}, 0},
		{"once", wire.Fault{Times: 1, Status: 503}, []int{503, 201, 201}, 2},
		{"the second", wire.Fault{Skip: 1, Times: 1, Status: 503}, []int{201, 503, 201}, 2},
		{"by decoded query", wire.Fault{Match: "$filter=a b", Status: 400}, []int{400, 400, 400}, 0},
		{"by method", wire.Fault{Method: "GET", Status: 400}, []int{201, 201, 201}, 3},
		{"by body", wire.Fault{Body: "hello", Times: 2, Status: 400}, []int{400, 400, 201}, 1},
		{"after the effect", wire.Fault{Times: 1, Status: 504, After: true}, []int{504, 201, 201}, 3},
		{"dropped", wire.Fault{Times: 1, Drop: true}, []int{0, 201, 201}, 2},
		{"dropped after the effect", wire.Fault{Times: 1, Drop: true, After: true}, []int{0, 201, 201}, 3},
		{"late", wire.Fault{Times: 1, DelayMS: 1}, []int{201, 201, 201}, 3},
		{"late after the effect", wire.Fault{Times: 1, DelayMS: 1, After: true}, []int{201, 201, 201}, 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			log := wire.NewLog()
			ts := httptest.NewServer(vendor(log))
			defer ts.Close()
			log.AddFault(c.fault)
			var got []int
			for range 3 {
				status, answer, header, err := post(t, ts.URL+"/x?%24filter=a%20b", "hello")
				if (err != nil) != (status == 0) {
					t.Fatal(err)
				}
				if status == 201 && (answer != "got hello" || header.Get("X-Own") != "yes") {
					t.Errorf("the vendor's own answer came as %q", answer)
				}
				if status == 429 && header.Get("Retry-After") != "3" {
					t.Error("the fault's header is missing")
				}
				got = append(got, status)
			}
			if !cmp.Equal(got, c.status) || len(log.Effects()) != c.effects {
				t.Errorf("statuses %v with %d effects, want %v with %d", got, len(log.Effects()), c.status, c.effects)
			}
			for i, r := range log.Requests() {
				if r.Status != c.status[i] {
					t.Errorf("request %d stands as %d, want %d", i+1, r.Status, c.status[i])
				}
			}
		})
	}
}

func TestUsedUpFaultsAreGone(t *testing.T) {
	log := wire.NewLog()
	log.AddFault(wire.Fault{Times: 1, Status: 500})
	log.AddFault(wire.Fault{Vendor: "x", Times: 2, Status: 500})
	if _, ok := log.Pick("x", "GET", "/", ""); !ok {
		t.Fatal("no fault")
	}
	if _, ok := log.Pick("x", "GET", "/", ""); !ok {
		t.Fatal("no second fault")
	}
	if got := log.Faults(); len(got) != 1 || got[0].Times != 1 {
		t.Errorf("left %+v", got)
	}
	log.ClearFaults()
	if _, ok := log.Pick("x", "GET", "/", ""); ok {
		t.Error("a cleared fault struck")
	}
}

func TestBodies(t *testing.T) {
	log := wire.NewLog()
	h := vendor(log)
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	_, _ = zw.Write([]byte("inside"))
	_ = zw.Close()
	for _, body := range []string{zipped.String(), "not zipped", strings.Repeat("x", 100<<10)} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Encoding", "gzip")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Body.Len() != len("got ")+len(body) {
			t.Errorf("the vendor saw %d bytes of %d", rec.Body.Len()-4, len(body))
		}
	}
	got := log.Requests()
	if got[0].Body != "inside" || got[1].Body != "not zipped" || len(got[2].Body) != 64<<10 || len(got[2].Answer) != 64<<10 {
		t.Errorf("recorded %q %q %d %d", got[0].Body, got[1].Body, len(got[2].Body), len(got[2].Answer))
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/", io.LimitReader(zeros{}, 9<<20)))
	if rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("9 MiB: %d", rec.Code)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestWriterCanFlushAndBeHijacked(t *testing.T) {
	log := wire.NewLog()
	ts := httptest.NewServer(log.Middleware("acme", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_, _ = io.WriteString(w, "one\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	})))
	defer ts.Close()
	resp, err := http.Get(ts.URL + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(resp.Body).ReadString('\n'); line != "one\n" {
		t.Errorf("read %q", line)
	}
	resp.Body.Close()
	if _, _, _, err := post(t, ts.URL+"/hijack", ""); err == nil {
		t.Error("a hijacked connection answered")
	}
	if _, _, err := http.NewResponseController(plainWriter{httptest.NewRecorder()}).Hijack(); !errors.Is(err, http.ErrNotSupported) {
		t.Errorf("a recorder was hijacked: %v", err)
	}
}

type plainWriter struct{ http.ResponseWriter }

func TestManyAtOnce(t *testing.T) {
	log := wire.NewLog()
	h := vendor(log)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
			log.Unexpected("acme", "x")
			log.Requests()
		})
	}
	wg.Wait()
	seen := map[int]bool{}
	for _, e := range log.Effects() {
		seen[e.Seq] = true
	}
	if len(log.Requests()) != 50 || len(seen) != 50 || len(log.UnexpectedAll()) != 50 {
		t.Errorf("%d requests, %d effects, %d unexpected", len(log.Requests()), len(seen), len(log.UnexpectedAll()))
	}
}
