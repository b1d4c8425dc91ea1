package e2e

import (
	"strings"
	"testing"

	"responsehub/sim"
)

// TestStopIsToldToTheOperators: somebody writes STOP while nothing is open. No texts go
// there any more, and whoever keeps the hub gets a mail with the number masked.
func TestStopIsToldToTheOperators(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	if err := s.world.Twilio.Write(t.Context(), "ann", sim.HubNumber, "STOP"); err != nil {
		t.Fatal(err)
	}
	s.until("the operators have a mail", func() bool { return len(s.world.Mail.Snapshot().Mails) > 0 })
	mails := s.world.Mail.Snapshot().Mails
	if len(mails) != 1 || mails[0].Subject != "responsehub: something needs the operators" || !strings.Contains(mails[0].To, sim.Staff[1].Mail) {
		t.Fatalf("%d mails, %q to %s", len(mails), mails[0].Subject, mails[0].To)
	}
	if !strings.Contains(mails[0].Text, "Ann Berg") || !strings.Contains(mails[0].Text, "wrote STOP: no texts go there, only calls.") || strings.Contains(mails[0].Text, sim.Numbers["ann"]) {
		t.Errorf("the mail says %q", mails[0].Text)
	}
}
