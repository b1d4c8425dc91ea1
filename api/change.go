package api

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub"
)

// names says for the record what a change is about; "" for one that changes nothing.
func (in *TenantChange) names() string {
	var out []string
	for _, f := range []struct {
		there bool
		name  string
	}{
		{in.Response != nil, "Response " + onOff(in.Response)}, {in.Paused != nil, "pause " + onOff(in.Paused)}, {in.Product != nil, "product"},
		{in.LockGroup != nil, "lock group"}, {in.PasswordMode != nil, "password mode"}, {in.LocksPerHour != nil, "limit of automatic locks"},
		{in.BreakGlass != nil, "break-glass accounts"}, {in.SecondPersonFor != nil, "accounts for two people"}, {in.Notify != nil, "who is told"},
	} {
		if f.there {
			out = append(out, f.name)
		}
	}
	return strings.Join(out, ", ")
}

func onOff(b *bool) string {
	if b != nil && *b {
		return "on"
	}
	return "off"
}

// edit makes the change to a tenant. What comes of it is checked afterwards, by the same
// rules as whatever a person types in.
func (a *API) edit(t *responsehub.Tenant, in *TenantChange, actor responsehub.Actor) error {
	now := time.Now()
	if in.Product != nil {
		if err := a.bought.MaySwitch(t, *in.Product, now); err != nil {
			return err
		}
		if t.Bought() != cmp.Or(*in.Product, responsehub.ProductResponse) {
			t.Switch(*in.Product)
		}
	}
	if in.Paused != nil {
		t.Pause(*in.Paused, actor.By(), now)
	}
	t.Response = deref(in.Response, t.Response)
	t.LockGroup = strings.ToLower(deref(in.LockGroup, t.LockGroup))
	t.PasswordMode = deref(in.PasswordMode, t.PasswordMode)
	t.BreakGlass, t.SecondPersonFor = deref(in.BreakGlass, t.BreakGlass), deref(in.SecondPersonFor, t.SecondPersonFor)
	if in.LocksPerHour != nil {
		t.Limits.AutomaticLocksPerHour = in.LocksPerHour
	}
	if in.Notify == nil {
		return nil
	}
	return renotify(t, *in.Notify)
}

func deref[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// renotify replaces who is told.
func renotify(t *responsehub.Tenant, n Notify) error {
	slack, err := known(n.Slack, t.Notify.Slack, "/notify/slack")
	if err != nil {
		return err
	}
	hooks, err := known(n.Webhooks, t.Notify.Webhooks, "/notify/webhooks")
	if err != nil {
		return err
	}
	out := responsehub.Notify{Teams: n.Teams, Mail: n.Mail, PSA: n.PSA, Slack: slack, Webhooks: hooks}
	if n.Phone != nil {
		if out.Phone, err = n.Phone.over(t.Notify.Phone, "/notify/phone"); err != nil {
			return err
		}
	}
	t.Notify = out
	return nil
}

// known puts the whole address in place of one that an answer had shortened, so that
// what was read can be sent back.
func known(given, kept []string, at string) ([]string, error) {
	out := slices.Clone(given)
	short := hosts(kept)
	used := map[int]bool{}
	for i, a := range out {
		if !strings.HasSuffix(a, "/...") {
			continue
		}
		found := -1
		for k := range short {
			if short[k] == a && !used[k] {
				found = k
				break
			}
		}
		if found < 0 {
			return nil, invalid(at+"/"+strconv.Itoa(i), "No such address is kept. Give the whole address.")
		}
		used[found], out[i] = true, kept[found]
	}
	return out, nil
}
