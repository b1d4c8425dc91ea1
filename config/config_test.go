package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/intake"
)

const key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// environment holds every variable that the example names.
func environment(extra ...string) func(string) (string, bool) {
	env := map[string]string{"RESPONSEHUB_KEY": key, "PETRA_SECRET": "whsec_" + key, "CUSTOM_TOKEN": "0123456789abcdef0123", "SLACK_URL": "https://hooks.slack.com/services/T/B/x"}
	for _, name := range []string{"PETRA_API_KEY", "MICROSOFT_SECRET", "TEAMS_SECRET", "TWILIO_SECRET", "TWILIO_TOKEN", "CW_PRIVATE_KEY", "AT_SECRET", "AT_CODE", "HALO_SECRET", "SMTP_PASSWORD", "OIDC_SECRET"} {
		env[name] = "hush-" + name
		if name == "TWILIO_SECRET" {
			env[name] = "hushTWILIOSECRET" // letters and digits only
		}
	}
	for i := 0; i+1 < len(extra); i += 2 {
		env[extra[i]] = extra[i+1]
	}
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// awake is the example with its options at rest taken into use.
func awake() string {
	return regexp.MustCompile(`(?m)^#((?:  )*(?:- )?[a-z_]+:)`).ReplaceAllString(Example(), "$1")
}

func texts(faults []Fault) []string {
	var out []string
	for _, f := range faults {
		out = append(out, strings.TrimPrefix(f.Error(), f.File+":"))
	}
	return out
}

func TestTheExamplePasses(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string // warnings, without their line
	}{
		"as it is":               {Example(), []string{"fallback: warning: is empty: nobody is told about alerts for unknown tenants"}},
		"with everything in use": {awake(), []string{"fallback: warning: is empty: nobody is told about alerts for unknown tenants"}},
	} {
		_, faults, err := Parse("hub.yaml", []byte(tc.text), environment())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, f := range faults {
			got = append(got, strings.TrimPrefix(f.Error(), "hub.yaml:"+strconv.Itoa(f.Line)+": "))
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s: faults (-want +got):\n%s", name, d)
		}
	}
}

const minimal = `
server: {public_url: "http://127.0.0.1:8080"}
secrets: {key: "${RESPONSEHUB_KEY}"}
sources: [{name: petra, kind: standard-webhooks, secrets: ["${PETRA_SECRET}"]}]
microsoft: {client_id: 00000000-0000-4000-8000-000000000001, client_secret: s}
`

