package mail

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
)

// TestMailNamesWhatWasBefore: in the words of the card, with the way to it; it is looked
// for once.
func TestMailNamesWhatWasBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, looks := open(t, contoso, "soc@msp.example"), 0
		d.f.cfg.Before = func(context.Context, *responsehub.Incident) *responsehub.Former {
			looks++
			return &responsehub.Former{ID: "01OLD", Ref: "RH-2B3C", State: responsehub.Remediated, ClosedAt: time.Date(2026, 11, 21, 8, 51, 0, 0, time.UTC)}
		}
		d.work(time.Hour)
		if len(d.post.mails) != 1 || looks != 1 || d.inc.Former == nil {
			t.Fatalf("%d mails, %d looks, %+v", len(d.post.mails), looks, d.inc.Former)
		}
		if l := d.post.mails[0]; !strings.Contains(l.Text, "Before    RH-2B3C, the same account, remediated 21 Nov 2026 08:51:00 UTC\n          https://hub.example.com/incidents/01OLD\n") ||
			!strings.Contains(l.HTML, `<a href="https://hub.example.com/incidents/01OLD">RH-2B3C</a>, the same account, remediated`) {
			t.Errorf("%s\n%s", l.Text, l.HTML)
		}
	})
}
