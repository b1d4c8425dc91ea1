package config

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/intake"
)

// checker holds the rules between fields.
type checker struct {
	*reader
	cfg *Config
}

func (c *checker) all() {
	c.walk(reflect.ValueOf(c.cfg).Elem(), "", "")
	c.server()
	c.redis()
	c.secrets()
	c.sources()
	c.microsoft()
	c.mail()
	c.desks()
	c.outbound()
	c.people()
	c.schedules()
	c.tenants()
	c.fallback()
}

func (c *checker) server() {
	if c.cfg.Server.PublicURL != "" {
		return
	}
	if c.cfg.Twilio != nil || len(c.cfg.PSA) > 0 || c.cfg.Console.OIDC != nil {
		c.fault("server.public_url", "is needed: Twilio, ticket systems and sign-in to the console call it")
		return
	}
	c.warn("server.public_url", "is empty: notices will hold no links")
}

func (c *checker) redis() {
	r := c.cfg.Redis
	if r.Cluster && r.MasterName != "" {
		c.fault("redis.cluster", "cannot go with master_name: it is either a cluster or sentinels")
	}
	for i, a := range r.Addrs {
		if strings.HasPrefix(a, "unix:") && (r.Cluster || r.MasterName != "" || r.TLS || len(r.Addrs) > 1) {
			c.fault(fmt.Sprintf("redis.addrs[%d]", i), "cannot be a socket together with cluster, master_name, tls or other addresses")
		}
	}
	if len(r.Addrs) > 1 && !r.Cluster && r.MasterName == "" {
		c.fault("redis.addrs", "has several addresses: set cluster or master_name")
	}
}

func (c *checker) secrets() {
	key := string(c.cfg.Secrets.Key)
	if key == "" || key == unread {
		return
	}
	if _, ok := decodeKey(key); !ok {
		c.fault("secrets.key", "must be 32 bytes in base64; make one with: openssl rand -base64 32")
	}
}

func decodeKey(s string) ([]byte, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		b, err = base64.RawStdEncoding.DecodeString(s)
	}
	return b, err == nil && len(b) == 32
}

// Bytes returns the 32 bytes of the key. It panics on a config that was not checked.
func (s Secrets) Bytes() []byte {
	b, ok := decodeKey(string(s.Key))
	if !ok {
		panic("config: secrets.key was not checked")
	}
	return b
}

// leastPoll leaves room below Petra's ten requests a minute for doctor and a restart.
const leastPoll = 10 * time.Second

func (c *checker) sources() {
	if len(c.cfg.Sources) == 0 {
		c.warn("sources", "is empty: no alert can come in")
	}
	names := unique{}
	for i, s := range c.cfg.Sources {
		at := fmt.Sprintf("sources[%d]", i)
		c.once(names, s.Name, at+".name")
		switch s.Kind {
		case string(intake.StandardWebhooks):
			c.signed(s, at)
		case string(intake.Header):
			c.header(s, at)
		}
		if s.Poll != nil && s.Poll.Every < leastPoll {
			c.fault(at+".poll.every", "must be at least %s: the source allows ten requests a minute", leastPoll)
		}
		if len(s.Map) == 0 {
			continue
		}
		for _, f := range intake.CheckMap(s.Map) {
			path := at + ".map"
			if f.Key != "" {
				path += "." + f.Key
			}
			c.fault(path, "%s", f.Message)
		}
	}
}

func (c *checker) signed(s Source, at string) {
	if s.Header != "" || s.Token != "" {
		c.fault(at, "has header or token, which are for kind header")
	}
	if len(s.Secrets) == 0 {
		c.fault(at+".secrets", "is needed")
	}
	for n, secret := range s.Secrets {
		if secret == unread {
			continue
		}
		if err := intake.CheckSecret(secret); err != nil {
			c.fault(fmt.Sprintf("%s.secrets[%d]", at, n), "%s", err)
		}
	}
}

func (c *checker) header(s Source, at string) {
	if len(s.Secrets) > 0 {
		c.fault(at+".secrets", "is for kind standard-webhooks")
	}
	switch {
	case s.Header == "":
		c.fault(at+".header", "is needed")
	case s.Header != unread && !intake.IsHeaderName(s.Header):
		c.fault(at+".header", "cannot be the name of a header")
	}
	switch {
	case s.Token == "":
		c.fault(at+".token", "is needed")
	case s.Token != unread && len(s.Token) < 16:
		c.warn(at+".token", "is short; 32 random characters cannot be guessed")
	}
}

