package preflight

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// cloud is a tenant that lacks nothing, but for what a test takes away.
type cloud struct {
	mu            sync.Mutex
	asked         int
	rights        Rights
	exchange      Rights
	err           error // of the token
	exchangeErr   error
	cmdlet, trace error
	log           error // of reading the log of sign-ins
	hybrid        bool
	hybridErr     error
	consent       bool // whether err is for want of consent
}

func full() *cloud {
	c := &cloud{rights: Rights{Known: true, Roles: []string{privilegedAdministrator}}, exchange: Rights{Known: true, Permissions: []string{manageAsApp}, Roles: []string{exchangeAdministrator}}}
	for _, n := range append(needs, lockGroupNeed) {
		c.rights.Permissions = append(c.rights.Permissions, n.names[0])
	}
	return c
}

func (c *cloud) Rights(context.Context, string) (Rights, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return c.rights, c.err
}
func (c *cloud) ExchangeRights(context.Context, string) (Rights, error) {
	return c.exchange, c.exchangeErr
}
func (c *cloud) Exchange(context.Context, string) error       { return c.cmdlet }
func (c *cloud) Trace(context.Context, string) error          { return c.trace }
func (c *cloud) SignIns(context.Context, string) error        { return c.log }
func (c *cloud) Hybrid(context.Context, string) (bool, error) { return c.hybrid, c.hybridErr }
func (c *cloud) ConsentLink(tenant string) string {
	return "https://login.test/" + tenant + "/v2.0/adminconsent"
}
func (c *cloud) ConsentMissing(error) bool { return c.consent }

type directory struct {
	channels map[string]responsehub.Channel
}

func (d directory) Tenants() []responsehub.Tenant { return []responsehub.Tenant{contoso()} }
func (d directory) Tenant(id string) (responsehub.Tenant, bool) {
	return contoso(), id == contoso().ID
}
func (d directory) Channel(id string) (responsehub.Channel, bool) {
	ch, ok := d.channels[id]
	return ch, ok
}

type keeper struct {
	mu   sync.Mutex
	kept map[string]responsehub.Readiness
}

func (k *keeper) KeepReadiness(_ context.Context, r responsehub.Readiness) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[r.Tenant.ID] = r
	return nil
}

func (k *keeper) Readiness(context.Context) (map[string]responsehub.Readiness, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.kept), nil
}

func contoso() responsehub.Tenant {
	return responsehub.Tenant{V: 1, ID: "t1", Name: "Contoso", MicrosoftTenantID: "m1", Notify: responsehub.Notify{Teams: []string{"19:a"}}}
}

func refused(kind responsehub.Kind) error {
	return &responsehub.Error{Kind: kind, Message: "No."}
}

