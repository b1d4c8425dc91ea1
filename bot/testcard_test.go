package bot

import (
	"net/http"
	"strings"
	"testing"

	"responsehub"
)

// TestTestCard: the card is posted and changed in place, also where the channel was noted
// as out of reach, which it then is no more.
func TestTestCard(t *testing.T) {
	for _, tc := range []struct {
		name    string
		channel responsehub.Channel
		status  int
		body    string
		want    string // of the error; "" for none
		kept    bool   // in reach afterwards
	}{
		{"installed", responsehub.Channel{Installed: true}, 0, "", "", true},
		{"noted as removed", responsehub.Channel{Failure: sayRemoved}, 0, "", "", true},
		{"removed", responsehub.Channel{Failure: sayRemoved}, http.StatusForbidden, `{"error":{"code":"BotNotInConversationRoster","message":"no"}}`, "Add the app to the team in Teams again", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newHarness(t)
			ch := tc.channel
			ch.V, ch.ID, ch.TenantID, ch.ServiceURL, ch.BotID = 1, general, tenant, service, "28:"+appID
			if err := s.dir.PutChannel(t.Context(), ch); err != nil {
				t.Fatal(err)
			}
			s.world.respond = func(call) (int, http.Header, string) { return tc.status, nil, tc.body }
			err := s.bot.TestCard(t.Context(), general)
			if tc.want != "" && (err == nil || !strings.Contains(responsehub.Sentence(err), tc.want)) || tc.want == "" && err != nil {
				t.Fatalf("TestCard: %v, want %q", err, tc.want)
			}
			if _, _, why := s.bot.Reach(general); (why == "") != tc.kept {
				t.Errorf("afterwards: %q", why)
			}
			if tc.want != "" {
				return
			}
			posts, puts := s.world.seen(http.MethodPost), s.world.seen(http.MethodPut)
			if len(posts) != 1 || len(puts) != 1 {
				t.Fatalf("%d posts and %d changes, want one of each", len(posts), len(puts))
			}
		})
	}
}

// TestReachUnknown: a channel of which nobody has told yet is not known, and without any
// other channel there is no address to try.
func TestReachUnknown(t *testing.T) {
	s := newHarness(t)
	s.dir.channels = map[string]responsehub.Channel{}
	if _, known, why := s.bot.Reach("19:never@thread.tacv2"); known || why != sayNotInstalled {
		t.Errorf("known %v, %q", known, why)
	}
	if err := s.bot.TestCard(t.Context(), "19:never@thread.tacv2"); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("TestCard: %v", err)
	}
	if calls := s.world.seen(""); len(calls) > 0 {
		t.Errorf("something was sent: %+v", calls)
	}
}
