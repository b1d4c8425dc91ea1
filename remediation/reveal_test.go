package remediation

import (
	"strings"
	"testing"
	"time"

	"responsehub"
)

// TestMayReveal: whoever asks for a password that is not there hears why.
func TestMayReveal(t *testing.T) {
	now := time.Now()
	ann, bob := responsehub.Actor{ID: "ann", Name: "Ann"}, responsehub.Actor{ID: "bob", Name: "Bob"}
	sealed := &responsehub.Sealed{For: "ann", Expires: now.Add(time.Minute)}
	old := &responsehub.Sealed{For: "ann", Expires: now}
	for _, tt := range []struct {
		name   string
		step   responsehub.Step
		sealed *responsehub.Sealed
		actor  responsehub.Actor
		kind   responsehub.Kind
		words  string
	}{
		{"shown", responsehub.Step{State: responsehub.Done}, sealed, ann, "", ""},
		{"somebody else's", responsehub.Step{State: responsehub.Done}, sealed, bob, responsehub.Forbidden, "Only Ann"},
		{"nobody asked", responsehub.Step{State: responsehub.Waiting}, nil, ann, responsehub.Refused, "no new password yet"},
		{"under way", responsehub.Step{State: responsehub.Queued}, nil, ann, responsehub.Refused, "no new password yet"},
		{"failed", responsehub.Step{State: responsehub.Failed, Reason: "Too short."}, nil, ann, responsehub.Refused, "not reset: Too short."},
		{"once more", responsehub.Step{State: responsehub.Done}, nil, ann, responsehub.Gone, "shown already"},
		{"too late", responsehub.Step{State: responsehub.Done}, old, ann, responsehub.Gone, "has expired"},
		{"only in AD", responsehub.Step{State: responsehub.NeedsHuman, Reason: "Reset it in AD."}, nil, ann, responsehub.Refused, "made no password: Reset it in AD."},
		{"set aside", responsehub.Step{State: responsehub.Skipped}, nil, ann, responsehub.Refused, "was set aside"},
		{"done in AD", responsehub.Step{State: responsehub.Done, ByHand: true}, nil, ann, responsehub.Refused, "by hand"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.step.ID, tt.step.RequestedBy = responsehub.Password, ann.By()
			inc := &responsehub.Incident{Steps: []responsehub.Step{tt.step}}
			if tt.sealed == nil {
				tt.sealed = &responsehub.Sealed{}
			}
			err := mayReveal(inc, tt.actor, *tt.sealed, tt.sealed.For != "", now)
			if tt.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if responsehub.KindOf(err) != tt.kind || !strings.Contains(responsehub.Sentence(err), tt.words) {
				t.Errorf("%s %v, want %s: %s", responsehub.KindOf(err), err, tt.kind, tt.words)
			}
		})
	}
}
