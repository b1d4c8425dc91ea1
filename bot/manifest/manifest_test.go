package manifest_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub/bot/manifest"
)

var app = manifest.App{BotID: "33333333-3333-4333-8333-333333333333", PublicURL: "https://hub.example.com:8443"}

// TestZip: three files at the top level, icons of the sizes that Teams takes, and the
// same bytes each time.
func TestZip(t *testing.T) {
	packed, err := app.Zip()
	if err != nil {
		t.Fatal(err)
	}
	again, err := app.Zip()
	if err != nil || !bytes.Equal(packed, again) {
		t.Errorf("the same app gave another package (%v)", err)
	}
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		want, icon := map[string]int{"color.png": 192, "outline.png": 32}[f.Name]
		if !icon {
			continue
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if s := img.Bounds().Size(); s.X != want || s.Y != want {
			t.Errorf("%s is of %v, want %d each way", f.Name, s, want)
		}
		solid, empty := 0, 0
		for y := range want {
			for x := range want {
				r, g, b, a := img.At(x, y).RGBA()
				switch {
				case a == 0:
					empty++
				case r == a && g == a && b == a:
					solid++
				case f.Name == "outline.png":
					t.Fatalf("outline.png is not white at %d,%d", x, y)
				}
			}
		}
		if f.Name == "color.png" && (empty > 0 || solid < 1000) {
			t.Errorf("color.png has %d empty points and %d white ones", empty, solid)
		}
		if f.Name == "outline.png" && (empty < 400 || solid < 100) {
			t.Errorf("outline.png has %d empty points and %d white ones", empty, solid)
		}
	}
	if d := cmp.Diff([]string{"manifest.json", "color.png", "outline.png"}, names); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

// TestManifest: the bot can be talked to in all three places, the hub's host is the only
// domain, and no list of commands breaks a rule of Teams.
func TestManifest(t *testing.T) {
	b, err := app.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		ManifestVersion string
		ID              string
		ValidDomains    []string
		Name            struct{ Short, Full string }
		Description     struct{ Short, Full string }
		Developer       struct{ Name, WebsiteURL, PrivacyURL, TermsOfUseURL string }
		Bots            []struct {
			BotID              string
			Scopes             []string
			IsNotificationOnly bool
			CommandLists       []struct {
				Scopes   []string
				Commands []struct{ Title, Description string }
			}
		}
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.ManifestVersion != "1.25" || m.ID != app.BotID || len(m.Bots) != 1 || m.Bots[0].BotID != app.BotID || m.Bots[0].IsNotificationOnly {
		t.Errorf("version, ids or bot are not as they should be:\n%s", b)
	}
	if d := cmp.Diff([]string{"hub.example.com"}, m.ValidDomains); d != "" {
		t.Errorf("domains (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"team", "personal", "groupChat"}, m.Bots[0].Scopes); d != "" {
		t.Errorf("scopes (-want +got):\n%s", d)
	}
	if len(m.Name.Short) > 30 || len(m.Name.Full) > 100 || len(m.Description.Short) > 80 || len(m.Description.Full) > 4000 {
		t.Errorf("a text is too long:\n%s", b)
	}
	if m.Developer.Name == "" || m.Developer.WebsiteURL == "" || m.Developer.PrivacyURL == "" || m.Developer.TermsOfUseURL == "" {
		t.Errorf("the developer lacks something:\n%s", b)
	}
	if len(m.Bots[0].CommandLists) > 3 {
		t.Errorf("%d lists of commands", len(m.Bots[0].CommandLists))
	}
	for _, list := range m.Bots[0].CommandLists {
		if len(list.Scopes) != 1 || len(list.Commands) == 0 || len(list.Commands) > 12 {
			t.Errorf("list for %v has %d commands", list.Scopes, len(list.Commands))
		}
		for _, c := range list.Commands {
			if c.Title == "" || len(c.Title) > 32 || c.Description == "" || len(c.Description) > 128 {
				t.Errorf("command %q: %q", c.Title, c.Description)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*manifest.App)
		want string
	}{
		{"no bot", func(a *manifest.App) { a.BotID = "" }, "teams.app_id"},
		{"a name for an id", func(a *manifest.App) { a.BotID = "my-bot" }, "teams.app_id"},
		{"no address", func(a *manifest.App) { a.PublicURL = "" }, "server.public_url is missing"},
		{"a host for an address", func(a *manifest.App) { a.PublicURL = "hub.example.com" }, "such as https://hub.example.com"},
		{"a password in the address", func(a *manifest.App) { a.PublicURL = "https://a:b@hub.example.com" }, "such as https://hub.example.com"},
		{"a long name", func(a *manifest.App) { a.Name = strings.Repeat("ä", 31) }, "the name has 31 characters; Teams takes 30"},
		{"a long developer", func(a *manifest.App) { a.Developer = strings.Repeat("ä", 33) }, "the developer's name has 33 characters"},
		{"a version that is none", func(a *manifest.App) { a.Version = "v1" }, "three numbers"},
	} {
		bad := app
		tc.edit(&bad)
		if _, err := bad.Zip(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	long := app
	long.Name, long.Developer, long.Version = strings.Repeat("ä", 30), strings.Repeat("ä", 32), "1.20.3"
	if _, err := long.Zip(); err != nil {
		t.Errorf("what just fits is refused: %v", err)
	}
}
