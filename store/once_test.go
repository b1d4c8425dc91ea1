package store_test

import (
	"log/slog"
	"testing"
	"time"

	"responsehub"
	"responsehub/store"
	"responsehub/store/storetest"
)

func TestWhatIsUsedOnce(t *testing.T) {
	rdb, mini := storetest.Mini(t)
	s, ctx := store.New(rdb), t.Context()
	for _, token := range []string{"first", "old"} {
		if err := s.KeepOnce(ctx, token, []byte("Contoso"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if got, ok, err := s.TakeOnce(ctx, "first"); err != nil || !ok || string(got) != "Contoso" {
		t.Errorf("taken: %q %t %v", got, ok, err)
	}
	if _, ok, err := s.TakeOnce(ctx, "first"); err != nil || ok {
		t.Errorf("taken again: %t %v", ok, err)
	}
	mini.FastForward(time.Hour + time.Second)
	for _, token := range []string{"old", "never"} {
		if _, ok, err := s.TakeOnce(ctx, token); err != nil || ok {
			t.Errorf("%s: %t %v", token, ok, err)
		}
	}
}

func TestVisitorsAreForgotten(t *testing.T) {
	rdb, _ := storetest.Mini(t)
	s, ctx := store.NewSessions(rdb), t.Context()
	if err := s.PutVisitor(ctx, "zoe", []byte("reader"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := s.Visitor(ctx, "zoe"); err != nil || !ok || string(got) != "reader" {
		t.Errorf("%q %t %v", got, ok, err)
	}
	if err := s.DropVisitor(ctx, "zoe"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Visitor(ctx, "zoe"); err != nil || ok {
		t.Errorf("forgotten: %t %v", ok, err)
	}
}

func TestATenantIsAddedOnce(t *testing.T) {
	rdb, _ := storetest.Mini(t)
	d := store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
	ctx, ann := t.Context(), responsehub.By{ID: "person:ann", Name: "Ann"}
	added, err := d.AddTenant(ctx, ann, "consent", responsehub.Tenant{Name: "Contoso", MicrosoftTenantID: "AAAAAAAA-1111-4111-8111-111111111111"})
	if err != nil || added.ID != "aaaaaaaa-1111-4111-8111-111111111111" {
		t.Fatalf("%+v %v", added, err)
	}
	for name, other := range map[string]responsehub.Tenant{
		"the same Microsoft tenant": {Name: "Other", MicrosoftTenantID: "aaaaaaaa-1111-4111-8111-111111111111"},
		"the same name":             {Name: "contoso", MicrosoftTenantID: "bbbbbbbb-1111-4111-8111-111111111111"},
	} {
		if _, err := d.AddTenant(ctx, ann, "consent", other); responsehub.KindOf(err) != responsehub.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.Note(ctx, ann, responsehub.EventKeySignIn, "k1", "Signed in with a key"); err != nil {
		t.Fatal(err)
	}
	entries, err := d.Journal(ctx, 0, 10)
	if err != nil || len(entries) != 2 || len(d.Tenants()) != 1 {
		t.Fatalf("%d entries, %d tenants, %v", len(entries), len(d.Tenants()), err)
	}
	if err := responsehub.CheckChain(entries, responsehub.EventHash(entries[1])); err != nil {
		t.Error(err)
	}
	// The product without Response keeps the switch off.
	if _, err := d.ChangeTenant(ctx, ann, "product", added.ID, func(t *responsehub.Tenant) error { t.Product = responsehub.ProductNotify; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SetResponse(ctx, ann, added.ID, true); responsehub.KindOf(err) != responsehub.Refused {
		t.Errorf("Response without the product: %v", err)
	}
}
