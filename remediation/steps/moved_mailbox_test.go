package steps

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

// migrating is a world in which one mailbox leaves the cloud just before a call at it:
// from then on there is neither the mailbox nor anything in it.
type migrating struct {
	*world
	box, at string
	gone    bool
}

func (m *migrating) here(call, box string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if box != m.box {
		return nil
	}
	if m.gone = m.gone || call == m.at; m.gone {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no mailbox in the cloud."}
	}
	return nil
}

func (m *migrating) Find(ctx context.Context, tenant, box string, p responsehub.Phish) ([]Letter, error) {
	if err := m.here("find", box); err != nil {
		return nil, err
	}
	return m.world.Find(ctx, tenant, box, p)
}

func (m *migrating) Trash(ctx context.Context, tenant, box string) (string, error) {
	if err := m.here("trash", box); err != nil {
		return "", err
	}
	return m.world.Trash(ctx, tenant, box)
}

func (m *migrating) Folder(ctx context.Context, tenant, box, id string) (string, string, error) {
	if err := m.here("folder", box); err != nil {
		return "", "", err
	}
	return m.world.Folder(ctx, tenant, box, id)
}

func (m *migrating) Move(ctx context.Context, tenant, box, id, folder string) (Receipt, error) {
	if err := m.here("move", box); err != nil {
		return Receipt{}, err
	}
	return m.world.Move(ctx, tenant, box, id, folder)
}

// TestMailboxMovedWhileSearching: a mailbox that got the phish leaves Exchange Online at
// whichever call. Its message counts neither as moved nor as deleted by its owner: the
// mailbox is named, and a person has to look. The others are done.
func TestMailboxMovedWhileSearching(t *testing.T) {
	for _, c := range []struct {
		at     string
		traced bool
		want   responsehub.StepState
	}{
		{"find", true, responsehub.Partial}, {"trash", true, responsehub.Partial}, {"move", true, responsehub.Partial}, {"folder", true, responsehub.Partial},
		{"find", false, responsehub.Done}, // one of many users without a mailbox
		{"trash", false, responsehub.Partial}, {"move", false, responsehub.Partial}, {"folder", false, responsehub.Partial},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := mailWorld(9)
			if c.traced {
				w.untraced, w.traced = nil, w.boxes
			}
			b := remediationtest.New(alert(), true)
			b.Run(t, &Retract{Mail: &migrating{world: w, box: "m3", at: c.at}, Letters: b.Letters()}, 50)
			s := check(t, b.Incident, responsehub.Retract, c.want)
			if told := strings.Contains(s.Reason, "The mailbox of m3@contoso.example got the phish and is not in Exchange Online (any more)"); told != (c.want == responsehub.Partial) {
				t.Errorf("moved away at %q, traced %t: the step says %q", c.at, c.traced, s.Reason)
			}
			if s.Progress.Moved != 8 {
				t.Errorf("moved away at %q: %+v", c.at, *s.Progress)
			}
			neverTwice(t, w)
		})
	}
}
