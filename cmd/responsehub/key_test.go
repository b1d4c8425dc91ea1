package main

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/labstack/echo/v4"

	"responsehub"
	"responsehub/api"
	"responsehub/config"
	"responsehub/store"
)

// TestCreatedKeyOpensTheHub makes a key as an operator does, and uses it as a program
// does: the store and the API must agree on what a key is.
func TestCreatedKeyOpensTheHub(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	file := filepath.Join(t.TempDir(), "hub.yaml")
	text := `redis: {addrs: ["` + redis.Addr() + `"]}
secrets: {key: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
microsoft: {client_id: 11111111-1111-4111-8111-111111111111, client_secret: s}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	root := newRoot()
	root.SetArgs([]string{"key", "create", "--config", file, "--name", "backup", "--role", "reader"})
	root.SetOut(&out)
	root.SetErr(io.Discard)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	plain := strings.TrimSpace(out.String())

	cfg, _, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	rdb, err := store.Open(store.Config{Addrs: cfg.Redis.Addrs})
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	dir := store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
	if err := dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	hub, _, _ := newFakeHub()
	e := echo.New()
	a := api.New(api.Config{Key: cfg.Secrets.Bytes()}, hub, dir, slog.New(slog.DiscardHandler))
	a.Register(e)
	r := httptest.NewRequest("GET", "/v1/incidents", nil)
	r.Header.Set("Authorization", "Bearer "+plain)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("GET /v1/incidents with the new key = %d %s", w.Code, w.Body)
	}
	if actor, err := a.Identify(responsehub.Secret(plain)); err != nil || actor.Role != responsehub.Reader {
		t.Errorf("the key's actor = %+v, %v", actor, err)
	}
	for _, k := range redis.Keys() {
		dump, err := redis.HKeys(k)
		if err != nil {
			continue
		}
		for _, f := range dump {
			if strings.Contains(redis.HGet(k, f), plain[len(plain)-20:]) {
				t.Errorf("the secret part is stored in %s", k)
			}
		}
	}
}