func TestFaultsAreAllFoundWithTheirLines(t *testing.T) {
	base := strings.TrimPrefix(minimal, "\n")
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"unknown key":     {base + "sever: {}\n", []string{"5: sever: is not known here; the keys are server, redis, secrets, sources, microsoft, teams, twilio, psa, mail, console, brand, subscription, outbound, people, schedules, tenants, fallback"}},
		"twice":           {base + "redis: {tls: true,\n  tls: false}\n", []string{"6: redis.tls: stands there twice"}},
		"section is text": {base + "redis: hello\n", []string{"5: redis: must be a section with keys"}},
		"wrong types":     {base + "redis:\n  tls: maybe\n  addrs: x\n  username: true\n  password: [x]\n", []string{"6: redis.tls: must be true or false", "7: redis.addrs: must be a list", "8: redis.username: must be a text; put it in quotes", "9: redis.password: must be a text; put it in quotes"}},
		"several at once": {"server: {public_url: 'http://example.com'}\nredis: {addrs: ['nowhere']}\nsecrets: {key: 'c2hvcnQ='}\n", []string{
			"1: server.public_url: must be https; http is for loopback addresses only",
			"1: microsoft.client_id: is needed", "1: sources: warning: is empty: no alert can come in", "1: microsoft: needs client_secret or certificate", "2: redis.addrs[0]: must be host:port or unix:///path", "3: secrets.key: must be 32 bytes in base64; make one with: openssl rand -base64 32"}},
		"missing variable":    {strings.Replace(base, "client_secret: s", "client_secret: '${NOT_SET}'", 1), []string{"4: microsoft.client_secret: needs the environment variable NOT_SET, which is not set"}},
		"misspelt variable":   {strings.Replace(base, "client_secret: s", "client_secret: '${NOT SET}'", 1), []string{"4: microsoft.client_secret: has a ${ that is not ${NAME}; write $${ for the characters themselves"}},
		"missing file":        {strings.Replace(base, "client_secret: s", "client_secret: 'file:/nowhere/x'", 1), []string{"4: microsoft.client_secret: cannot be read: open /nowhere/x: no such file or directory"}},
		"relative file":       {strings.Replace(base, "client_secret: s", "client_secret: 'file:x'", 1), []string{"4: microsoft.client_secret: must name its file with the whole path, file:/path"}},
		"both credentials":    {strings.Replace(base, "client_secret: s", "client_secret: s, certificate: c", 1), []string{"4: microsoft: has both client_secret and certificate; one is enough", "4: microsoft.certificate: must be PEM with the certificate and its private key"}},
		"authority by http":   {strings.Replace(base, "client_secret: s", "client_secret: s, authority: 'http://127.0.0.1:1'", 1), []string{"4: microsoft.authority: must be https, on loopback too"}},
		"authority with path": {strings.Replace(base, "client_secret: s", "client_secret: s, authority: 'https://127.0.0.1:1/x'", 1), []string{"4: microsoft.authority: must not have a path: the sign-in library drops it"}},
		"password in address": {strings.Replace(base, "client_secret: s", "client_secret: s, graph: 'https://u:hush@x.example'", 1), []string{"4: microsoft.graph: must not hold a user or password"}},
		"teams without app":   {base + "teams: {app_id: ''}\n", []string{"5: teams.app_id: is needed", "5: teams.tenant_id: is needed", "5: teams.client_secret: is needed"}},
		"twilio's own words": {base + "twilio: {account_sid: AC1, api_key: x,\n api_secret: 'se-cret', auth_tokens: [],\n from: '0612345678', messaging_service_sid: y, calls_per_second: 0}\n", []string{
			"5: twilio.account_sid: must be an account SID: AC and 32 letters and digits", "5: twilio.api_key: must be the SID of an API key: SK and 32 letters and digits",
			"6: twilio.api_secret: must be letters and digits only, as Twilio gives it", "6: twilio.auth_tokens: is needed",
			"7: twilio.calls_per_second: must be a whole number from 1 to 1000", "7: twilio.from: must be a number in E.164, such as +31612345678", "7: twilio.messaging_service_sid: must be the SID of a messaging service: MG and 32 letters and digits"}},
		"teams with host:port": {base + "teams: {app_id: 00000000-0000-4000-8000-000000000001, tenant_id: x, client_secret: s, service_hosts: ['h:1']}\n", []string{"5: teams.tenant_id: must be a GUID", "5: teams.service_hosts[0]: must be a host without scheme, port or path"}},
		"secret not base64":    {strings.Replace(base, "${PETRA_SECRET}", "whsec_!", 1), []string{"3: sources[0].secrets[0]: is not a Standard Webhooks secret: whsec_ and base64 of 24 to 64 bytes"}},
		"secret empty key":     {strings.Replace(base, "${PETRA_SECRET}", "whsec_", 1), []string{"3: sources[0].secrets[0]: is a key of 0 bytes; at least 16 are needed, 24 are advised"}},
		"header without token": {strings.Replace(base, "kind: standard-webhooks, secrets: [\"${PETRA_SECRET}\"]", "kind: header", 1), []string{"3: sources[0].header: is needed", "3: sources[0].token: is needed"}},
		"mapping":              {strings.Replace(base, "kind: standard-webhooks,", "kind: standard-webhooks, map: {id: '.[', nope: '.x', user: '.u'},", 1), []string{"3: sources[0].map.id: is not a jq expression: unexpected EOF", "3: sources[0].map.nope: is not a field of an alert; the fields are " + strings.Join(intake.MapKeys(), ", "), "3: sources[0].map: needs tenant or tenant.microsoft_tenant_id or tenant.source_tenant_id"}},
		"product": {base + "tenants:\n - {name: A, microsoft_tenant_id: 11111111-1111-4111-8111-111111111111, product: gold, notify: {slack: ['https://x.example']}}\n - {name: B, microsoft_tenant_id: 11111111-1111-4111-8111-111111111112, product: notify, response: true, notify: {slack: ['https://x.example']}}\n", []string{
			"6: tenants[0].product: must be one of response, notify", "7: tenants[1].response: is not part of the product notify: nothing runs by itself with it"}},
		"source twice": {base + "psa: []\n" + strings.Replace("sources2: x\n", "sources2: x\n", "", 1) + "tenants: [{name: A, microsoft_tenant_id: 11111111-1111-4111-8111-111111111111, notify: {mail: [a@b.example]}},\n {name: a, microsoft_tenant_id: 11111111-1111-4111-8111-111111111112, source_ids: {nobody: x}, notify: {mail: [nonsense]}}]\nmail: {smtp: 'smtp://u:hush%@h:1', from: a@b.example}\n", []string{
			"7: tenants[1].notify.mail[0]: must be a mail address", "7: tenants[1].name: stands there twice; first on line 6", "7: tenants[1].source_ids.nobody: names no source of this file",
			"8: mail.smtp: must be smtp://user:password@host:587 or smtps://user:password@host:465, with special characters as %XX"}},
		"people": {base + "people:\n - {id: ann, name: Ann, role: boss, tenants: ['*'], phone: 0612}\n - {id: Ann, name: Ann, role: guest, tenants: ['*', Nowhere]}\n - {name: X, role: reader}\n", []string{
			"6: people[0].phone: must be a number in E.164, such as +31612345678", "6: people[0].role: must be one of admin, responder, reader, guest",
			"7: people[1].id: stands there twice; first on line 6", "7: people[1].tenants[0]: must name tenants: a guest never sees all", "7: people[1].tenants[1]: warning: names no tenant of this file",
			"8: people[2].id: is needed", `8: people[2].tenants: warning: is empty: the person sees no tenant; write ["*"] for all`}},
		"sequence": {base + "people: [{id: bob, name: Bob, role: reader, tenants: ['*']}]\ntenants:\n - name: A\n   microsoft_tenant_id: 11111111-1111-4111-8111-111111111111\n   notify:\n     phone:\n       sequence: [ann, bob]\n       wait: soon\n       rounds: 0\n     psa: {connection: cw}\n     teams: ['x']\n", []string{
			"11: tenants[0].notify.phone.sequence: warning: cannot be called: there is no twilio section",
			"11: tenants[0].notify.phone.sequence[0]: names nobody under people", "11: tenants[0].notify.phone.sequence[1]: names a person without a phone",
			"12: tenants[0].notify.phone.wait: must be a time span such as 90s or 3m", "13: tenants[0].notify.phone.rounds: must be a whole number from 1 to 1000",
			"14: tenants[0].notify.psa.connection: names no connection under psa",
			"15: tenants[0].notify.teams[0]: must be a channel id, 19:...@thread.tacv2, without ;messageid=", "15: tenants[0].notify.teams: warning: cannot be posted to: there is no teams section"}},
		"guards": {base + "tenants:\n - name: A\n   microsoft_tenant_id: 11111111-1111-4111-8111-111111111111\n   notify: {slack: ['https://x.example']}\n   password_mode: writeback\n   limits: {automatic_locks_per_hour: -1}\n   break_glass: [admins]\n   second_person_for: [admins, 'a b@c']\n - name: B\n   microsoft_tenant_id: 11111111-1111-4111-8111-111111111112\n   notify: {slack: ['https://x.example']}\n   password_mode: maybe\n", []string{
			"10: tenants[0].limits.automatic_locks_per_hour: must be a whole number from 0 to 1000",
			"11: tenants[0].break_glass[0]: must be a principal name (pat@contoso.com) or an object id",
			"12: tenants[0].second_person_for[1]: must be a principal name (pat@contoso.com) or an object id",
			"16: tenants[1].password_mode: must be cloud, writeback or manual"}},
		"nobody told": {base + "tenants: [{name: A, microsoft_tenant_id: 11111111-1111-4111-8111-111111111111}]\n", []string{"5: tenants[0].notify: warning: is empty: nobody is told about this tenant's incidents"}},
		"psa": {base + "psa:\n - {name: at, kind: autotask, zone_url: 'https://x.example', username: u, secret: s, integration_code: i, queue: q, board: b}\n - {name: cw, kind: connectwise}\n - {name: j, kind: jira}\n", []string{
			"6: psa[0].board: is not a key of kind autotask", "7: psa[1].site: is needed for kind connectwise", "7: psa[1].company: is needed for kind connectwise",
			"7: psa[1].public_key: is needed for kind connectwise", "7: psa[1].private_key: is needed for kind connectwise", "7: psa[1].client_id: is needed for kind connectwise",
			"7: psa[1].board: is needed for kind connectwise", "8: psa[2].kind: must be one of connectwise, autotask, halopsa"}},
		"several desks": {base + "psa:\n - {name: a, kind: halopsa, url: 'https://x.example', client_id: c, client_secret: s, catch_all_company: All}\n - {name: b, kind: halopsa, url: 'https://y.example', client_id: c, client_secret: s}\ntenants:\n - name: A\n   microsoft_tenant_id: 11111111-1111-4111-8111-111111111111\n   notify:\n     psa:\n       - {connection: a}\n       - {connection: b}\n       - {connection: A, company: X}\n       - {company: Y}\n", []string{
			"14: tenants[0].notify.psa[1].company: is needed: the connection has no catch_all_company",
			"15: tenants[0].notify.psa[2].connection: stands there twice; first on line 13", "15: tenants[0].notify.psa[2].connection: names no connection under psa", "16: tenants[0].notify.psa[3].connection: is needed"}},
		"psa halo": {base + "psa:\n - name: halo\n   kind: halopsa\n   url: 'https://x.example'\n   client_id: c\n   client_secret: s\n   tenant: msp\n   auth_url: 'http://auth.example/auth'\n   source: Alert\n - {name: cw, kind: connectwise, site: 'https://x.example', company: c, public_key: p, private_key: p, client_id: c, board: b, source: Alert, auth_url: 'https://x.example'}\n", []string{
			"12: psa[0].auth_url: must be https; http is for loopback addresses only", "13: psa[0].source: is not a key of kind halopsa", "14: psa[1].auth_url: is not a key of kind connectwise"}},
		"psa words": {base + "psa:\n - {name: at, kind: autotask, zone_url: 'https://x.example', username: u, secret: s, integration_code: i, queue: q, publish: all, acknowledge_on: call, reopen_days: -1, calls_per_hour: 9000, priorities: {urgent: P1}}\n - {name: bt, kind: autotask, zone_url: 'https://x.example', username: u, secret: s, integration_code: i, queue: q, calls_per_hour: 20}\n - {name: halo, kind: halopsa, url: 'https://x.example', client_id: c, client_secret: s, calls_per_hour: 200}\n", []string{
			"6: psa[0].calls_per_hour: must be a whole number from 0 to 5000", "6: psa[0].reopen_days: must be a whole number from 0 to 1000", "6: psa[0].publish: must be one of internal, public", "6: psa[0].acknowledge_on: must be one of assignment, status",
			"6: psa[0].priorities.urgent: is no severity; they are critical, high, medium and low", "7: psa[1].calls_per_hour: must be 100 at least, or 0 for 1000: a ticket takes about fifteen calls",
			"8: psa[2].calls_per_hour: is not a key of kind halopsa"}},
		"trial":         {base + "tenants: [{name: A, microsoft_tenant_id: 11111111-1111-4111-8111-111111111111, trial: {ends: tomorrow}, notify: {webhooks: ['http://x.example/hush']}}]\n", []string{"5: tenants[0].trial.ends: must be a day such as 2027-01-31, or a time in RFC 3339", "5: tenants[0].notify.webhooks[0]: must be https; http is for loopback addresses only"}},
		"not yaml":      {base + "  x: [\n", []string{"4: is not valid YAML: did not find expected key"}},
		"two documents": {base + "---\nserver: {}\n", []string{" has more than one document; put everything into one"}},
		"not a mapping": {"- x\n", []string{"1: must be a section with keys", "1: secrets.key: is needed", "1: microsoft.client_id: is needed",
			"1: server.public_url: warning: is empty: notices will hold no links", "1: sources: warning: is empty: no alert can come in", "1: microsoft: needs client_secret or certificate"}},
		"laughs":           {base + "redis: &a {<<: [*b, *b]}\nserver2: &b {<<: *a}\n", []string{" is not valid YAML: unknown anchor 'b' referenced"}},
		"laughs at itself": {base + "redis: &a {<<: *a}\n", []string{"5: redis: unfolds into too much: its anchors refer to each other"}},
		"sockets":          {strings.Replace(base, "secrets:", "redis: {addrs: ['unix:///run/redis', 'h:1'], cluster: true, master_name: m}\nsecrets:", 1), []string{"2: redis.cluster: cannot go with master_name: it is either a cluster or sentinels", "2: redis.addrs[0]: cannot be a socket together with cluster, master_name, tls or other addresses"}},
		"link needed":      {strings.Replace(base, "server: {public_url: \"http://127.0.0.1:8080\"}", "console: {oidc: {issuer: 'https://x.example', client_id: c, client_secret: s}}", 1), []string{"1: server.public_url: is needed: Twilio, ticket systems and sign-in to the console call it"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults, err := Parse("f", []byte(tc.text), environment())
			var got []string
			for _, s := range texts(faults) {
				if !strings.HasSuffix(s, "fallback: warning: is empty: nobody is told about alerts for unknown tenants") {
					got = append(got, s)
				}
			}
			if err == nil && !strings.Contains(strings.Join(got, ""), "warning") {
				t.Error("no error")
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("faults (-want +got):\n%s", d)
			}
			if strings.Contains(strings.Join(got, "\n"), "hush") {
				t.Errorf("a secret stands in %q", got)
			}
		})
	}
}

func TestValuesComeFromEnvironmentAndFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := minimal + "redis: {password: 'file:" + file + "', username: 'a$${b}', addrs: [x:1]}\nmail: {smtp: 'smtp://u:${SMTP_PASSWORD}@h:587', from: h@x.example}\n"
	cfg, _, err := Parse("", []byte(text), environment(
		"RESPONSEHUB_REDIS_TLS", "true", "RESPONSEHUB_REDIS_ADDRS", "a:1, b:2", "RESPONSEHUB_REDIS_CLUSTER", "true",
		"RESPONSEHUB_CONSOLE_OIDC_ISSUER", "https://issuer.example", "RESPONSEHUB_CONSOLE_OIDC_CLIENT_ID", "hub", "RESPONSEHUB_CONSOLE_OIDC_CLIENT_SECRET", "file:"+file,
		"RESPONSEHUB_MICROSOFT_GRAPH", "https://graph.microsoft.us", "RESPONSEHUB_SERVER_ADMIN_LISTEN", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := Redis{Addrs: []string{"a:1", "b:2"}, Cluster: true, TLS: true, Username: "a${b}", Password: "from-file"}
	if d := cmp.Diff(want, cfg.Redis, shown); d != "" {
		t.Error(d)
	}
	if cfg.Console.OIDC == nil || cfg.Console.OIDC.ClientSecret != "from-file" || cfg.Microsoft.Graph != "https://graph.microsoft.us" || cfg.Server.AdminListen != "" {
		t.Errorf("%+v", cfg)
	}
	if cfg.Teams != nil || cfg.Twilio != nil {
		t.Error("a section appeared without a key of it")
	}
	if cfg.Mail.SMTP != "smtp://u:hush-SMTP_PASSWORD@h:587" {
		t.Error("the variable inside the address was not read")
	}
	_, faults, err := Parse("f", []byte(minimal), environment("RESPONSEHUB_REDIS_TLS", "maybe", "RESPONSEHUB_TEAMS_APP_ID", "x"))
	if err == nil || !strings.Contains(err.Error(), "redis.tls: must be true or false (set by RESPONSEHUB_REDIS_TLS)") {
		t.Errorf("%v %v", faults, err)
	}
}

// shown lets go-cmp compare secrets as texts.
var shown = cmp.Comparer(func(a, b responsehub.Secret) bool { return string(a) == string(b) })

func TestAnchorsAndMergesWork(t *testing.T) {
	text := minimal + `
people: [{id: ann, name: Ann, role: admin, phone: +31612345678, tenants: ["*"]}]
tenants:
  - &first
    name: A
    microsoft_tenant_id: 11111111-1111-4111-8111-111111111111
    response: true
    notify: {phone: {sequence: [ann], wait: 90s}, slack: ["https://hooks.example/x"]}
    trial: {ends: 2027-01-31}
  - <<: *first
    name: "Ä & B"
    microsoft_tenant_id: 11111111-1111-4111-8111-AAAAAAAAAAAA
  - <<: *first
    name: "a!"
    microsoft_tenant_id: 11111111-1111-4111-8111-111111111113
`
	cfg, _, err := Parse("", []byte(text), environment())
	if err != nil {
		t.Fatal(err)
	}
	tenants, people := cfg.TenantsAndPeople()
	notify := responsehub.Notify{Phone: &responsehub.OnCall{Sequence: []string{"ann"}, Wait: 90 * time.Second, Rounds: 3}, Slack: []string{"https://hooks.example/x"}}
	ends := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	want := []responsehub.Tenant{
		{V: 1, ID: "a", Name: "A", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111", Response: true, Notify: notify, TrialEnds: ends},
		{V: 1, ID: "b", Name: "Ä & B", MicrosoftTenantID: "11111111-1111-4111-8111-aaaaaaaaaaaa", Response: true, Notify: notify, TrialEnds: ends},
		{V: 1, ID: "a-11111111-1111-4111-8111-111111111113", Name: "a!", MicrosoftTenantID: "11111111-1111-4111-8111-111111111113", Response: true, Notify: notify, TrialEnds: ends},
	}
	if d := cmp.Diff(want, tenants); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]responsehub.Person{{V: 1, ID: "ann", Name: "Ann", Role: responsehub.Admin, Phone: "+31612345678", Tenants: []string{"*"}}}, people); d != "" {
		t.Error(d)
	}
	if n := len(cfg.Secrets.Bytes()); n != 32 {
		t.Errorf("key has %d bytes", n)
	}
}

