// Package petra is the pretend API of Petra Security: the list of incidents, for those whose
// webhook the hub never got.
//
// It promises to refuse what Petra refuses: no or another API key (401), no User-Agent (403), more
// than ten requests a minute (429 with Retry-After-public-api), a limit outside 1 to 500 and a date
// that is none (400). It lists the newest first.
//
// See https://docs.petrasecurity.com/api-reference/endpoints/get-incidents
package petra

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"responsehub/sim/wire"
)

const (
	perMinute = 10
	usual     = 100
	most      = 500
)

// Incident is one of the list, with the names of the API.
type Incident struct {
	ID                string    `json:"id"`
	URL               string    `json:"url"`
	CreatedAt         time.Time `json:"createdAt"`
	OccurredAt        time.Time `json:"occurredAt"`
	RemediationStatus string    `json:"remediationStatus"`
	IsLive            bool      `json:"isLive"`
	DwellTimeMinutes  float64   `json:"dwellTimeMinutes"`
	Tenant            Tenant    `json:"tenant"`
	User              User      `json:"user"`
}

// Tenant is whose incident it is.
type Tenant struct {
	PetraTenantID     string `json:"petraTenantId"`
	Name              string `json:"name"`
	MicrosoftTenantID string `json:"microsoftTenantId"`
}

// User is the account that was taken over.
type User struct {
	ID                         string     `json:"id"`
	UserPrincipalName          string     `json:"userPrincipalName"`
	Mail                       string     `json:"mail"`
	DisplayName                string     `json:"displayName"`
	AccountEnabled             bool       `json:"accountEnabled"`
	LastPasswordChangeDateTime *time.Time `json:"lastPasswordChangeDateTime"`
}

// Service is the API. It is safe for concurrent use.
type Service struct {
	key     string
	handler http.Handler

	mu        sync.Mutex
	incidents []Incident
	asked     []time.Time
}

// New returns a service that knows one key.
func New(key string, log *wire.Log) *Service {
	s := &Service{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/incidents", s.list)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.Unexpected("petra", r.Method+" "+r.URL.Path)
		refuse(w, http.StatusNotFound, "Not found")
	})
	s.handler = log.Middleware("petra", mux)
	return s
}

// ServeHTTP answers as Petra would.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Add makes an incident.
func (s *Service) Add(in Incident) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.incidents = append(s.incidents, in)
}

// Incidents are those that were made, oldest first.
func (s *Service) Incidents() []Incident {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.incidents)
}

// Restore takes up incidents that were kept.
func (s *Service) Restore(kept []Incident) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.incidents = kept
}

func (s *Service) list(w http.ResponseWriter, r *http.Request) {
	if r.UserAgent() == "" {
		refuse(w, http.StatusForbidden, "Forbidden")
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+s.key)) != 1 {
		refuse(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.asked = slices.DeleteFunc(s.asked, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	if len(s.asked) >= perMinute {
		wait := s.asked[0].Add(time.Minute).Sub(now)
		w.Header().Set("Retry-After-public-api", strconv.Itoa(int(wait.Seconds())+1))
		refuse(w, http.StatusTooManyRequests, "Too many requests")
		return
	}
	s.asked = append(s.asked, now)
	s.answer(w, r)
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request) {
	q, limit, since := r.URL.Query(), usual, time.Time{}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > most {
			refuse(w, http.StatusBadRequest, "limit must be between 1 and 500")
			return
		}
		limit = n
	}
	if v := q.Get("startDate"); v != "" {
		var err error
		if since, err = time.Parse(time.RFC3339Nano, v); err != nil {
			if since, err = time.Parse(time.DateOnly, v); err != nil {
				refuse(w, http.StatusBadRequest, "startDate must be an ISO 8601 date")
				return
			}
		}
	}
	out, tenant := []Incident{}, q.Get("tenantId")
	for _, in := range slices.Backward(s.incidents) {
		if !in.CreatedAt.Before(since) && (tenant == "" || tenant == in.Tenant.PetraTenantID || tenant == in.Tenant.MicrosoftTenantID) && len(out) < limit {
			out = append(out, in)
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"incidents": out}) // the client is gone: nobody to tell
}

func refuse(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": words})
}
