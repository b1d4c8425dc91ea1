package bot

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"responsehub"
)

// slowly is a sign-in service that takes its time.
type slowly struct {
	azcore.TokenCredential
	d time.Duration
}

func (s *slowly) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	select {
	case <-time.After(s.d):
		return s.TokenCredential.GetToken(ctx, o)
	case <-ctx.Done():
		return azcore.AccessToken{}, context.Cause(ctx)
	}
}

// TestSlowToken: a sign-in service that is slow delays the card, not a click; one that does
// not answer in time leaves no doubt about what was posted, and the card comes when it does.
func TestSlowToken(t *testing.T) {
	newSigner("k1")
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		slow := &slowly{h.cred, 30 * time.Second}
		h.bot.client.tokens.cred = slow
		l := newLane(h, h.incident(false))
		l.run(time.Minute)
		if len(h.world.seen("POST")) != 0 || l.count(responsehub.EventNoticeFailed) != 0 || intended(l.inc.Cards[general]) {
			t.Errorf("without a token: posts %d, card %+v, events %v", len(h.world.seen("POST")), l.inc.Cards[general], l.events)
		}
		inc := h.incident(false)
		start := time.Now()
		r := read(t, h.send(press(annID, "a1", "publish", map[string]any{"incident": inc.ID, "step": "publish", "round": "0"})))
		if d := time.Since(start); r.Type != asCard || d > time.Second {
			t.Errorf("a click was answered %s after %s", r.Type, d)
		}
		slow.d = 4 * time.Second
		l.run(2 * time.Minute)
		if n := len(h.world.seen("POST")); n != 1 || l.inc.Cards[general].Activity == "" || l.count(responsehub.EventNoticeFailed) != 0 {
			t.Errorf("with a slow token: %d posts, card %+v, events %v", n, l.inc.Cards[general], l.events)
		}
	})
}