// TestGuardsReachTheTenant: what is left out stays out of the store, what is said is kept,
// a limit of none too.
func TestGuardsReachTheTenant(t *testing.T) {
	tenant := func(more string) responsehub.Tenant {
		cfg, faults, _ := Parse("f", []byte(minimal+"tenants:\n - name: A\n   microsoft_tenant_id: 11111111-1111-4111-8111-111111111111\n   notify: {slack: ['https://x.example']}\n"+more), environment())
		if slices.ContainsFunc(faults, func(f Fault) bool { return !f.Warning }) {
			t.Fatalf("%q: %v", more, faults)
		}
		tenants, _ := cfg.TenantsAndPeople()
		return tenants[0]
	}
	if got := tenant(""); got.PasswordMode != "" || got.Limits.AutomaticLocksPerHour != nil || got.LocksPerHour() != 20 {
		t.Errorf("without guards: %+v", got)
	}
	if got := tenant("   product: notify\n"); got.Product != responsehub.ProductNotify || tenant("").Product != "" {
		t.Errorf("product: %+v", got)
	}
	got := tenant("   password_mode: manual\n   limits: {automatic_locks_per_hour: 0}\n   break_glass: [root@a.example]\n   second_person_for: [admins]\n")
	if got.PasswordMode != responsehub.PasswordManual || got.LocksPerHour() != 0 || len(got.BreakGlass) != 1 || !got.AsksForAdmins() {
		t.Errorf("with guards: %+v", got)
	}
}