func TestLook(t *testing.T) {
	installed := map[string]responsehub.Channel{"19:a": {ID: "19:a", Name: "Incidents", TeamName: "SOC", Installed: true}}
	without := func(name string) func(*cloud, *responsehub.Tenant) {
		return func(c *cloud, _ *responsehub.Tenant) {
			c.rights.Permissions = slices.DeleteFunc(c.rights.Permissions, func(p string) bool { return p == name })
		}
	}
	for _, tc := range []struct {
		name  string
		take  func(*cloud, *responsehub.Tenant)
		bad   []string // "check grade" of all that is not ok
		says  string
		lacks map[responsehub.StepID]string // a part of the sentence of the step
	}{
		{name: "nothing is missing"},
		{"a permission", without("User.RevokeSessions.All"), []string{"User.RevokeSessions.All missing"}, "consent: https://login.test/m1/v2.0/adminconsent",
			map[responsehub.StepID]string{responsehub.Lock: "lacks User.RevokeSessions.All in Contoso: this step will fail", responsehub.Retract: "", responsehub.Reenable: "RevokeSessions"}},
		{"a wider permission does", func(c *cloud, _ *responsehub.Tenant) {
			without("User.EnableDisableAccount.All")(c, nil)
			c.rights.Permissions = append(c.rights.Permissions, "User.ReadWrite.All")
		}, nil, "", nil},
		{"one that only makes it slower", without("ExchangeMessageTrace.Read.All"), []string{"ExchangeMessageTrace.Read.All warning"}, "all mailboxes", map[responsehub.StepID]string{responsehub.Retract: ""}},
		{"no lock group, no permission for it", without("GroupMember.ReadWrite.All"), nil, "", nil},
		{"a lock group without its permission", func(c *cloud, t *responsehub.Tenant) {
			t.LockGroup = "g1"
			without("GroupMember.ReadWrite.All")(c, t)
		}, []string{"GroupMember.ReadWrite.All missing"}, "lock group", map[responsehub.StepID]string{responsehub.Lock: "GroupMember"}},
		{"a token that cannot be read", func(c *cloud, _ *responsehub.Tenant) { c.exchange.Known = false }, []string{"Exchange.ManageAsApp unknown"}, "", nil},
		{"the role for administrators", func(c *cloud, _ *responsehub.Tenant) { c.rights.Roles = nil }, []string{"role " + privilegedAdministrator + " warning"}, "cannot be locked", map[responsehub.StepID]string{responsehub.Lock: ""}},
		{"a Global Administrator has every role", func(c *cloud, _ *responsehub.Tenant) {
			c.rights.Roles = []string{globalAdministrator}
			c.exchange.Roles = []string{globalAdministrator}
		}, nil, "", nil},
		{"the role at Exchange", func(c *cloud, _ *responsehub.Tenant) {
			c.exchange.Roles, c.cmdlet = nil, refused(responsehub.Forbidden)
		},
			[]string{"role " + exchangeAdministrator + " missing"}, "Exchange Administrator, Add assignments", map[responsehub.StepID]string{responsehub.Persistence: "role Exchange Administrator"}},
		{"a role group of one's own", func(c *cloud, _ *responsehub.Tenant) { c.exchange.Roles = nil }, []string{"role " + exchangeAdministrator + " warning"}, "role group of your own", nil},
		{"Exchange is slow", func(c *cloud, _ *responsehub.Tenant) { c.cmdlet = refused(responsehub.Unavailable) }, []string{"role " + exchangeAdministrator + " unknown"}, "", map[responsehub.StepID]string{responsehub.Persistence: ""}},
		{"the permission at Exchange", func(c *cloud, _ *responsehub.Tenant) { c.exchange.Permissions = nil }, []string{"Exchange.ManageAsApp missing"}, "adminconsent", map[responsehub.StepID]string{responsehub.Persistence: "Exchange.ManageAsApp"}},
		{"no Exchange", func(c *cloud, _ *responsehub.Tenant) { c.exchangeErr = refused(responsehub.NotFound) }, []string{"exchange warning"}, "", map[responsehub.StepID]string{responsehub.Persistence: ""}},
		{"the log of sign-ins", func(c *cloud, _ *responsehub.Tenant) { c.log = refused(responsehub.Permanent) }, []string{"sign-in log warning"}, "Sessions that begin after a lock are not seen", nil},
		{"the trace", func(c *cloud, _ *responsehub.Tenant) { c.trace = refused(responsehub.Forbidden) }, []string{"message trace warning"}, "New-MgServicePrincipal -AppId 8bd644d1", nil},
		{"consent", func(c *cloud, _ *responsehub.Tenant) { c.err, c.consent = refused(responsehub.Forbidden), true }, []string{"consent missing"}, "https://login.test/m1/v2.0/adminconsent", map[responsehub.StepID]string{responsehub.Password: "no consent in Contoso"}},
		{"an expired secret is no matter of consent", func(c *cloud, _ *responsehub.Tenant) { c.err = refused(responsehub.Forbidden) }, []string{"consent missing"}, "No.", map[responsehub.StepID]string{responsehub.Password: "cannot sign in"}},
		{"the network", func(c *cloud, _ *responsehub.Tenant) { c.err = refused(responsehub.Unavailable) }, []string{"consent unknown"}, "No.", map[responsehub.StepID]string{responsehub.Lock: ""}},
		{"nobody is told", func(_ *cloud, t *responsehub.Tenant) { t.Notify.Teams = nil }, []string{"teams missing"}, "nobody would see a card", nil},
		{"a channel not seen yet", func(_ *cloud, t *responsehub.Tenant) { t.Notify.Teams = []string{"19:b"} }, []string{"teams warning"}, "has not been seen", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, tenant := full(), contoso()
			if tc.take != nil {
				tc.take(c, &tenant)
			}
			p := New(Config{Microsoft: c, Directory: directory{installed}, Teams: true})
			r, err := p.Run(t.Context(), tenant)
			if err != nil {
				t.Fatal(err)
			}
			var bad []string
			for _, k := range r.Checks {
				if k.Grade != responsehub.CheckOK {
					bad = append(bad, k.Name+" "+string(k.Grade))
					if !strings.Contains(k.Sentence, tc.says) {
						t.Errorf("%s says %q, want %q in it", k.Name, k.Sentence, tc.says)
					}
				}
				if k.Sentence == "" || k.Grade == responsehub.CheckMissing && len(k.Blocks) > 0 && k.Step == "" {
					t.Errorf("%s has no words: %+v", k.Name, k)
				}
			}
			if d := cmp.Diff(tc.bad, bad); d != "" {
				t.Error(d)
			}
			for step, want := range tc.lacks {
				if got := r.Lacks(step); want == "" && got != "" || !strings.Contains(got, want) {
					t.Errorf("%s lacks %q, want %q", step, got, want)
				}
			}
		})
	}
}

