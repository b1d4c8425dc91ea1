package graph

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// A mailbox's complaint stops the calls to this mailbox; one that says that it is about
// the app stops those to all mailboxes of the tenant.
func TestWhoseComplaint(t *testing.T) {
	phish := responsehub.Phish{InternetMessageID: "<p@x>"}
	for _, c := range []struct {
		name  string
		scope string // x-ms-throttle-scope
		body  string
		all   bool
	}{
		{"one mailbox", "", complain("ApplicationThrottled", "Application is over its MailboxConcurrency limit."), false},
		{"it does not say", "", "", false},
		{"one user", "User/ReadWrite/app/user", complain("TooManyRequests", "Too many requests."), false},
		{"the app in the tenant", "Tenant_Application/ReadWrite/9a3d526c/0785ef7c", complain("TooManyRequests", "Too many requests."), true},
		{"the app", "Application/Read/9a3d526c/", complain("TooManyRequests", "Too many requests."), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, _ := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.Contains(r.URL.Path, "/busy/") {
					say(w, 200, `{"value":[]}`)
					return
				}
				if c.scope != "" {
					w.Header().Set("x-ms-throttle-scope", c.scope)
				}
				w.Header().Set("Retry-After", "30")
				say(w, http.StatusTooManyRequests, c.body)
			})
			_, err := client.Find(t.Context(), tenantID, "busy", phish)
			if e, ok := errors.AsType[*responsehub.Error](err); !ok || e.Kind != responsehub.Throttled || e.RetryAfter != 30*time.Second {
				t.Fatalf("got %v", err)
			}
			if _, err := client.Find(t.Context(), tenantID, "busy", phish); responsehub.KindOf(err) != responsehub.Throttled {
				t.Errorf("the mailbox asked to wait, and is asked again: %v", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err = client.Find(ctx, tenantID, "free", phish)
			if waits := errors.Is(err, context.DeadlineExceeded); waits != c.all || !waits && err != nil {
				t.Errorf("another mailbox waits: %t, want %t (%v)", waits, c.all, err)
			}
		})
	}
}
