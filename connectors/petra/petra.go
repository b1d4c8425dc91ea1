package petra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/intake"
)

// Config is one account at Petra.
type Config struct {
	URL string             // of the API: https://api.petrasecurity.com
	Key responsehub.Secret // an API key, made by an administrator under Settings, API Keys
}

// most is the largest number of incidents that one request may ask for.
// See https://docs.petrasecurity.com/api-reference/endpoints/get-incidents
const most = 500

// remediated is the status of an incident that somebody dealt with at Petra.
const remediated = "REMEDIATED"

// Client asks Petra. It is safe for concurrent use.
type Client struct {
	address string
	key     responsehub.Secret
	hc      *http.Client
}

var _ intake.Detector = (*Client)(nil)

// New returns a client. It makes no request.
func New(cfg Config, hc *http.Client) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(cfg.URL, "/"))
	if err != nil || u.Host == "" {
		return nil, errors.New("url must be an address such as https://api.petrasecurity.com")
	}
	if cfg.Key == "" {
		return nil, errors.New("has no key")
	}
	return &Client{address: u.String() + "/v1/incidents", key: cfg.Key, hc: hc}, nil
}

// Found returns the incidents that Petra made on or after since. cut says that there were
// more than Petra lists at once.
func (c *Client) Found(ctx context.Context, since time.Time) (found []intake.Finding, cut bool, err error) {
	query := url.Values{"startDate": {since.UTC().Format("2006-01-02T15:04:05.000Z")}, "limit": {strconv.Itoa(most)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address+"?"+query.Encode(), nil)
	if err != nil {
		return nil, false, fmt.Errorf("petra: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+string(c.key))
	req.Header.Set("Accept", "application/json")
	ctx, answer := transport.Capture(ctx)
	resp, err := transport.Do(c.hc, req.WithContext(ctx))
	if err != nil {
		return nil, false, fault(err, answer.Header)
	}
	defer resp.Body.Close()
	var list struct {
		Incidents *[]json.RawMessage `json:"incidents"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || list.Incidents == nil {
		return nil, false, &responsehub.Error{Kind: responsehub.Permanent, Message: "The address does not answer as Petra's API does. Check url under poll of the source.", Err: err}
	}
	for _, raw := range *list.Incidents {
		found = append(found, read(raw))
	}
	return found, len(found) >= most, nil
}

// incident is what is used of an incident in the list. Times are texts here: one that is
// broken must not take the others with it.
type incident struct {
	ID                string `json:"id"`
	URL               string `json:"url"`
	CreatedAt         string `json:"createdAt"`
	OccurredAt        string `json:"occurredAt"`
	RemediationStatus string `json:"remediationStatus"`
	Tenant            struct {
		PetraTenantID     string `json:"petraTenantId"`
		MicrosoftTenantID string `json:"microsoftTenantId"`
	} `json:"tenant"`
	User struct {
		ID                string `json:"id"`
		UserPrincipalName string `json:"userPrincipalName"`
		Mail              string `json:"mail"`
		DisplayName       string `json:"displayName"`
	} `json:"user"`
}

// read makes a finding of an entry of the list.
func read(raw json.RawMessage) intake.Finding {
	var in incident
	if err := json.Unmarshal(raw, &in); err != nil {
		return intake.Finding{ID: in.ID, Fault: &responsehub.Error{Kind: responsehub.Invalid, Message: "Its entry in the list cannot be read.", Err: err}}
	}
	f := intake.Finding{ID: in.ID, Settled: strings.EqualFold(in.RemediationStatus, remediated)}
	var err error
	if f.MadeAt, err = time.Parse(time.RFC3339Nano, in.CreatedAt); err != nil {
		f.Fault = &responsehub.Error{Kind: responsehub.Invalid, Message: "The time at which it was made cannot be read.", Err: err}
		return f
	}
	f.Alert = in.alert(f.MadeAt)
	return f
}

// alert is the incident in the hub's format. Petra tells the hub only of accounts that it
// holds to be taken over, so that the severity is critical.
func (in *incident) alert(made time.Time) *responsehub.Alert {
	a := &responsehub.Alert{
		Version: responsehub.AlertVersion, ID: in.ID, DetectedAt: made.UTC(),
		Tenant:   responsehub.AlertTenant{MicrosoftTenantID: in.Tenant.MicrosoftTenantID, SourceTenantID: in.Tenant.PetraTenantID},
		Account:  responsehub.Account{ObjectID: in.User.ID, UserPrincipalName: in.User.UserPrincipalName, DisplayName: in.User.DisplayName},
		Severity: responsehub.Critical, Title: wordsTitle, Summary: wordsSummary, Link: in.URL,
	}
	if occurred, err := time.Parse(time.RFC3339Nano, in.OccurredAt); err == nil {
		a.Evidence = []responsehub.Evidence{{At: occurred.UTC(), Kind: "sign_in", Text: wordsOccurred}}
	}
	// What only helps must not cost the alert.
	for {
		e, ok := errors.AsType[*responsehub.Error](a.Validate())
		if !ok || !in.drop(a, e.Pointer) {
			return a
		}
	}
}

// drop takes a faulty field away if the alert can do without it.
func (in *incident) drop(a *responsehub.Alert, pointer string) bool {
	switch {
	case pointer == "/link" && a.Link != "":
		a.Link = ""
	case pointer == "/account/display_name" && a.Account.DisplayName != "":
		a.Account.DisplayName = ""
	case pointer == "/account/object_id" && a.Account.ObjectID != "" && a.Account.UserPrincipalName != "":
		a.Account.ObjectID = ""
	case pointer == "/account/user_principal_name" && a.Account.UserPrincipalName != "" && a.Account.ObjectID != "":
		a.Account.UserPrincipalName = ""
	case pointer == "/tenant/microsoft_tenant_id" && a.Tenant.MicrosoftTenantID != "" && a.Tenant.SourceTenantID != "":
		a.Tenant.MicrosoftTenantID = ""
	case strings.HasPrefix(pointer, "/evidence") && a.Evidence != nil:
		a.Evidence = nil
	default:
		return false
	}
	return true
}

// fault says what a refusal means and what to do.
func fault(err error, h http.Header) error {
	e, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return err
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return &responsehub.Error{Kind: responsehub.Unauthorized, Message: wordsKey, Err: err}
	case http.StatusForbidden:
		return &responsehub.Error{Kind: responsehub.Forbidden, Message: wordsForbidden, Err: err}
	case http.StatusTooManyRequests:
		return &responsehub.Error{Kind: responsehub.Throttled, Message: wordsThrottled, RetryAfter: wait(h, e.RetryAfter), Err: err}
	}
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: wordsAway, Err: err}
}

// wait is how long Petra asks to be left alone. It names the route's limit in a header of
// its own; without one the minute is over that it counts by.
func wait(h http.Header, usual time.Duration) time.Duration {
	if v := h.Get("Retry-After-public-api"); v != "" {
		usual = max(usual, transport.RetryAfter(http.Header{"Retry-After": {v}}, time.Now()))
	}
	if usual == 0 {
		return time.Minute
	}
	return usual
}
