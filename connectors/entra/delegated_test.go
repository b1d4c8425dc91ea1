package entra

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
	pretend "responsehub/sim/login"
	world "responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// keptIn keeps sign-ins in memory.
type keptIn struct {
	mu sync.Mutex
	by map[string]responsehub.SignIn
}

func (k *keptIn) SignIn(_ context.Context, tenant string) (responsehub.SignIn, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.by[tenant]
	return s, ok, nil
}

func (k *keptIn) PutSignIn(_ context.Context, s responsehub.SignIn) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by[s.Tenant] = s
	return nil
}

func (k *keptIn) RenewSignIn(ctx context.Context, _, now responsehub.SignIn) error {
	return k.PutSignIn(ctx, now)
}

func (k *keptIn) DropSignIn(_ context.Context, tenant string) error {
	delete(k.by, tenant)
	return nil
}

// paperVault turns the secret round, so that the test can see that it was sealed for its tenant.
type paperVault struct{}

func (paperVault) Seal(s responsehub.Secret, bound string) []byte {
	return []byte(bound + "\n" + turned(string(s)))
}

func (paperVault) Open(box []byte, bound string) (responsehub.Secret, error) {
	of, s, _ := strings.Cut(string(box), "\n")
	if of != bound {
		return "", errors.New("does not open")
	}
	return responsehub.Secret(turned(s)), nil
}

func turned(s string) string {
	b := []byte(s)
	for i := range len(b) / 2 {
		b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
	}
	return string(b)
}

type signInStage struct {
	t      *testing.T
	world  *world.World
	scene  *world.Scene
	server *pretend.Server
	kept   *keptIn
	d      *Delegated
	tid    string
}

func signInWorld(t *testing.T) *signInStage {
	t.Helper()
	w := world.NewWorld()
	w.AddClient(world.Client{ID: clientID, Name: "ResponseHub", HomeTenant: "99999999-9999-4999-8999-999999999999", Secret: secret})
	scene := world.Takeover(w, 1)
	scene.Tenant.ConsentAll(clientID)
	server := pretend.New(w, wire.NewLog())
	ts := httptest.NewTLSServer(server)
	t.Cleanup(ts.Close)
	client := transport.Client(transport.Over(ts.Client().Transport))
	l, err := New(Config{ClientID: clientID, ClientSecret: secret, Authority: ts.URL}, client)
	if err != nil {
		t.Fatal(err)
	}
	kept := &keptIn{by: map[string]responsehub.SignIn{}}
	return &signInStage{t, w, scene, server, kept, l.Delegated(client, paperVault{}, kept), scene.Tenant.ID}
}

// signIn lets a person of the tenant sign in.
func (s *signInStage) signIn(upn string) (responsehub.SignIn, error) {
	return s.d.SignIn(s.t.Context(), s.tid, func(c responsehub.DeviceCode) {
		if !strings.HasPrefix(c.Address, "https://") || time.Until(c.Expires) < time.Minute {
			s.t.Errorf("the person is told %+v", c)
		}
		if err := s.server.Approve(c.Code, upn); err != nil {
			s.t.Error(err)
		}
	})
}

func TestSignIn(t *testing.T) {
	s := signInWorld(t)
	ctx := t.Context()
	if _, _, err := s.d.Token(ctx, s.tid); responsehub.KindOf(err) != responsehub.Refused || !strings.Contains(err.Error(), "responsehub tenant sign-in "+s.tid) {
		t.Errorf("before anybody signed in: %v", err)
	}
	admin := s.scene.Admin
	in, err := s.signIn(admin.UPN)
	if err != nil || in.Who != admin.UPN || in.Tenant != s.tid {
		t.Fatalf("%+v, %v", in, err)
	}
	token, _, err := s.d.Token(ctx, s.tid)
	if err != nil || !token.Rights.Any(DelegatedScope) || len(token.Rights.DirectoryRoles()) == 0 {
		t.Fatalf("%v, %+v", err, token.Rights)
	}
	if again, _, err := s.d.Token(ctx, s.tid); err != nil || again.Value != token.Value {
		t.Errorf("a token in memory was not used (%v)", err)
	}
	// Another process knows only what is kept. Each refresh seals what Microsoft gives anew.
	before := s.kept.by[s.tid]
	fresh, after, err := s.d.Check(ctx, s.tid)
	if err != nil || fresh.Value == token.Value {
		t.Fatalf("%v, the same token", err)
	}
	if string(after.Box) == string(before.Box) || string(s.kept.by[s.tid].Box) != string(after.Box) || !after.At.Equal(before.At) {
		t.Error("the new refresh token was not kept")
	}
	if !strings.HasPrefix(string(after.Box), "sign-in|"+s.tid) {
		t.Error("the refresh token is not sealed for its tenant")
	}
	if err := s.d.Forget(ctx, s.tid); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.d.Token(ctx, s.tid); responsehub.KindOf(err) != responsehub.Refused {
		t.Errorf("after it was forgotten: %v", err)
	}
}

