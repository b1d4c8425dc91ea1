package api_test

import (
	"fmt"
	"strings"
	"testing"

	"responsehub"
	"responsehub/api"
)

func TestNewKey(t *testing.T) {
	plain, key, err := api.NewKey(hashKey, "backup", responsehub.Reader, nil, opened)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(plain), "rh_"+key.ID+"_") || len(plain) < 60 {
		t.Errorf("key has the form %d characters, id %q", len(plain), key.ID)
	}
	if fmt.Sprint(plain) != "redacted" {
		t.Error("the key prints")
	}
	if strings.Contains(fmt.Sprintf("%+v", key), strings.Split(string(plain), "_")[2]) {
		t.Error("the secret part is stored")
	}
	if len(key.Tenants) != 1 || key.Tenants[0] != "*" || key.Role != responsehub.Reader || key.Name != "backup" || !key.Created.Equal(opened) {
		t.Errorf("key = %+v", key)
	}
	for name, make := range map[string]func() error{
		"guest":   func() error { _, _, err := api.NewKey(hashKey, "a", responsehub.Guest, nil, opened); return err },
		"no name": func() error { _, _, err := api.NewKey(hashKey, " ", responsehub.Admin, nil, opened); return err },
		"no key":  func() error { _, _, err := api.NewKey(nil, "a", responsehub.Admin, nil, opened); return err },
	} {
		if responsehub.KindOf(make()) != responsehub.Invalid {
			t.Errorf("%s: was accepted", name)
		}
	}
}

// TestOnlyTheWholeKeyOpens tries keys that are nearly right.
func TestOnlyTheWholeKeyOpens(t *testing.T) {
	h := newHub(t, api.Config{})
	good := h.keys["admin"]
	parts := strings.Split(good, "_")
	other := strings.Split(h.keys["reader"], "_")
	for name, token := range map[string]string{
		"cut":                  good[:len(good)-1],
		"longer":               good + "a",
		"another id":           "rh_" + other[1] + "_" + parts[2],
		"no secret":            "rh_" + parts[1] + "_",
		"no prefix":            parts[1] + "_" + parts[2],
		"the hash itself":      "rh_" + parts[1] + "_" + h.dir.keys[0].Hash,
		"cut bootstrap":        string(bootstrap[:len(bootstrap)-1]),
		"bootstrap in capital": strings.ToUpper(string(bootstrap)),
	} {
		if got := h.ask("", "GET", "/v1/tenants", "", "Authorization", "Bearer "+token); got.status != 401 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if actor, err := h.api.Identify(responsehub.Secret(good)); err != nil || actor.Name != "API key admin" {
		t.Errorf("Identify = %+v, %v", actor, err)
	}
	if _, err := h.api.Identify("rh_no_body"); responsehub.KindOf(err) != responsehub.Unauthorized {
		t.Errorf("Identify of an unknown key: %v", err)
	}
	if got := h.ask("", "GET", "/v1/tenants", "", "Authorization", "bearer "+good); got.status != 200 {
		t.Errorf("the key itself: %d", got.status)
	}
}
