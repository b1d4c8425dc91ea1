package desk_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

func TestSenderKeepsTheOrderOfAQueue(t *testing.T) {
	var mu sync.Mutex
	var got []string
	ear := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(body))
		if len(got) == 1 {
			w.WriteHeader(http.StatusConflict)
		}
	}))
	defer ear.Close()
	log, settled := wire.NewLog(), make(chan string, 3)
	log.AddFault(wire.Fault{Vendor: "acme", Body: "three", Drop: true, Times: 1})
	s := &desk.Sender{
		Vendor: "acme", Log: log, Client: http.DefaultClient, Timeout: time.Second, Speed: 1000,
		Retry: func(attempt, _ int) (time.Duration, bool) { return time.Second, attempt < 2 },
		Settled: func(p desk.Post, ok bool) {
			settled <- string(p.Body) + map[bool]string{true: " taken", false: " lost"}[ok]
		},
	}
	s.Start()
	defer s.Stop()
	for _, body := range []string{"one", "two", "three"} {
		s.Send(desk.Post{Queue: "q", URL: ear.URL, Body: []byte(body)})
	}
	for _, want := range []string{"one taken", "two taken", "three taken"} {
		if have := <-settled; have != want {
			t.Errorf("%s, want %s", have, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]string{"one", "one", "two", "three"}, got); diff != "" {
		t.Error(diff)
	}
	var attempts []int
	for _, d := range s.Deliveries() {
		attempts = append(attempts, d.Attempts)
	}
	if diff := cmp.Diff([]int{2, 1, 2}, attempts); diff != "" {
		t.Error(diff)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	r := desk.Record{"a": desk.Record{"b": 1}, "list": []any{map[string]any{"c": 2.0}}}
	c := r.Clone()
	c.Sub("a")["b"] = 5
	desk.AsRecord(c["list"].([]any)[0])["c"] = 6.0
	if r.Sub("a").Int("b") != 1 || desk.AsRecord(r["list"].([]any)[0]).Int("c") != 2 || (desk.Record{"n": 1.5}).Int("n") != 0 {
		t.Errorf("%v", r)
	}
	if got := string(desk.Compact(desk.Record{"x": "<&>"})); !strings.Contains(got, "<&>") {
		t.Error(got)
	}
}