func (c *checker) microsoft() {
	m := c.cfg.Microsoft
	switch {
	case m.ClientSecret == "" && m.Certificate == "":
		c.fault("microsoft", "needs client_secret or certificate")
	case m.ClientSecret != "" && m.Certificate != "":
		c.fault("microsoft", "has both client_secret and certificate; one is enough")
	}
	if m.Certificate == "" || m.Certificate == unread {
		return
	}
	if kinds := pemKinds([]byte(m.Certificate)); !slices.Contains(kinds, "CERTIFICATE") || !slices.ContainsFunc(kinds, func(k string) bool { return strings.HasSuffix(k, "PRIVATE KEY") }) {
		c.fault("microsoft.certificate", "must be PEM with the certificate and its private key")
	}
}

func pemKinds(b []byte) []string {
	var kinds []string
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			return kinds
		}
		kinds, b = append(kinds, block.Type), rest
	}
}

func (c *checker) mail() {
	if c.cfg.Mail == nil || c.cfg.Mail.SMTP == "" || c.cfg.Mail.SMTP == unread {
		return
	}
	u, err := url.Parse(string(c.cfg.Mail.SMTP))
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		// Not url.Parse's words: they quote the password.
		c.fault("mail.smtp", "must be smtp://user:password@host:587 or smtps://user:password@host:465, with special characters as %%XX")
	}
}

// deskKeys are the keys of each kind of ticket system besides those of all; true: needed.
var deskKeys = map[string]map[string]bool{
	"connectwise": {"site": true, "company": true, "public_key": true, "private_key": true, "client_id": true, "board": true, "source": false},
	"autotask":    {"zone_url": true, "username": true, "secret": true, "integration_code": true, "queue": true, "source": false, "calls_per_hour": false},
	"halopsa":     {"url": true, "client_id": true, "client_secret": true, "team": false, "auth_url": false, "tenant": false},
}

// commonKeys are the keys of every kind.
var commonKeys = []string{"name", "kind", "statuses", "catch_all_company", "priorities", "type", "publish", "reopen_days", "acknowledge_on", "close_on_ticket_close"}

func (c *checker) desks() {
	names := unique{}
	for i, p := range c.cfg.PSA {
		at := fmt.Sprintf("psa[%d]", i)
		c.once(names, p.Name, at+".name")
		keys, known := deskKeys[p.Kind]
		if !known {
			continue
		}
		v := reflect.ValueOf(p)
		for f := range v.Type().Fields() {
			key := f.Tag.Get("yaml")
			needed, own := keys[key]
			common := slices.Contains(commonKeys, key)
			switch empty := v.FieldByIndex(f.Index).IsZero(); {
			case needed && empty && !c.faulty(at+"."+key):
				c.fault(at+"."+key, "is needed for kind %s", p.Kind)
			case !own && !common && !empty:
				c.fault(at+"."+key, "is not a key of kind %s", p.Kind)
			}
		}
		for _, severity := range slices.Sorted(maps.Keys(p.Priorities)) {
			if !slices.Contains(responsehub.Severities, responsehub.Severity(severity)) {
				c.fault(at+".priorities."+severity, "is no severity; they are critical, high, medium and low")
			}
		}
		if n := p.CallsPerHour; n > 0 && n < 100 {
			c.fault(at+".calls_per_hour", "must be 100 at least, or 0 for 1000: a ticket takes about fifteen calls")
		}
		if p.Publish == "public" {
			c.warn(at+".publish", "is public: customers, and so perhaps the attacker in the mailbox, read the hub's notes")
		}
	}
}

func (c *checker) outbound() {
	name := c.cfg.Outbound.CAFile
	if name == "" || name == unread {
		return
	}
	b, err := readSmall(name)
	if err != nil {
		c.fault("outbound.ca_file", "cannot be read: %s", err)
		return
	}
	if !slices.Contains(pemKinds(b), "CERTIFICATE") {
		c.fault("outbound.ca_file", "holds no certificate in PEM")
	}
}

// unique remembers where a name stands first.
type unique map[string]string

// once faults a name that stands there already. Case does not make names differ.
func (c *checker) once(seen unique, name, path string) {
	if name == "" || name == unread {
		return
	}
	folded := strings.ToLower(name)
	if first, twice := seen[folded]; twice {
		c.fault(path, "stands there twice; first on line %d", c.line(first))
		return
	}
	seen[folded] = path
}
