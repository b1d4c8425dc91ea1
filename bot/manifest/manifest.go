package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"unicode/utf8"
)

// App is what differs between two installations.
type App struct {
	BotID     string // the app registration's client id, a GUID; needed
	PublicURL string // address under which Teams reaches the hub; needed
	Name      string // at most 30 characters; empty: responsehub
	Developer string // who runs it, at most 32 characters; empty: the name
	Version   string // of the package, such as 1.0.1, to be raised with each upload; empty: 1.0.0
}

// schemaVersion is the version of the manifest's schema: the first with
// supportsChannelFeatures.
const schemaVersion = "1.25"

// Limits of the schema, in characters.
const (
	maxName      = 30
	maxDeveloper = 32
	maxAddress   = 2048
)

type document struct {
	Schema          string    `json:"$schema"`
	ManifestVersion string    `json:"manifestVersion"`
	Version         string    `json:"version"`
	ID              string    `json:"id"`
	Developer       developer `json:"developer"`
	Name            texts     `json:"name"`
	Description     texts     `json:"description"`
	Icons           icons     `json:"icons"`
	AccentColor     string    `json:"accentColor"`
	Bots            []bot     `json:"bots"`
	ValidDomains    []string  `json:"validDomains"`
	InstallScope    string    `json:"defaultInstallScope"`
	Group           group     `json:"defaultGroupCapability"`
	Channels        string    `json:"supportsChannelFeatures"`
}

type developer struct {
	Name    string `json:"name"`
	Website string `json:"websiteUrl"`
	Privacy string `json:"privacyUrl"`
	Terms   string `json:"termsOfUseUrl"`
}

type texts struct {
	Short string `json:"short"`
	Full  string `json:"full"`
}

type icons struct {
	Color   string `json:"color"`
	Outline string `json:"outline"`
}

type group struct {
	Team      string `json:"team"`
	GroupChat string `json:"groupchat"`
}

type bot struct {
	ID               string    `json:"botId"`
	Scopes           []string  `json:"scopes"`
	NotificationOnly bool      `json:"isNotificationOnly"` // true would keep commands and replies from the bot
	Files            bool      `json:"supportsFiles"`
	Commands         []command `json:"commandLists"`
}

type command struct {
	Scopes   []string `json:"scopes"`
	Commands []entry  `json:"commands"`
}

type entry struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

// Manifest returns manifest.json.
func (a App) Manifest() ([]byte, error) {
	host, err := a.check()
	if err != nil {
		return nil, err
	}
	name := cmp.Or(a.Name, defaultName)
	doc := document{
		Schema:          "https://developer.microsoft.com/json-schemas/teams/v" + schemaVersion + "/MicrosoftTeams.schema.json",
		ManifestVersion: schemaVersion, Version: cmp.Or(a.Version, "1.0.0"), ID: a.BotID,
		Developer:   developer{Name: cmp.Or(a.Developer, name), Website: a.PublicURL, Privacy: a.PublicURL, Terms: a.PublicURL},
		Name:        texts{Short: name, Full: name + wordsFullName},
		Description: texts{Short: wordsShort, Full: wordsFull},
		Icons:       icons{Color: colorFile, Outline: outlineFile}, AccentColor: accent,
		ValidDomains: []string{host}, InstallScope: "team", Group: group{Team: "bot", GroupChat: "bot"}, Channels: "tier1",
	}
	b := bot{ID: a.BotID}
	// One list for each scope.
	for _, scope := range []string{"team", "personal", "groupChat"} {
		b.Scopes = append(b.Scopes, scope)
		b.Commands = append(b.Commands, command{Scopes: []string{scope}, Commands: commands})
	}
	doc.Bots = []bot{b}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return out.Bytes(), nil
}

var (
	guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	// semver without what comes after the patch: the store of Teams takes only numbers.
	numbered = regexp.MustCompile(`^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}$`)
)

// check returns the hub's host and all faults at once.
func (a App) check() (host string, err error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !guid.MatchString(a.BotID) {
		fault("teams.app_id must be the bot's application (client) id, a GUID")
	}
	u, bad := url.Parse(a.PublicURL)
	switch {
	case a.PublicURL == "":
		fault("server.public_url is missing: Teams has to reach the hub at <public_url>/api/messages")
	case bad != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || len(a.PublicURL) > maxAddress:
		fault("server.public_url must be an address such as https://hub.example.com")
	default:
		host = u.Hostname()
	}
	if n := utf8.RuneCountInString(a.Name); n > maxName {
		fault("the name has %d characters; Teams takes %d", n, maxName)
	}
	if n := utf8.RuneCountInString(cmp.Or(a.Developer, a.Name)); n > maxDeveloper {
		fault("the developer's name has %d characters; Teams takes %d", n, maxDeveloper)
	}
	if a.Version != "" && !numbered.MatchString(a.Version) {
		fault("the version %q must be three numbers such as 1.0.1", a.Version)
	}
	return host, errors.Join(faults...)
}
