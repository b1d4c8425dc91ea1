package sim

import (
	"crypto/sha256"
	"encoding/hex"

	"responsehub/sim/openid"
)

// consoleClient is the hub's console at the identity provider.
const consoleClient = "responsehub-console"

// visitor is somebody who signs in to the console and is not in Teams.
type visitor struct {
	openid.Person
	role, tenant string
}

// visitors are an administrator, and a guest of the second customer.
var visitors = []visitor{
	{openid.Person{Key: "dana", Name: "Dana Reyes", ObjectID: "d0000000-0004-4004-8004-00000000000d", Mail: "dana@desk.example"}, "admin", "*"},
	{openid.Person{Key: "gil", Name: "Gil Ortiz", ObjectID: "90000000-0005-4005-8005-000000000009", Mail: "gil@fabrikam.example"}, "guest", "Fabrikam"},
}

func (w *World) openIDURL() string { return w.URL() + "/openid" }

// consoleSecret stays the same as long as the world is kept.
func (w *World) consoleSecret() string {
	sum := sha256.Sum256([]byte("console\x00" + w.secrets.hubKey))
	return hex.EncodeToString(sum[:16])
}

// signIn is the provider with which people sign in to the console. Mallory can sign in
// too; she is not on the hub's list.
func (w *World) signIn() openid.Config {
	cfg := openid.Config{Issuer: w.openIDURL(), ClientID: consoleClient, Secret: w.consoleSecret(), Back: w.opts.HubURL + "/sign-in/back"}
	for _, v := range visitors {
		cfg.People = append(cfg.People, v.Person)
	}
	for _, p := range Staff {
		cfg.People = append(cfg.People, openid.Person{Key: p.Key, Name: p.Name, ObjectID: p.EntraID, Mail: p.Mail})
	}
	return cfg
}