// TestKeep: the hub looks a while after its start, again when the result is old, and not
// while an incident is worked on.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k, busy := full(), &keeper{kept: map[string]responsehub.Readiness{}}, true
		var mu sync.Mutex
		p := New(Config{Microsoft: c, Directory: directory{}, Keeper: k, Teams: true, Busy: func() bool {
			mu.Lock()
			defer mu.Unlock()
			return busy
		}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Keep(ctx) }()
		defer func() { stop(); <-done }()
		looked := func(want int, when string) {
			t.Helper()
			synctest.Wait()
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.asked != want {
				t.Errorf("%s: looked %d times, want %d", when, c.asked, want)
			}
		}
		time.Sleep(2 * time.Minute)
		looked(0, "right after the start")
		time.Sleep(10 * time.Minute)
		looked(0, "while an incident is worked on")
		mu.Lock()
		busy = false
		mu.Unlock()
		time.Sleep(2 * time.Minute)
		looked(1, "when it is over")
		time.Sleep(5 * time.Hour)
		looked(1, "after five hours")
		time.Sleep(2 * time.Hour)
		looked(2, "after seven hours")
		if _, ok := p.Known("t1"); !ok {
			t.Error("what was found is not kept")
		}
		if p.Lacks("t1", responsehub.Lock) != "" {
			t.Error("nothing is missing, and the lock is said to lack something")
		}
	})
}

// TestHintFades: what was missing two days ago is not held against a step.
func TestHintFades(t *testing.T) {
	k := &keeper{kept: map[string]responsehub.Readiness{}}
	r := responsehub.Readiness{V: 1, Tenant: responsehub.TenantRef{ID: "t1"}, At: time.Now(), Checks: []responsehub.Check{{Name: "x", Grade: responsehub.CheckMissing, Step: "It lacks x.", Blocks: []responsehub.StepID{responsehub.Lock}}}}
	p := New(Config{Keeper: k})
	for _, tc := range []struct {
		age  time.Duration
		want string
	}{{time.Hour, "It lacks x."}, {48 * time.Hour, ""}} {
		r.At = time.Now().Add(-tc.age)
		k.kept["t1"] = r
		if _, _, err := p.Kept(t.Context(), "t1"); err != nil {
			t.Fatal(err)
		}
		if got := p.Lacks("t1", responsehub.Lock); got != tc.want {
			t.Errorf("after %s: %q, want %q", tc.age, got, tc.want)
		}
	}
}
