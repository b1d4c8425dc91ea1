package e2e

import (
	"strings"
	"testing"

	"responsehub"
	"responsehub/sim/wire"
)

// TestMailWhoseAnswerIsLost: the tenant's list is written to over TLS. The server takes
// the report and its answer is lost, so the hub sends it once more: as the same mail.
func TestMailWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	s.world.Wire.AddFault(wire.Fault{Vendor: "smtp", Method: "DATA", After: true, Drop: true, Times: 1})
	in := s.takeover()
	s.until("the mail went out again", func() bool { return len(s.world.Mail.Snapshot().Mails) >= 2 })
	s.recorded(in.Incident, responsehub.EventNoticeSent, "Mail to soc@", "opened")
	mails := s.world.Mail.Snapshot().Mails
	if len(mails) != 2 || mails[0].MessageID != mails[1].MessageID || mails[0].Subject != mails[1].Subject {
		t.Fatalf("%d mails, %q and %q", len(mails), mails[0].MessageID, mails[1].MessageID)
	}
	for _, m := range mails {
		if !m.TLS || m.Auto != "auto-generated" || len(m.Parts) != 2 || !strings.HasPrefix(m.To, "soc@") && !strings.Contains(m.To, "<soc@") {
			t.Errorf("to %s, TLS %v, %s, parts %q", m.To, m.TLS, m.Auto, m.Parts)
		}
		if !strings.Contains(m.Subject, "["+in.Ref+"]") || !strings.Contains(m.Text, "Response is on") || !strings.Contains(m.Text, "/incidents/"+in.Incident) {
			t.Errorf("%s\n%s", m.Subject, m.Text)
		}
	}
	// The lost answer is all that the server has to say against them.
	if refused := s.world.Mail.Snapshot().Refused; len(refused) != 1 || refused[0].Answer != "connection lost" {
		t.Errorf("the server refused %+v", refused)
	}
}
