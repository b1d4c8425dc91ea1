package petra_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"responsehub/sim/petra"
	"responsehub/sim/wire"
)

const key = "key"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// ask sends a request as change has it and returns the ids that were listed.
func ask(t *testing.T, s *petra.Service, query string, change func(*http.Request)) (int, http.Header, []string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/v1/incidents"+query, nil)
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("User-Agent", "test")
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var list struct{ Incidents []petra.Incident }
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, in := range list.Incidents {
		ids = append(ids, in.ID)
	}
	return w.Code, w.Header(), ids
}

func service() *petra.Service {
	s := petra.New(key, wire.NewLog())
	for i := range 3 {
		s.Add(petra.Incident{ID: strconv.Itoa(i), CreatedAt: noon.Add(time.Duration(i) * time.Hour), Tenant: petra.Tenant{PetraTenantID: "p" + strconv.Itoa(i%2), MicrosoftTenantID: "m" + strconv.Itoa(i%2)}})
	}
	return s
}

func TestList(t *testing.T) {
	for query, want := range map[string][]string{
		"": {"2", "1", "0"}, "?startDate=2026-11-23T13:00:00.000Z": {"2", "1"}, "?startDate=2026-11-24": nil, "?tenantId=p0": {"2", "0"}, "?tenantId=m1": {"1"}, "?limit=1": {"2"},
	} {
		status, _, got := ask(t, service(), query, nil)
		if status != http.StatusOK || len(got) != len(want) {
			t.Errorf("%s: %d, %q", query, status, got)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		query  string
		change func(*http.Request)
		want   int
	}{
		"no key":        {"", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		"another key":   {"", func(r *http.Request) { r.Header.Set("Authorization", "Bearer other") }, 401},
		"no user agent": {"", func(r *http.Request) { r.Header.Del("User-Agent") }, 403},
		"no limit":      {"?limit=0", nil, 400},
		"large limit":   {"?limit=501", nil, 400},
		"no date":       {"?startDate=yesterday", nil, 400},
		"a write":       {"", func(r *http.Request) { r.Method = http.MethodPost }, 404},
	} {
		if got, _, _ := ask(t, service(), tt.query, tt.change); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestTenRequestsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := service()
		for range 10 {
			if status, _, _ := ask(t, s, "", nil); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
		time.Sleep(20 * time.Second)
		status, h, _ := ask(t, s, "", nil)
		if wait := h.Get("Retry-After-public-api"); status != http.StatusTooManyRequests || wait != "41" {
			t.Errorf("status %d, wait %q", status, wait)
		}
		time.Sleep(41 * time.Second)
		if status, _, _ := ask(t, s, "", nil); status != http.StatusOK {
			t.Errorf("after the minute: %d", status)
		}
	})
}
