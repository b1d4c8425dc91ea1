package store_test

import (
	"encoding/json"
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
	ctx, ann := t.Context(), responsehub.By{ID: "person:ann", Name: "Ann"}
	const microsoft = "11111111-1111-4111-8111-111111111111"
	if err := d.Apply(ctx, ann, []responsehub.Tenant{{ID: "contoso", Name: "Contoso", MicrosoftTenantID: microsoft}}, nil); err != nil {
		t.Fatal(err)
	}
	got, err := d.ChangeTenant(ctx, ann, "renamed", microsoft, func(t *responsehub.Tenant) error {
		t.ID, t.Name = "other", "Contoso Ltd"
		return nil
	})
	if err != nil || got.ID != "contoso" || got.Name != "Contoso Ltd" {
		t.Fatalf("changed to %+v (%v)", got, err)
	}
	refused := errors.New("refused")
	if _, err := d.ChangeTenant(ctx, ann, "renamed", "contoso", func(t *responsehub.Tenant) error { t.Name = "x"; return refused }); !errors.Is(err, refused) {
		t.Errorf("a refused edit answers %v", err)
	}
	if kept, _ := d.Tenant("contoso"); kept.Name != "Contoso Ltd" {
		t.Errorf("a refused edit was stored: %q", kept.Name)
	}
	if err := d.PutPerson(ctx, ann, responsehub.Person{ID: "ann", Name: "Ann"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.RemovePerson(ctx, ann, "ann"), d.RemoveTenant(ctx, ann, "contoso")); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(d.People(), func(p responsehub.Person) bool { return p.ID == "ann" }) || len(d.Tenants()) != 0 {
		t.Error("what was removed is still there")
	}
	for what, err := range map[string]error{"tenant": d.RemoveTenant(ctx, ann, "contoso"), "person": d.RemovePerson(ctx, ann, "ann")} {
		if responsehub.KindOf(err) != responsehub.NotFound {
			t.Errorf("removing a %s that is not there: %v", what, err)
		}
	}
	entries, err := d.Journal(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []responsehub.EventKind
	for _, b := range entries {
		var e responsehub.Event
		if err := json.Unmarshal(b, &e); err != nil || e.By != ann {
			t.Errorf("entry %s (%v)", b, err)
		}
		kinds = append(kinds, e.Kind)
	}
	want := []responsehub.EventKind{responsehub.EventTenantChanged, responsehub.EventTenantChanged, responsehub.EventPersonChanged, responsehub.EventPersonRemoved, responsehub.EventTenantRemoved}
	if !slices.Equal(kinds, want) {
		t.Errorf("the record says %v, want %v", kinds, want)
	}
	if err := responsehub.CheckChain(entries, responsehub.EventHash(entries[len(entries)-1])); err != nil {
		t.Error(err)
	}
}