// TestSignInIsOver: each way in which a sign-in ends says so, and what to run.
func TestSignInIsOver(t *testing.T) {
	for _, c := range []struct {
		name  string
		end   func(*signInStage)
		says  string
		kind  responsehub.Kind
		class Class
	}{
		{"not used for 90 days", func(s *signInStage) { s.scene.Tenant.AgeSignIns(91 * 24 * time.Hour) }, "AADSTS700082", responsehub.Forbidden, SignInLost},
		{"a new password", func(s *signInStage) {
			s.world.Lock()
			defer s.world.Unlock()
			s.scene.Admin.SessionsValidFrom = time.Now().Add(time.Hour)
		}, "AADSTS50173", responsehub.Forbidden, SignInLost},
		{"disabled", func(s *signInStage) {
			s.world.Lock()
			defer s.world.Unlock()
			world.SetEnabled(s.scene.Admin, false)
		}, "AADSTS50057", responsehub.Forbidden, SignInLost},
		{"not Microsoft's", func(s *signInStage) {
			in := s.kept.by[s.tid]
			in.Box = paperVault{}.Seal("nonsense", boundTo(s.tid))
			s.kept.by[s.tid] = in
		}, "AADSTS9002313", responsehub.Forbidden, SignInLost},
		{"another key", func(s *signInStage) {
			in := s.kept.by[s.tid]
			in.Box = []byte("other\nbox")
			s.kept.by[s.tid] = in
		}, "secrets.key is another one", responsehub.Forbidden, ""},
		{"consent withdrawn", func(s *signInStage) { s.scene.Tenant.WithdrawConsent(clientID) }, "has not given admin consent", responsehub.Forbidden, ConsentMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := signInWorld(t)
			if _, err := s.signIn(s.scene.Admin.UPN); err != nil {
				t.Fatal(err)
			}
			c.end(s)
			_, _, err := s.d.Check(t.Context(), s.tid)
			if err == nil || !strings.Contains(responsehub.Sentence(err), c.says) || responsehub.KindOf(err) != c.kind || ClassOf(err) != c.class {
				t.Errorf("%s %s: %v", responsehub.KindOf(err), ClassOf(err), err)
			}
			if c.class == SignInLost && !strings.Contains(responsehub.Sentence(err), "responsehub tenant sign-in") {
				t.Errorf("it does not say what to run: %v", err)
			}
		})
	}
}

func TestSignInThatIsNotMade(t *testing.T) {
	s := signInWorld(t)
	_, err := s.d.SignIn(t.Context(), s.tid, func(c responsehub.DeviceCode) {
		if err := s.server.Decline(c.Code); err != nil {
			t.Error(err)
		}
	})
	if responsehub.KindOf(err) != responsehub.Refused || !strings.Contains(responsehub.Sentence(err), "declined") {
		t.Errorf("declined: %v", err)
	}
	world.FindClient(s.world, clientID).NoPublicFlows = true
	if _, err := s.signIn(s.scene.Admin.UPN); !strings.Contains(responsehub.Sentence(err), "Allow public client flows") {
		t.Errorf("no public flows: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	world.FindClient(s.world, clientID).NoPublicFlows = false
	if _, err := s.d.SignIn(ctx, s.tid, func(responsehub.DeviceCode) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
	if len(s.kept.by) != 0 {
		t.Error("a sign-in was kept")
	}
}