func TestLoadReadsAFile(t *testing.T) {
	t.Setenv("RESPONSEHUB_KEY", key)
	t.Setenv("PETRA_SECRET", "whsec_"+key)
	file := filepath.Join(t.TempDir(), "hub.yaml")
	if err := os.WriteFile(file, []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(file); err != nil {
		t.Error(err)
	}
	if _, _, err := Load(file + ".not"); err == nil {
		t.Error("a missing file was loaded")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{Example(), awake(), minimal, "a: &a [*a]", "a: &a {b: *a}\n<<: *a", "? [x]\n: y", "redis: &r {<<: *r}", "tenants: [{notify: {phone: {wait: 1s}}}]", "\x00", "---\n---\n", "server: !!binary aGVsbG8="} {
		f.Add(s)
	}
	lookup := environment("RESPONSEHUB_REDIS_PASSWORD", "p", "RESPONSEHUB_CONSOLE_OIDC_ISSUER", "https://x.example")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "file") { // nothing of the machine's
			return
		}
		began := time.Now()
		cfg, faults, err := Parse("f", []byte(text), lookup)
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %s", len(text), took)
		}
		if err == nil {
			cfg.TenantsAndPeople()
			cfg.Secrets.Bytes()
		}
		for _, fault := range faults {
			if fault.Message == "" || fault.Line < 0 {
				t.Errorf("%+v", fault)
			}
		}
	})
}

// Each level merges the one before it twenty times: three lines more and a parser
// that follows them all would not come back.
func TestAMergeBombIsStopped(t *testing.T) {
	text := "server: &l0 {listen: ':1'}\n"
	for i := range 12 {
		text += "x" + strconv.Itoa(i) + ": &l" + strconv.Itoa(i+1) + " {<<: [" + strings.TrimSuffix(strings.Repeat("*l"+strconv.Itoa(i)+", ", 20), ", ") + "]}\n"
	}
	_, _, err := Parse("f", []byte(text+"redis: *l12\n"), environment())
	if err == nil || !strings.Contains(err.Error(), "unfolds into too much") {
		t.Error(err)
	}
}
