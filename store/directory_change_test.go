package store_test

import (
	"errors"
	"log/slog"
	"slices"
	"testing"

	"responsehub"
	"responsehub/store"
	"responsehub/store/storetest"
)

func TestTenantsAndPeopleAreChangedAndRemoved(t *testing.T) {
	rdb, _ := storetest.Mini(t)
	d := store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
	ctx := t.Context()
	const microsoft = "11111111-1111-4111-8111-111111111111"
	if err := d.Apply(ctx, []responsehub.Tenant{{ID: "contoso", Name: "Contoso", MicrosoftTenantID: microsoft}}, nil); err != nil {
		t.Fatal(err)
	}
	got, err := d.ChangeTenant(ctx, microsoft, func(t *responsehub.Tenant) error {
		t.ID, t.Name = "other", "Contoso Ltd"
		return nil
	})
	if err != nil || got.ID != "contoso" || got.Name != "Contoso Ltd" {
		t.Fatalf("changed to %+v (%v)", got, err)
	}
	refused := errors.New("refused")
	if _, err := d.ChangeTenant(ctx, "contoso", func(t *responsehub.Tenant) error { t.Name = "x"; return refused }); !errors.Is(err, refused) {
		t.Errorf("a refused edit answers %v", err)
	}
	if kept, _ := d.Tenant("contoso"); kept.Name != "Contoso Ltd" {
		t.Errorf("a refused edit was stored: %q", kept.Name)
	}
	if err := d.PutPerson(ctx, responsehub.Person{ID: "ann", Name: "Ann"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.RemovePerson(ctx, "ann"), d.RemoveTenant(ctx, "contoso")); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(d.People(), func(p responsehub.Person) bool { return p.ID == "ann" }) || len(d.Tenants()) != 0 {
		t.Error("what was removed is still there")
	}
	for what, err := range map[string]error{"tenant": d.RemoveTenant(ctx, "contoso"), "person": d.RemovePerson(ctx, "ann")} {
		if responsehub.KindOf(err) != responsehub.NotFound {
			t.Errorf("removing a %s that is not there: %v", what, err)
		}
	}
}
